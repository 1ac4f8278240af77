"""The table of candidates."""

from __future__ import annotations

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from app.results.selection import TABLE, row_clicked, view_key
from app.text.formatting import formula_text
from core.evaluation.columns import BY_NAME

COLUMNS = (
    "rank", "formula", "tc_K", "tc_std_K", "tc_gain_K", "tc_judge_K", "formation_energy_eV_per_atom",
    "energy_above_hull_eV_per_atom", "energy_above_hull_std_eV_per_atom", "nearest_known", "nearest_known_tc_K",
    "distance_to_known", "n_elements", "n_atoms", "times_found",
)  # fmt: skip
COLUMNS_WITH_FAILING = (*COLUMNS[:9], "passes", "failed_screen", "reason", *COLUMNS[12:])


def candidate_table(shown: pd.DataFrame, failing: bool, selected: int) -> None:
    """The rows (at least one), sortable; a click on a row selects.

    failing : whether failing candidates are among the rows; selected : candidate number
    """
    key = view_key(TABLE)
    view = table_view(shown, failing)
    places = [place for place, candidate in enumerate(shown["candidate"]) if candidate == selected]
    st.dataframe(
        view, key=key, on_select=lambda: row_clicked(key), selection_mode="single-row",
        selection_default={"selection": {"rows": places}}, hide_index=True,
        column_config={name: column_config(name) for name in view}, alt="Table of candidates",
    )  # fmt: skip


def table_view(shown: pd.DataFrame, failing: bool) -> pd.DataFrame:
    """The columns that are displayed, with readable formulas and rounded numbers."""
    columns = COLUMNS_WITH_FAILING if failing else COLUMNS
    if shown["hydrogen_rich"].any():
        columns = (*columns[:3], "hydrogen_rich", *columns[3:])
    view = shown[list(columns)].copy()
    for name in {"formula", "nearest_known"} & set(columns):
        view[name] = view[name].map(formula_text)
    for name in view.select_dtypes("float"):
        view[name] = view[name].round(decimals(name)) + 0.0  # no minus sign before a zero
    return view


def column_config(name: str) -> ColumnConfig:
    """Label, help and format of a column, from `core.evaluation.columns`."""
    column = BY_NAME[name]
    if column.dtype == "bool":
        return st.column_config.CheckboxColumn(column.label, help=column.meaning)
    if column.dtype == "str":
        return st.column_config.TextColumn(column.label, help=column.meaning)
    return st.column_config.NumberColumn(column.label, help=column.meaning, format=f"%.{decimals(name)}f")


def decimals(name: str) -> int:
    """Digits after the decimal point in the displayed table; the CSV has more."""
    # No model is accurate to 1 K or 0.01 eV/atom; one digit more tells neighbouring ranks apart.
    return min(BY_NAME[name].digits or 0, 1 if name.endswith("_K") else 3)
