"""Browsing the candidates: filters, scatter plot, candidate card and table; all share rows and selection."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.blocks import ELEMENT_CHOICE, section
from app.charts import CHART_CONFIG
from app.components.periodic_table.component import element_filter
from app.components.periodic_table.table_state import TableState
from app.results.candidate_card.card import candidate_card
from app.results.candidate_table import candidate_table
from app.results.charts import SCATTER_COLOURS, candidates_figure
from app.results.filters import Filters, element_counts, elements_in, filtered
from app.results.selection import SCATTER, neighbour, scatter_clicked, select, selected_row, view_key
from app.results.variants import like_text, variants_html
from app.text.formatting import formula_text
from core.errors import InputError
from core.evaluation.csv_export import to_csv
from core.evaluation.excel_export import to_excel
from core.evaluation.near_duplicates import GROUPED_BY, VARIANT_COLUMNS, with_variants
from core.evaluation.ranking import BY_PARETO_FRONT, BY_TC, BY_TC_MINUS_ERROR, in_order
from core.problem.problem import DesignProblem
from core.runs.annotations import annotations
from core.runs.run import Run
from core.screening.registry import EXCHANGE, FURTHER_SCREENS

ORDER_LABELS = {BY_TC_MINUS_ERROR: "Tc − error", BY_TC: "Tc", BY_PARETO_FRONT: "Pareto front"}
BEST = 10  # candidates whose structures are found by one click
CANDIDATE, LINK = "candidate", "query-params"  # filters and selection are in the link
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
DERIVED_FILTERS = {"control_agrees": "Control model agrees", "family_kept": "Family of the base"}


def browse(run: Run, problem: DesignProblem, table: pd.DataFrame, summary: Mapping) -> None:
    """The whole section. table : all candidates, at least one"""
    section("Candidates")
    fields, views = st.container(), st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
    with views:
        order, wanted, colour_by = view_fields()
    box = st.expander("Elements as a periodic table", icon=":material/grid_on:", key="elements", on_change="rerun")
    if box.open:
        with box:
            element_table(table)  # before the fields that it changes
    with fields:
        filters = filter_fields(table, summary["n_passing"] > 0, views)
    shown = in_order(filtered(table, filters), order)
    folded = wanted and order != BY_PARETO_FRONT
    grouped = shown.assign(**variant_columns(shown[list(GROUPED_BY)]))
    rows = grouped[grouped["shown_first"]] if folded else grouped
    selected = selected_row(run.id, table, rows, shown, linked_candidate())
    write_candidate(int(selected["candidate"]))
    left, right = st.columns([1.3, 1], gap="medium")
    with right:
        step_buttons(rows, selected)
        candidate_card(run, problem, selected, summary, list(rows.loc[rows["passes"], "formula"][:BEST]))
    with left:
        scatter(shown, problem, summary, colour_by, int(selected["candidate"]))
        if not shown.empty:
            candidate_table(rows, filters.failing, folded, int(selected["candidate"]), starred())
            variants(grouped, int(selected["candidate"]))
        downloads(run, shown)


def downloads(run: Run, shown: pd.DataFrame) -> None:
    """The rows that are shown as CSV and Excel; a file is made only when its button is pressed."""
    kinds = {
        "csv": (f"These {len(shown):,} rows (CSV)", "text/csv", lambda: to_csv(shown).encode("utf-8")),
        "xlsx": ("Excel", EXCEL, lambda: to_excel(shown, "Candidates")),
    }
    with st.container(horizontal=True, gap="small"):
        for ending, (label, mime, content) in kinds.items():
            st.download_button(
                label, content, f"{run.id}-selection.{ending}", mime, icon=":material/download:",
                key=f"download_shown_{ending}", on_click="ignore", disabled=shown.empty,
            )  # fmt: skip


def linked_candidate() -> int | None:
    """The number of the candidate that the link names; None for none, or for what is no number."""
    text = st.query_params.get(CANDIDATE, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def write_candidate(candidate: int) -> None:
    """Name the selected candidate in the link."""
    if st.query_params.get(CANDIDATE) != str(candidate):
        st.query_params[CANDIDATE] = str(candidate)


def step_buttons(rows: pd.DataFrame, selected: pd.Series) -> None:
    """The row before and after the selected one, by buttons and keys; where the selected one stands."""
    numbers = rows["candidate"].tolist()
    place = numbers.index(selected["candidate"]) + 1 if selected["candidate"] in numbers else None
    with st.container(key="steps", horizontal=True, vertical_alignment="center", gap="small"):
        for label, step, icon, keys in (("Previous", -1, "keyboard_arrow_up", "Alt+Up"),
                                        ("Next", 1, "keyboard_arrow_down", "Alt+Down")):  # fmt: skip
            candidate = neighbour(step)
            st.button(
                label, icon=f":material/{icon}:", type="tertiary", key=f"step_{label.lower()}", shortcut=keys,
                on_click=select, args=(candidate,), disabled=candidate is None, help=f"{label} row ({keys})",
            )  # fmt: skip
        text = f"Row {place:,} of {len(numbers):,}" if place else "Not among the rows shown"
        st.html(f'<span class="quiet">{text}</span>', width="content")


def view_fields() -> tuple[str, bool, str]:
    """The order (a key of ORDER_LABELS), whether near-duplicates share a row, and what colours show."""
    order = order_field()
    colour_by = st.segmented_control(
        "Colour shows", list(SCATTER_COLOURS), default="distance_to_known", required=True, key="colour_by",
        format_func=lambda name: SCATTER_COLOURS[name][0], bind=LINK,
    )  # fmt: skip
    wanted = st.toggle(
        "One row for near-duplicates", value=True, key="fold", disabled=order == BY_PARETO_FRONT, bind=LINK,
        help="Candidates that differ in at most 10% of the atoms share a row in the table. The smallest cell is shown, "
        "of those whose Tc is as high within the error. By Pareto front every candidate has a row, because neighbours "
        "on the front are often alike",
    )  # fmt: skip
    return order, wanted, colour_by


def order_field() -> str:
    """The order of the candidates: a key of ORDER_LABELS."""
    return st.segmented_control(
        "Rank by", list(ORDER_LABELS), default=BY_TC_MINUS_ERROR, required=True, key="order_by", bind=LINK,
        format_func=ORDER_LABELS.get,
        help="Tc minus its error prefers gains that are likely to be real. Pareto front: first the candidates on the "
        "line of the chart, which no other beats both in Tc and in energy above hull, then those that only they beat, "
        "and so on; within a front by rank.",
    )  # fmt: skip


@st.cache_data(show_spinner=False, max_entries=20)
def variant_columns(rows: pd.DataFrame) -> dict[str, pd.Series]:
    """The columns that `core.evaluation.near_duplicates` adds, kept while the same rows are shown.

    rows : GROUPED_BY of the rows that are shown
    """
    grouped = with_variants(rows)
    return {name: grouped[name] for name in VARIANT_COLUMNS}


def variants(grouped: pd.DataFrame, selected: int) -> None:
    """The near-duplicates of the selected candidate, smallest cell first; nothing if there are none.

    grouped : the rows that are shown, see `core.evaluation.near_duplicates`; selected : candidate number
    """
    group = grouped.loc[grouped["candidate"] == selected, "group"]
    members = grouped[grouped["group"].isin(group)].sort_values(["n_atoms", "rank"])
    if len(members) < 2:
        return
    shown_first = members[members["shown_first"]].iloc[0]
    with st.expander(f"{like_text(shown_first)}, {len(members)} variants", key="variants"):
        st.html(variants_html(members))
        st.caption("Smallest cell first. They differ in at most 10% of the atoms from the best of them.")


def filter_fields(table: pd.DataFrame, some_pass: bool, views: DeltaGenerator) -> Filters:
    """The filters as a row of fields. views : the row of the order, which has place for what is seldom needed"""
    symbols = elements_in(table)
    cells = st.columns([1.5, 1.6, 1.6, 1.1, 1.1, 1.3], vertical_alignment="bottom")
    text = cells[0].text_input("Formula contains", placeholder="any text", key="filter_text", bind=LINK)
    with_all = cells[1].multiselect("With", symbols, key="filter_with", bind=LINK, **ELEMENT_CHOICE)
    without = cells[2].multiselect("Without", symbols, key="filter_without", bind=LINK, **ELEMENT_CHOICE)
    above_hull = cells[3].number_input(
        "Max above hull",
        value=None,
        step=0.01,
        format="%.3f",
        placeholder="eV/atom",
        key="filter_hull",
        bind=LINK,
        help="Highest energy above hull; candidates without one are hidden",
    )
    tc = cells[4].number_input(
        "Min Tc", value=None, step=1.0, format="%.1f", placeholder="K", key="filter_tc", bind=LINK
    )
    with cells[5].container(gap=None):
        only_new = st.toggle("Only new", key="filter_new", bind=LINK, help="Hide compositions of known superconductors")
        failing = st.toggle("Show failing", value=not some_pass, key="filter_failing", bind=LINK)
    labels = {screen.name: screen.label for screen in FURTHER_SCREENS} | DERIVED_FILTERS
    # A formula far from the optimised composition is another candidate: hidden at first, unless nothing else passes.
    near = EXCHANGE.test(table) & (table["passes"] if some_pass else True)
    default = [EXCHANGE.name] if near.any() else []
    chosen_before = st.session_state.get("filter_further", default)
    with views.popover(f"Also require · {len(chosen_before)} of {len(labels)}", key="further"):
        further = st.pills(
            "Also require", list(labels), selection_mode="multi", format_func=labels.get, key="filter_further",
            bind=LINK, default=default,
        )  # fmt: skip
    chosen = frozenset(further or ())
    return Filters(
        text, frozenset(with_all), frozenset(without), above_hull, tc, only_new, failing, chosen - set(DERIVED_FILTERS),
        "control_agrees" in chosen, "family_kept" in chosen,
    )  # fmt: skip


def element_table(table: pd.DataFrame) -> None:
    """The periodic table as the filters With and Without, and as a heat map of the elements of all candidates."""
    symbols = elements_in(table)
    required = st.session_state.get("filter_with", [])
    excluded = [symbol for symbol in st.session_state.get("filter_without", []) if symbol not in required]
    chosen = TableState(frozenset(excluded), dict.fromkeys(required, 1.0), frozenset())
    clicked = element_filter(chosen, counts=element_counts(table), total=len(table), key="results.elements")
    if clicked != chosen:
        st.session_state["filter_with"] = [symbol for symbol in symbols if symbol in clicked.fixed]
        st.session_state["filter_without"] = [symbol for symbol in symbols if symbol in clicked.forbidden]


def starred() -> set[str]:
    """The formulas with a star; empty if the file of stars is damaged, which the card says."""
    try:
        return {formula for formula, each in annotations().items() if each.starred}
    except InputError:
        return set()


def scatter(shown: pd.DataFrame, problem: DesignProblem, summary: Mapping, colour_by: str, selected: int) -> None:
    """Tc against energy above hull; a click selects. colour_by : of SCATTER_COLOURS; selected : candidate number"""
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
        alt=f"Predicted Tc against energy above hull of the candidates designed from {base[0]}",
    )  # fmt: skip
    st.caption(
        "Click a point to select it. Open diamonds are known superconductors; triangles mark a control model that "
        "differs by more than the error. The line is the Pareto front: no candidate shown has both a higher Tc and a "
        "lower energy above hull than those at its steps."
    )
