"""Which candidate is selected, and which rows are shown: one choice for the scatter plot and the table.

Both views report a click under their widget key. A view that has a selection of its own gets a new key, and so none,
when the other one was used: then it shows the selected candidate and not an older click. The chart keeps its key if it
has none, because drawing a new chart takes longer than changing one.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd
import streamlit as st

from app.state.synced_widgets import uninterrupted

SCATTER, TABLE = "scatter", "table"  # the views
_OTHER = {SCATTER: TABLE, TABLE: SCATTER}
_KEY = "results.selection"  # of the session


@dataclass
class _Selection:
    """Of one run.

    candidate : number of the selected candidate
    shown : candidate numbers of the rows that are shown, in their order
    meeting : candidate numbers that meet the filters; rows may stand for several of them
    rounds : view -> how often its key was replaced
    """

    run_id: str
    candidate: int
    shown: tuple[int, ...] = ()
    meeting: frozenset[int] = frozenset()
    rounds: dict[str, int] = field(default_factory=lambda: {SCATTER: 0, TABLE: 0})


def selected_row(
    run_id: str, table: pd.DataFrame, shown: pd.DataFrame, meeting: pd.DataFrame, linked: int | None = None
) -> pd.Series:
    """The candidate that is selected in this run: the last one clicked, that of the link, or the first one shown.

    Call it before the views are drawn. A candidate that the filters exclude gives way to the first one shown; that of
    a link stays until the filters change.

    table : all candidates, at least one; shown : the rows that are shown; meeting : candidates that meet the filters
    linked : the candidate that the link names
    """
    selection: _Selection | None = st.session_state.get(_KEY)
    same_run = selection is not None and selection.run_id == run_id
    meets = frozenset(meeting["candidate"].tolist())
    wanted = selection.candidate if same_run else linked
    unchanged = not same_run or selection.meeting == meets
    there = wanted is not None and (table["candidate"] == wanted).any()
    if there and (wanted in meets or unchanged):
        row = table[table["candidate"] == wanted].iloc[0]
    else:
        row = (shown if len(shown) else table).iloc[0]
    rounds = {"rounds": selection.rounds} if selection is not None else {}
    shown_ones = tuple(shown["candidate"].tolist())
    st.session_state[_KEY] = _Selection(run_id, int(row["candidate"]), shown_ones, meets, **rounds)
    return row


def neighbour(step: int) -> int | None:
    """The candidate so many rows further on among those shown; None beyond the last or first row."""
    selection: _Selection = st.session_state[_KEY]
    if selection.candidate not in selection.shown:
        return selection.shown[0] if selection.shown else None
    place = selection.shown.index(selection.candidate) + step
    return selection.shown[place] if 0 <= place < len(selection.shown) else None


@uninterrupted
def select(candidate: int) -> None:
    """Callback: select this candidate in both views."""
    selection: _Selection = st.session_state[_KEY]
    if selection.candidate != candidate:
        selection.candidate = candidate
        for view in selection.rounds:
            _forget_click(view)


def view_key(view: str) -> str:
    """The widget key of a view; another one for other rows, so that no row number refers to rows that are gone."""
    selection: _Selection = st.session_state[_KEY]
    return f"{view}-{selection.rounds[view]}-{hash((selection.run_id, *selection.shown)):x}"


def scatter_clicked(key: str) -> None:
    """Callback of the scatter plot, whose points carry their candidate number."""
    points = st.session_state[key]["selection"]["points"]
    _select(points[0]["customdata"][0] if points else None, SCATTER)


def row_clicked(key: str) -> None:
    """Callback of the table."""
    rows = st.session_state[key]["selection"]["rows"]
    _select(st.session_state[_KEY].shown[rows[0]] if rows else None, TABLE)


def _select(candidate: int | None, view: str) -> None:
    """Select the candidate that was clicked in this view; a click that deselects (None) restores the selection."""
    selection: _Selection = st.session_state[_KEY]
    if candidate is None:
        selection.rounds[view] += 1
    else:
        selection.candidate = int(candidate)
        _forget_click(_OTHER[view])


def _forget_click(view: str) -> None:
    """Give a view a new key; not the chart if no point is selected in it. In the table a row always is."""
    chosen = st.session_state.get(view_key(view))
    if view == TABLE or (chosen and chosen["selection"]["points"]):
        st.session_state[_KEY].rounds[view] += 1
