"""The tray of candidates to compare, from any run of the session, and another run beside this one."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from app import cached_data
from app.blocks import section
from app.results.comparison import MOST, Compared, candidates_html, runs_html
from app.state.synced_widgets import uninterrupted
from core.errors import InputError
from core.evaluation.derived_columns import with_derived_columns
from core.problem.problem import DesignProblem
from core.runs import index, store
from core.runs.names import names
from core.runs.run import Run
from core.runs.status import WITH_RESULT

_TRAY = "results.tray"  # of the session


def tray() -> tuple[Compared, ...]:
    """The candidates to compare, in the order in which they were added."""
    return st.session_state.get(_TRAY, ())


def tray_button(run_id: str, row: pd.Series) -> None:
    """Put a candidate into the tray, or take it out."""
    candidate = Compared(run_id, row.to_dict())
    others = tuple(each for each in tray() if each.key != candidate.key)
    inside, full = len(others) < len(tray()), len(others) >= MOST
    changed = st.button(
        "In comparison" if inside else "Compare", key="tray", on_click=replace_tray, disabled=full,
        args=(others if inside else (*others, candidate),),
        icon=":material/check:" if inside else ":material/compare_arrows:",
        help=f"At most {MOST} candidates" if full else "Side by side with others, below the table",
    )  # fmt: skip
    if changed:
        st.rerun()  # the whole page: the tray is outside the card


@uninterrupted
def replace_tray(candidates: tuple[Compared, ...]) -> None:
    """Callback: these candidates are compared."""
    st.session_state[_TRAY] = candidates


def compare_tray() -> None:
    """The candidates of the tray side by side; nothing without any."""
    if not tray():
        return
    section("Comparison")
    st.html(candidates_html(tray(), names()))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Clear", icon=":material/close:", key="tray_clear", on_click=replace_tray, args=((),))
        st.html('<span class="quiet">Candidates of other runs can be added: open their results.</span>')


def other_run(run: Run, problem: DesignProblem, table: pd.DataFrame, summary: Mapping) -> None:
    """This run beside another one, on request."""
    with st.expander("Compare with another run", key="other_run", icon=":material/compare:"):
        others = [entry for entry in index.entries() if entry.phase in WITH_RESULT and entry.id != run.id]
        if not others:
            st.caption("There is no other run with results yet.")
            return
        named = names()
        labels = {entry.id: f"{named.get(entry.id, entry.base)} · {entry.id}" for entry in others}
        chosen = st.selectbox("Run", list(labels), index=None, format_func=labels.get, key="compare_run",
                              placeholder="choose one", bind="query-params")  # fmt: skip
        found = store.get(chosen) if chosen else None
        if found is None:
            return
        try:
            theirs = with_derived_columns(found.candidates(), found.problem().base)
            both = [
                (named.get(run.id, "This run"), problem, table, summary),
                (labels[found.id], found.problem(), theirs, found.summary()),
            ]
        except (InputError, FileNotFoundError) as error:  # damaged, or deleted in the meantime
            st.caption(f"This run cannot be read: {error}")
            return
        st.html(runs_html(both, cached_data.known_to(problem)))
