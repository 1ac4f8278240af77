"""The periodic table, and the row of buttons above it that forbid groups of elements."""

from __future__ import annotations

import streamlit as st

from app import cached_data
from app.components.periodic_table.component import periodic_table
from app.design.keep_menu import keep_menu
from app.forms.constraint_rows import parse_rows, tile_limits
from app.forms.element_groups import element_groups, highlighted
from app.state import session
from app.state.draft import Draft
from app.state.draft_changes import with_groups, with_initial_table, with_only_state, with_table
from app.state.synced_widgets import index_of, synced_key, uninterrupted, widget_callback
from app.text.forbidden_base import forbidden_base_html
from app.text.formatting import charge_text, replacement_text
from core.chemistry import elements
from core.problem.problem import DesignProblem
from core.problem.settings import RAISE_TC, SUBSTITUTE
from core.problem.substitution_sites import takers

STATES = sorted({q for e in elements.all_elements() for q in e.oxidation_states if q})


def table() -> None:
    """The periodic table; a click changes the draft."""
    draft = session.draft()
    clicked = periodic_table(
        draft.table,
        base=list(draft.amounts),
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


def forbidden_note(problem: DesignProblem) -> None:
    """Under the table: what it means that elements of the base are forbidden; nothing if none is."""
    if note := forbidden_base_html(problem):
        st.html(f'<p class="caution" role="status">{note}</p>')


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
    """Groups of elements, each forbidden or allowed by one click; what is kept of the base; reset."""
    available = available_symbols(draft)
    groups = {label: group for label, group in element_groups(cached_data.unseen()).items() if group & available}
    shown = highlighted(draft.table, groups, available, draft.chosen_groups)
    st.html('<span class="quiet">Forbid</span>', width="content")
    key = synced_key("design.groups", shown)
    st.pills("Forbid", list(groups), selection_mode="multi", key=key, default=shown, label_visibility="collapsed",
             on_change=groups_changed, args=(key, groups, shown))  # fmt: skip
    if draft.task == RAISE_TC:
        only_state_field(draft, [groups[name] for name in shown])
        keep_menu(draft)
    reset_button()


def only_state_field(draft: Draft, other_groups: list[frozenset[str]]) -> None:
    """Allow only elements that can have one oxidation state."""
    key = synced_key("design.only_state", draft.only_state)
    st.selectbox(
        "Only with oxidation state",
        STATES,
        index=index_of(draft.only_state, STATES),
        key=key,
        format_func=lambda state: f"Only {charge_text(state)}",
        placeholder="Oxidation state",
        label_visibility="collapsed",
        on_change=only_state_changed,
        args=(key, other_groups),
        width=148,
    )


def reset_button() -> None:
    """Reset the table, once the user has confirmed it."""
    with st.popover(
        "Reset", icon=":material/restart_alt:", type="tertiary", help="Reset the table …", key="design.reset"
    ):
        st.html('<p class="quiet">Noble gases and radioactive elements forbidden, all others allowed, nothing fixed '
                "but what the task keeps.</p>")  # fmt: skip
        st.button("Reset the table", on_click=reset_table, key="design.reset_now", type="primary", width="stretch")


@widget_callback
def groups_changed(key: str, groups: dict[str, frozenset[str]], before: list[str]) -> None:
    """Callback: forbid the groups that were switched on, allow those that were switched off."""
    session.change(with_groups, groups, before, st.session_state[key])


@widget_callback
def only_state_changed(key: str, other_groups: list[frozenset[str]]) -> None:
    """Callback: only elements that can take the chosen state, or all of them."""
    session.change(with_only_state, other_groups, st.session_state[key])


@uninterrupted
def reset_table() -> None:
    """Callback: the table of a first visit, with the elements fixed that the task fixes."""
    session.change(with_initial_table)
