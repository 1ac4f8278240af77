"""The table of the page Predict, and which of its rows is selected."""

from __future__ import annotations

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from app.predict.assessment import Assessment
from app.results.candidate_table import column_config, decimals
from app.text.formatting import formula_text
from core.evaluation.columns import BY_NAME

COLUMNS = (
    "formula", "read_as", "tc_K", "tc_std_K", "tc_judge_K", "superconducting_probability", "pressure_suspected",
    "off_stoichiometry_suspected", "formation_energy_eV_per_atom",
    "energy_above_hull_eV_per_atom", "energy_above_hull_std_eV_per_atom", "usual_charges", "oxidation_states",
    "charge_neutral", "nearest_known", "nearest_known_tc_K", "distance_to_known", "extrapolating", "reason", "error",
    "suggestion",
)  # fmt: skip
SUSPECTED = ("pressure_suspected", "off_stoichiometry_suspected")
IF_ANY = ("read_as", "error", "suggestion")  # shown only if a row has a text in it
TEXTS = {
    "formula": ("Formula", "As given"),
    "read_as": ("Read as", "The formula understood, where it is not the text given"),
    "error": ("Error", "Why there is no prediction, or not of all properties"),
    "suggestion": ("Suggestion", "What is probably meant"),
}


def result_table(assessment: Assessment, table: pd.DataFrame, selected: int) -> None:
    """The rows, sortable; a click on a row selects. selected : place of a row"""
    view = table_view(table)
    st.dataframe(
        view, key=table_key(assessment), on_select="rerun", selection_mode="single-row",
        selection_default={"selection": {"rows": [selected]}}, hide_index=True, placeholder="",
        column_config={name: config(name) for name in view}, alt="Table of predictions",
    )  # fmt: skip
    name = "predictions.csv" if assessment.query.file is None else f"predictions-{assessment.query.file[0]}"
    st.download_button(
        f"All {len(table):,} rows (CSV)" if len(table) > 1 else "Table (CSV)", assessment.csv().encode("utf-8"), name,
        "text/csv", icon=":material/download:", key="predict.download", on_click="ignore",
        help="All columns, as python -m core screen writes them",
    )  # fmt: skip


def selected_place(assessment: Assessment, table: pd.DataFrame) -> int:
    """The row last clicked, else the first one that was read."""
    state = st.session_state.get(table_key(assessment))
    rows = state["selection"]["rows"] if state else []
    if rows and rows[0] < len(table):
        return int(rows[0])
    read = table["tc_K"].notna() | table["formation_energy_eV_per_atom"].notna()
    return int(read.to_numpy().argmax()) if len(table) else 0


def table_key(assessment: Assessment) -> str:
    """The widget key of the table; another one for other formulas or settings, so that no older click counts."""
    texts = tuple(formula.text for formula in assessment.read.formulas)
    return f"predict.table-{hash((texts, assessment.query.models, assessment.query.charge_rule)):x}"


def table_view(table: pd.DataFrame) -> pd.DataFrame:
    """The columns that are displayed, with readable formulas and rounded numbers."""
    shown = {name: (table[name] != "").any() for name in IF_ANY} | {name: table[name].any() for name in SUSPECTED}
    columns = [name for name in COLUMNS if shown.get(name, True)]
    view = table[columns].copy()
    for name in {"read_as", "nearest_known"} & set(columns):
        view[name] = view[name].map(formula_text, na_action="ignore")
    literal = (table["read_as"] == "") & table["tc_judge_K"].notna()  # other texts are shown as given
    view["formula"] = view["formula"].where(~literal, view["formula"].map(formula_text))
    for name in {"usual_charges", "charge_neutral", "extrapolating", *SUSPECTED} & set(columns):
        view[name] = view[name].astype("boolean")
    for name in view.select_dtypes("float"):
        view[name] = view[name].round(decimals(name)) + 0.0  # no minus sign before a zero
    return view


def config(name: str) -> ColumnConfig:
    """Label, help and format of a column."""
    if name in TEXTS:
        label, meaning = TEXTS[name]
        return st.column_config.TextColumn(label, help=meaning)
    if BY_NAME[name].dtype in ("bool", "boolean"):
        return st.column_config.CheckboxColumn(BY_NAME[name].label, help=BY_NAME[name].meaning)
    return column_config(name)
