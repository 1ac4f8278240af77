"""The periodic table, and the row of buttons above it that forbid groups of elements."""

from __future__ import annotations

import streamlit as st

from app import cached_data
from app.components.periodic_table.component import periodic_table
from app.forms.constraint_rows import parse_rows, tile_limits
from app.forms.element_groups import allow, element_groups, forbid, highlighted, lacking_state
from app.state import session
from app.state.draft import Draft
from app.state.draft_changes import with_field, with_initial_table, with_table
from app.state.synced_widgets import index_of, synced_key, uninterrupted, widget_callback
from app.text.formatting import charge_text, replacement_text
from core.chemistry import elements
from core.problem.settings import RAISE_TC, SUBSTITUTE
from core.problem.substitution_sites import takers

_ONLY_STATE, _CHOSEN_GROUPS = "design.only_state_chosen", "design.groups_chosen"  # of the session; not widget keys
STATES = sorted({q for e in elements.all_elements() for q in e.oxidation_states if q})


def table() -> None:
    """The periodic table; a click changes the draft."""
    draft = session.draft()
    clicked = periodic_table(
        draft.table,
        counts=cached_data.training_counts(),
        unavailable=unavailable(draft),
        can_substitute=list(draft.amounts) if draft.task == SUBSTITUTE else [],
        limits=tile_limits(draft.floors if draft.task == RAISE_TC else {}, parse_rows(draft.constraint_rows).bounds),
        key="design.table",
    )
    after = with_table(draft, clicked)
    session.set_draft(after)
    if after.table != clicked:  # the click changed more than its own tile, and the table must show that
        st.rerun()


def unavailable(draft: Draft) -> dict[str, str]:
    """Elements that cannot be used whatever the user clicks, with the reason."""
    reasons = cached_data.unavailable(draft.models.tc, draft.models.formation_energy)
    replacements = dict.fromkeys(each for site in draft.sites if (each := site.replacements()))
    if draft.task == RAISE_TC or not replacements:
        return reasons
    usable = {*draft.amounts, *draft.table.fixed}.union(*(each.symbols() for each in replacements))
    with_state = {s for each in replacements for s in takers(each.state)}
    lacking = f"no known oxidation state {' or '.join(dict.fromkeys(charge_text(each.state) for each in replacements))}"
    outside = f"replaced only by {' or '.join(map(replacement_text, replacements))}"
    not_usable = [s for s in elements.symbols() if s not in usable]
    return {s: outside if s in with_state else lacking for s in not_usable} | reasons


def available_symbols(draft: Draft) -> set[str]:
    """Elements that all models know."""
    return set(elements.symbols()) - set(cached_data.unavailable(draft.models.tc, draft.models.formation_energy))


def group_buttons(draft: Draft) -> None:
    """Groups of elements, each forbidden or allowed by one click."""
    available = available_symbols(draft)
    groups = {label: group for label, group in element_groups(cached_data.unseen()).items() if group & available}
    chosen = st.session_state.setdefault(_CHOSEN_GROUPS, set())
    shown = highlighted(draft.table, groups, available, chosen)
    st.html('<span class="quiet">Forbid</span>', width="content")
    key = synced_key("design.groups", shown)
    st.pills("Forbid", list(groups), selection_mode="multi", key=key, default=shown, label_visibility="collapsed",
             on_change=groups_changed, args=(key, groups, shown))  # fmt: skip
    if draft.task == RAISE_TC:
        only_state_field([groups[name] for name in shown])
    st.button("", icon=":material/restart_alt:", type="tertiary", on_click=reset_table, key="design.reset",
              help="Reset: noble gases and radioactive elements forbidden, all others allowed")  # fmt: skip


def only_state_field(other_groups: list[frozenset[str]]) -> None:
    """Allow only elements that can have one oxidation state."""
    before = st.session_state.get(_ONLY_STATE)
    key = synced_key("design.only_state", before)
    st.selectbox(
        "Only with oxidation state",
        STATES,
        index=index_of(before, STATES),
        key=key,
        format_func=lambda state: f"Only {charge_text(state)}",
        placeholder="Oxidation state",
        label_visibility="collapsed",
        on_change=only_state_changed,
        args=(key, before, other_groups),
        width=148,
    )


@widget_callback
def groups_changed(key: str, groups: dict[str, frozenset[str]], before: list[str]) -> None:
    """Callback: forbid the groups that were switched on, allow those that were switched off."""
    after = st.session_state[key]
    st.session_state[_CHOSEN_GROUPS] = set(after)
    table = session.draft().table
    for name in set(after) - set(before):
        table = forbid(table, groups[name])
    for name in set(before) - set(after):
        table = allow(table, groups[name], [groups[other] for other in after])
    session.change(with_field, "table", table)


@widget_callback
def only_state_changed(key: str, before: int | None, other_groups: list[frozenset[str]]) -> None:
    """Callback: allow what the state before excluded, then forbid the elements that cannot take the new state."""
    state = st.session_state[key]
    table = allow(session.draft().table, lacking_state(before), other_groups)
    session.change(with_field, "table", forbid(table, lacking_state(state)))
    st.session_state[_ONLY_STATE] = state


@uninterrupted
def reset_table() -> None:
    """Callback: the table of a first visit, with the elements fixed that the task fixes."""
    session.change(with_initial_table)
    st.session_state[_ONLY_STATE] = None
    st.session_state[_CHOSEN_GROUPS] = set()
