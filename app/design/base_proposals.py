"""What to do with a base that is not one formula: proposals to click on, and the doping line of a series."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app import cached_data
from app.blocks import show_errors
from app.charts import CHART_CONFIG
from app.design.doping_chart import doping_figure
from app.state.draft import Draft
from app.state.draft_changes import with_base, with_field
from app.state.session import change
from core.chemistry.composition import whole_counts
from core.chemistry.composition_series import is_series
from core.errors import InputError
from core.problem.settings import EVERY_ATOM, ONE_STATE, SUBSTITUTE
from core.screening.charge_neutrality import MAX_ATOMS, only_every_atom_balances


def base_proposals(draft: Draft, errors: Sequence[InputError]) -> None:
    """A button for each formula that is probably meant; for a series its doping line, and a choice of its members."""
    if is_series(draft.base):
        return doping_line(draft)
    suggestions = dict.fromkeys(suggestion for error in errors for suggestion in error.suggestions)
    if suggestions:
        with st.container(horizontal=True, gap="small", key="proposals"):
            for suggestion in suggestions:
                st.button(f"Use {suggestion}", key=f"design.proposal.{suggestion}", on_click=change,
                          args=(with_base, suggestion))  # fmt: skip


def charge_rule_offer(draft: Draft) -> None:
    """The offer to let every atom take its own oxidation state, if the base itself fails the screen without it."""
    if draft.charge_rule != ONE_STATE or draft.task == SUBSTITUTE:
        return
    counts = whole_counts(draft.amounts)
    if counts is None or sum(counts.values()) > MAX_ATOMS or not only_every_atom_balances(counts):
        return
    with st.container(horizontal=True, vertical_alignment="center", key="charge_rule_offer"):
        st.caption("With one oxidation state per element, this base is not charge neutral.")
        st.button("One state per atom", key="design.every_atom", on_click=change,
                  args=(with_field, "charge_rule", EVERY_ATOM))  # fmt: skip


def doping_line(draft: Draft) -> None:
    """Predicted Tc along a series with the known superconductors on it, and a choice of one member as the base."""
    try:
        line = cached_data.doping_line(draft.base, draft.models)
    except InputError as error:
        return show_errors([error])
    st.plotly_chart(doping_figure(line), key="design.doping_line", config=CHART_CONFIG, alt=f"Tc along {draft.base}")
    st.caption("The models were trained on the reported points, so that their agreement with the line is no test.")
    formulas = list(dict.fromkeys(line.predicted["formula"]))
    key = "design.member"
    st.selectbox(
        "Member of the series as base", formulas, index=None, key=key, placeholder="choose one",
        on_change=_use_member, args=(key,),
    )  # fmt: skip


def _use_member(key: str) -> None:
    chosen = st.session_state[key]
    if chosen is not None:
        change(with_base, chosen)
