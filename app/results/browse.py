"""Browsing the candidates: filters, scatter plot, candidate card and table; all share rows and selection."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from app.blocks import ELEMENT_CHOICE, section
from app.charts import CHART_CONFIG
from app.results.candidate_card.card import candidate_card
from app.results.candidate_table import candidate_table
from app.results.charts import SCATTER_COLOURS, candidates_figure
from app.results.filters import Filters, elements_in, filtered
from app.results.selection import SCATTER, scatter_clicked, selected_row, view_key
from app.text.formatting import formula_text
from core.evaluation.csv_export import to_csv
from core.problem.problem import DesignProblem
from core.runs.run import Run
from core.screening.registry import FURTHER_SCREENS


def browse(run: Run, problem: DesignProblem, table: pd.DataFrame, summary: Mapping) -> None:
    """The whole section. table : all candidates, at least one"""
    section("Candidates")
    filters = filter_fields(table, some_pass=summary["n_passing"] > 0)
    shown = filtered(table, filters)
    selected = selected_row(run.id, table, shown)
    left, right = st.columns([1.25, 1], gap="medium")
    with left:
        scatter(shown, problem, summary, int(selected["candidate"]))
    with right:
        candidate_card(run, problem, selected, summary)
    if not shown.empty:
        candidate_table(shown, filters.failing, int(selected["candidate"]))
    st.download_button(
        f"These {len(shown):,} rows (CSV)", to_csv(shown).encode("utf-8"), f"{run.id}-selection.csv", "text/csv",
        icon=":material/download:", key="download_shown", on_click="ignore", disabled=shown.empty,
    )  # fmt: skip


def filter_fields(table: pd.DataFrame, some_pass: bool) -> Filters:
    """The filters as a row of fields."""
    symbols = elements_in(table)
    cells = st.columns([1.5, 1.6, 1.6, 1.1, 1.1, 1.3], vertical_alignment="bottom")
    text = cells[0].text_input("Formula contains", placeholder="any text", key="filter_text")
    with_all = cells[1].multiselect("With", symbols, key="filter_with", **ELEMENT_CHOICE)
    without = cells[2].multiselect("Without", symbols, key="filter_without", **ELEMENT_CHOICE)
    above_hull = cells[3].number_input(
        "Max above hull",
        value=None,
        step=0.01,
        format="%.3f",
        placeholder="eV/atom",
        key="filter_hull",
        help="Highest energy above hull; candidates without one are hidden",
    )
    tc = cells[4].number_input("Min Tc", value=None, step=1.0, format="%.1f", placeholder="K", key="filter_tc")
    with cells[5].container(gap=None):
        only_new = st.toggle("Only new", key="filter_new", help="Hide compositions of known superconductors")
        failing = st.toggle("Show failing", value=not some_pass, key="filter_failing")
    labels = {screen.name: screen.label for screen in FURTHER_SCREENS}
    further = st.pills(
        "Also require", list(labels), selection_mode="multi", format_func=labels.get, key="filter_further"
    )
    return Filters(
        text, frozenset(with_all), frozenset(without), above_hull, tc, only_new, failing, frozenset(further or ())
    )


def scatter(shown: pd.DataFrame, problem: DesignProblem, summary: Mapping, selected: int) -> None:
    """Tc against energy above hull; a click selects. selected : candidate number"""
    colour_by = st.segmented_control(
        "Colour shows", list(SCATTER_COLOURS), default="distance_to_known", required=True, key="colour_by",
        format_func=lambda name: SCATTER_COLOURS[name][0],
    )  # fmt: skip
    if shown.empty:
        st.caption("No candidate meets these filters.")
        return
    if shown["energy_above_hull_eV_per_atom"].notna().sum() == 0:
        st.caption("The energy above hull is computed only for candidates that pass every screen; these all fail one.")
        return
    key = view_key(SCATTER)
    base = (formula_text(problem.base), summary["base"]["tc_K"])
    st.plotly_chart(
        candidates_figure(shown, base, colour_by, selected),
        key=key, on_select=lambda: scatter_clicked(key), selection_mode="points", config=CHART_CONFIG,
        alt="Predicted Tc against energy above hull of the candidates",
    )  # fmt: skip
    st.caption("Click a point to select it. Open diamonds are known superconductors.")
