"""The page Library: the candidates of all runs and campaigns, each composition once."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app import blocks
from app.empty_page import invitation
from app.library.filters import LibraryFilters
from core.campaigns.candidates import as_frame, candidates_of
from core.campaigns.folder import app_folders
from core.campaigns.query import CandidateQueries
from core.chemistry import elements
from core.chemistry.families import FAMILIES
from core.errors import InputError
from core.evaluation.columns import BY_NAME
from core.evaluation.csv_export import to_csv

SHOWN = ("formula", "tc_K", "tc_std_K", "tc_judge_K", "energy_above_hull_eV_per_atom", "family", "nearest_known")
FOUND = {"found_in_runs": "Runs", "found_from_bases": "From bases"}
MOST_ROWS, REFRESH_S = 2_000, 30.0


@st.cache_resource(ttl=REFRESH_S, max_entries=1, show_spinner="Collecting the candidates of all runs")
def queries() -> CandidateQueries | None:
    """The candidates of all runs and campaigns, at most REFRESH_S old; None without runs."""
    folders = app_folders()
    return CandidateQueries(candidates_of(folders)) if folders else None


def page() -> None:
    """Filters, the number of compositions, the table, downloads."""
    st.title("Library", anchor=False)
    library = queries()
    if library is None or not library.rows:
        invitation("No candidates yet", "The candidates of all finished runs and campaigns are collected here.")
        return
    filters = _filters()
    try:
        where = filters.where() + (f" and ({filters.condition}\n)" if filters.condition.strip() else "")
        if filters.condition.strip():
            library.check(filters.condition)
        table = as_frame(library.select(where, most=MOST_ROWS, each_composition_once=True))
    except InputError as error:
        blocks.show_errors([error])
        return
    more = f"; the first {MOST_ROWS:,} are shown" if len(table) == MOST_ROWS else ""
    st.caption(f"{len(table):,} compositions by Tc minus its error, of {library.rows:,} candidates{more}.")
    config = {name: st.column_config.Column(BY_NAME[name].label) for name in SHOWN if name in BY_NAME}
    config |= {name: st.column_config.Column(label) for name, label in FOUND.items()}
    st.dataframe(table[[*SHOWN, *FOUND]], hide_index=True, column_config=config, key="library.table")
    _downloads(table)


def _filters() -> LibraryFilters:
    first, second, third = st.columns(3, gap="medium")
    with first:
        tc_K = st.number_input("Tc at least (K)", 0.0, 1000.0, value=None, step=5.0, key="library.tc")
        hull = st.number_input("Above hull at most (eV/atom)", -5.0, 5.0, value=None, step=0.05, key="library.hull")
    symbols = list(elements.symbols())
    with second:
        containing = st.multiselect("Contains", symbols, key="library.with", **blocks.ELEMENT_CHOICE)
        without = st.multiselect("Contains none of", symbols, key="library.without", **blocks.ELEMENT_CHOICE)
    with third:
        families = st.multiselect("Families", FAMILIES, key="library.families", placeholder="all")
        condition = st.text_input("Condition", key="library.condition", placeholder="n_atoms <= 12 and seed = 0")
    row = st.container(horizontal=True)
    passes = row.checkbox("Passes every screen", value=True, key="library.passes")
    new = row.checkbox("New", value=True, key="library.new")
    agrees = row.checkbox("The control model agrees", key="library.agrees")
    return LibraryFilters(
        tc_K, hull, passes, new, agrees, tuple(families), tuple(containing), tuple(without), condition
    )


def _downloads(table: pd.DataFrame) -> None:
    files = {
        "CSV": (to_csv(table), "text/csv"),
        "JSON": (table.to_json(orient="records", indent=1), "application/json"),
    }
    row = st.container(horizontal=True)
    for kind, (content, mime) in files.items():
        name = f"library.{kind.lower()}"
        row.download_button(f"Table ({kind})", content.encode("utf-8"), name, mime, key=name,
                            icon=":material/download:", on_click="ignore")  # fmt: skip
