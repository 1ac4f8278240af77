"""Which candidate is selected, and which rows are shown: one choice for the scatter plot and the table.

Both views report a click under their widget key. A view gets a new key, and so no selection of its own, when the
other one was used: then it shows the selected candidate and not an older click.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd
import streamlit as st

SCATTER, TABLE = "scatter", "table"  # the views
_OTHER = {SCATTER: TABLE, TABLE: SCATTER}
_KEY = "results.selection"  # of the session


@dataclass
class _Selection:
    """Of one run.

    candidate : number of the selected candidate
    shown : candidate numbers of the rows that are shown, in their order
    rounds : view -> how often its key was replaced
    """

    run_id: str
    candidate: int
    shown: tuple[int, ...] = ()
    rounds: dict[str, int] = field(default_factory=lambda: {SCATTER: 0, TABLE: 0})


def selected_row(run_id: str, table: pd.DataFrame, shown: pd.DataFrame) -> pd.Series:
    """The candidate last selected in this run, else the first one that is shown. Call it before the views are drawn.

    table : all candidates, at least one; shown : the rows that the filters leave
    """
    selection: _Selection | None = st.session_state.get(_KEY)
    same_run = selection is not None and selection.run_id == run_id
    if same_run and (table["candidate"] == selection.candidate).any():
        row = table[table["candidate"] == selection.candidate].iloc[0]
    else:
        row = (shown if len(shown) else table).iloc[0]
    rounds = {"rounds": selection.rounds} if selection is not None else {}
    st.session_state[_KEY] = _Selection(run_id, int(row["candidate"]), tuple(shown["candidate"].tolist()), **rounds)
    return row


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
        selection.rounds[_OTHER[view]] += 1
