"""The table of candidates."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from app.results.selection import TABLE, row_clicked, view_key
from app.results.variants import group_text
from app.star_and_note import STAR
from app.text.formatting import formula_text
from core.evaluation.columns import BY_NAME, DERIVED_COLUMNS, STRUCTURE_COLUMNS, Column

COLUMNS = (
    "rank", "star", "formula", "tc_K", "tc_std_K", "tc_minus_error_K", "doped_as", "alike", "tc_gain_K", "tc_judge_K",
    "control_disagrees", "superconducting_probability", "energy_above_hull_eV_per_atom",
    "energy_above_hull_std_eV_per_atom", "structure_above_hull_eV_per_atom", "structure_space_group", "family",
    "formation_energy_eV_per_atom", "nearest_known", "nearest_known_tc_K", "distance_to_known", "defects",
    "n_elements", "n_atoms", "times_found",
)  # fmt: skip
IF_ANY = ("hydrogen_rich", "pressure_suspected", "off_stoichiometry_suspected")  # after the error, if a row has it
FOR_FAILING = ("passes", "failed_screen", "reason")  # after the formula
WIDTHS = {"star": 30, "doped_as": 140, "alike": 190}  # pixels; the width of the first rows would cut off later ones
ONLY_IF_THERE = ("star", "doped_as", "alike", "control_disagrees", "defects")  # left out if no row has them
DIFFERS = "⚠ differs"  # in the column of the control model: a word, since colour alone carries no meaning
ALIKE = Column(
    "alike", "str", "Near-duplicates", "Candidates that differ in at most 10% of the atoms and share this row"
)
STARRED = Column("star", "str", "★", "Starred by you; listed in the Library under “Starred”")
OF_STRUCTURES = tuple(column.name for column in STRUCTURE_COLUMNS)  # only once structures were relaxed
_EVERY = BY_NAME | {column.name: column for column in (*DERIVED_COLUMNS, *STRUCTURE_COLUMNS, ALIKE, STARRED)}


def candidate_table(
    shown: pd.DataFrame, failing: bool, folded: bool, selected: int, starred: Collection[str] = ()
) -> None:
    """The rows (at least one), sortable; a click on a row selects.

    failing : whether failing candidates are among the rows
    folded : whether a row stands for its near-duplicates
    selected : candidate number; starred : formulas with a star
    """
    key = view_key(TABLE)
    view = table_view(shown, failing, folded, starred)
    places = [place for place, candidate in enumerate(shown["candidate"]) if candidate == selected]
    st.dataframe(
        view, key=key, on_select=lambda: row_clicked(key), selection_mode="single-row",
        selection_default={"selection": {"rows": places}}, hide_index=True,
        column_config={name: column_config(name) for name in view}, alt="Table of candidates",
    )  # fmt: skip


def table_view(shown: pd.DataFrame, failing: bool, folded: bool, starred: Collection[str] = ()) -> pd.DataFrame:
    """The columns that are displayed, with readable formulas and rounded numbers."""
    place = COLUMNS.index("tc_K")
    columns = (*COLUMNS[:place], *(FOR_FAILING if failing else ()), *COLUMNS[place:])
    place = columns.index("tc_gain_K")
    columns = (*columns[:place], *(name for name in IF_ANY if shown[name].any()), *columns[place:])
    texts = {
        "star": [STAR if formula in starred else "" for formula in shown["formula"]],
        "alike": [group_text(row) if folded else "" for _, row in shown.iterrows()],
        "control_disagrees": shown["control_disagrees"].fillna(False).map({True: DIFFERS, False: ""}),
    }
    view = shown.assign(**texts)[[name for name in columns if name not in OF_STRUCTURES or name in shown]]
    view = view.drop(columns=[name for name in ONLY_IF_THERE if (view[name] == "").all()])
    for name in {"formula", "nearest_known"} & set(view):
        view[name] = view[name].map(formula_text)
    for name in view.select_dtypes("float"):
        view[name] = view[name].round(decimals(name)) + 0.0  # no minus sign before a zero
    return view


def column_config(name: str) -> ColumnConfig:
    """Label, help and format of a column, from `core.evaluation.columns`."""
    column = _EVERY[name]
    if name in ONLY_IF_THERE:
        return st.column_config.TextColumn(column.label, help=column.meaning, width=WIDTHS.get(name))
    if column.dtype == "bool":
        return st.column_config.CheckboxColumn(column.label, help=column.meaning)
    if column.dtype == "str":
        return st.column_config.TextColumn(column.label, help=column.meaning)
    return st.column_config.NumberColumn(column.label, help=column.meaning, format=f"%.{decimals(name)}f")


def decimals(name: str) -> int:
    """Digits after the decimal point in the displayed table; the CSV has more."""
    # No model is accurate to 1 K or 0.01 eV/atom; one digit more tells neighbouring ranks apart.
    return min(_EVERY[name].digits or 0, 1 if name.endswith("_K") else 3)
