"""The page Library: the candidates of all runs and campaigns, each composition once."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from app import blocks
from app.all_candidates.composition import composition
from app.all_candidates.exports import downloads
from app.all_candidates.filter_fields import filter_fields, order_field
from app.all_candidates.filters import LibraryFilters
from app.all_candidates.stored import queries
from app.components.periodic_table.component import current_state, element_filter
from app.components.periodic_table.table_state import TableState
from app.empty_page import invitation
from app.text.formatting import formula_text
from core.campaigns.query import CandidateQueries, Occurrence
from core.errors import InputError
from core.evaluation.columns import BY_NAME
from core.runs.annotations import Annotation, annotations

SHOWN = ("formula", "tc_K", "tc_std_K", "tc_judge_K", "energy_above_hull_eV_per_atom", "family", "nearest_known")
FOUND = {"found_in_runs": "Runs", "found_from_bases": "From bases"}
DIGITS = {"tc_K": 1, "tc_std_K": 1, "tc_judge_K": 1, "energy_above_hull_eV_per_atom": 3}
MOST_ROWS = 1_000
_TABLE, _ELEMENTS = "library.periodic_table", "library.elements"  # of the widget; of the session
_NO_CHOICE = TableState(frozenset(), {}, frozenset())


def page() -> None:
    """Periodic table and filters, the table of compositions, downloads, and the selected composition."""
    st.title("Library", anchor=False)
    library = queries()
    if library is None or not library.rows:
        invitation("No candidates yet", "The candidates of all finished runs and campaigns are collected here.")
        return
    left, right = st.columns([2.1, 1], gap="large")
    chosen = current_state(st.session_state.get(_ELEMENTS, _NO_CHOICE), _TABLE)
    with right:
        filters = filter_fields(chosen)
    kept = annotations()
    among = [formula for formula, each in kept.items() if each.starred] if filters.starred else None
    try:
        where = _condition(library, filters)
        found = library.occurrence(where, among)
    except InputError as error:
        with right:
            blocks.show_errors([error])
        where, found = "false", Occurrence(0, {})
    with left:
        _elements(chosen, found)
    bar = st.container(horizontal=True, vertical_alignment="center", key="library-bar")
    with bar:
        st.html('<span class="quiet">Rank by</span>', width="content")
        order = order_field()
    columns = [*SHOWN, *([] if order in SHOWN else [order])]
    rows = library.select(where, order, MOST_ROWS, True, columns, among).to_pandas()
    more = f" The first {MOST_ROWS:,} are shown." if found.compositions > len(rows) else ""
    origin = f"{library.rows:,} candidates of {_counted(library.runs, 'run')}"
    bar.caption(f"{_counted(found.compositions, 'composition')}, of {origin}.{more}")
    if chosen != _NO_CHOICE:
        bar.button("Clear elements", type="tertiary", icon=":material/restart_alt:", on_click=_clear)
    if rows.empty:
        st.html('<p class="quiet">No candidate meets these filters.</p>')
        return
    selected = _table(rows, kept)
    downloads(library, selected or list(rows["formula"]), where, order, kept, bool(selected))
    if len(selected) == 1:
        with st.container(border=True):
            composition(library, selected[0], kept.get(selected[0], Annotation()))
    elif not selected:
        st.html('<p class="quiet">Select one row for its star, note, origin and runs.</p>')


def _condition(library: CandidateQueries, filters: LibraryFilters) -> str:
    """The filters with the further condition. Raises InputError if that is wrong."""
    if not filters.condition.strip():
        return filters.where()
    library.check(filters.condition)
    return f"{filters.where()} and ({filters.condition}\n)"


def _elements(chosen: TableState, found: Occurrence) -> None:
    """The periodic table as filter and heat map."""
    clicked = element_filter(chosen, counts=found.of_element, total=found.compositions, key=_TABLE)
    st.session_state[_ELEMENTS] = clicked
    if clicked != chosen:  # a browser that has reconnected
        st.rerun()


def _clear() -> None:
    st.session_state[_ELEMENTS] = _NO_CHOICE


def _table(rows: pd.DataFrame, kept: Mapping[str, Annotation]) -> list[str]:
    """Draw the compositions; the formulas of the selected rows."""
    marks = [kept.get(formula, Annotation()) for formula in rows["formula"]]
    view = rows[[*SHOWN, *FOUND]].round(DIGITS)
    view[list(DIGITS)] += 0.0  # no minus sign before a zero
    for name in ("formula", "nearest_known"):
        view[name] = view[name].map(formula_text)
    view.insert(0, "star", ["★" if mark.starred else "" for mark in marks])
    config = {name: st.column_config.Column(BY_NAME[name].label, help=BY_NAME[name].meaning) for name in SHOWN
              if name in BY_NAME}  # fmt: skip
    config |= {name: st.column_config.NumberColumn(BY_NAME[name].label, format=f"%.{digits}f")
               for name, digits in DIGITS.items()}  # fmt: skip
    config |= {name: st.column_config.Column(label) for name, label in FOUND.items()}
    config |= {"family": st.column_config.Column("Family"), "star": st.column_config.Column("★", width=30)}
    if any(mark.note for mark in marks):
        view["note"] = [mark.note for mark in marks]
        config["note"] = st.column_config.Column("Note", width=200)
    key = f"library.table-{hash(tuple(rows['formula'])):x}"  # other rows have no selection yet
    event = st.dataframe(view, hide_index=True, column_config=config, key=key, on_select="rerun",
                         selection_mode="multi-row", alt="Table of compositions")  # fmt: skip
    return [rows["formula"].iloc[place] for place in event["selection"]["rows"] if place < len(rows)]


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
