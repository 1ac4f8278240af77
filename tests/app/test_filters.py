"""Filters on the candidate table, without a page."""

from __future__ import annotations

import pandas as pd
import pytest

from app.results.filters import Filters, elements_in, filtered, matches, same_composition
from core.errors import InputError


@pytest.fixture
def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "formula": ["LaFeAsO", "FeSe", "MgB2", "YBa2Cu3O7"],
            "passes": [True, True, True, False],
            "known": [True, True, False, False],
            "tc_K": [15.0, 9.0, 38.0, 90.0],
            "energy_above_hull_eV_per_atom": [0.0, 0.05, 0.2, float("nan")],
            "usual_charges": pd.array([True, False, None, True], dtype="boolean"),
            "tc_gain_K": [0.0, -6.0, 23.0, 75.0],
            "tc_std_K": [2.0, 2.0, 30.0, 10.0],
            "rounding_distance": [0.0, 0.4, 0.1, 0.0],
            "control_disagrees": pd.array([True, False, None, False], dtype="boolean"),
            "family_kept": [True, True, False, False],
        },
        index=[3, 5, 8, 9],
    )


@pytest.mark.parametrize(
    ("filters", "formulas"),
    [
        (Filters(), ["LaFeAsO", "FeSe", "MgB2"]),
        (Filters(failing=True), ["LaFeAsO", "FeSe", "MgB2", "YBa2Cu3O7"]),
        (Filters(text="fe"), ["LaFeAsO", "FeSe"]),
        (Filters(text=" AsFeLaO "), ["LaFeAsO"]),
        (Filters(text="?"), []),
        (Filters(with_all=frozenset({"Fe", "O"})), ["LaFeAsO"]),
        (Filters(without=frozenset({"Fe"})), ["MgB2"]),
        (Filters(with_all=frozenset({"Fe"}), without=frozenset({"O"})), ["FeSe"]),
        (Filters(max_above_hull_eV_per_atom=0.05), ["LaFeAsO", "FeSe"]),
        (Filters(max_above_hull_eV_per_atom=1.0, failing=True), ["LaFeAsO", "FeSe", "MgB2"]),
        (Filters(min_tc_K=15.0), ["LaFeAsO", "MgB2"]),
        (Filters(only_new=True), ["MgB2"]),
        (Filters(further=frozenset({"usual_charges"})), ["LaFeAsO", "MgB2"]),
        (Filters(further=frozenset({"above_base"})), ["MgB2"]),
        (Filters(further=frozenset({"above_error"}), failing=True), ["YBa2Cu3O7"]),
        (Filters(further=frozenset({"exchange"})), ["LaFeAsO", "MgB2"]),
        (Filters(further=frozenset({"near_hull", "exchange"})), ["LaFeAsO"]),
        (Filters(control_agrees=True), ["FeSe", "MgB2"]),  # an unknown error is no disagreement
        (Filters(family_kept=True), ["LaFeAsO", "FeSe"]),
    ],
)
def test_filters_keep_the_rows_that_meet_them(table, filters, formulas):
    assert filtered(table, filters)["formula"].tolist() == formulas


def test_filters_combine_and_keep_the_index(table):
    shown = filtered(table, Filters(text="e", min_tc_K=10.0, failing=True))
    assert shown.index.tolist() == [3]
    assert len(table) == 4


@pytest.mark.parametrize("filters", [Filters(), Filters(text="Fe", with_all=frozenset({"O"}), only_new=True)])
def test_an_empty_table_stays_empty(table, filters):
    assert filtered(table.head(0), filters).empty


def test_a_formula_matches_in_any_order_of_its_elements():
    assert matches("b2mg", "B2Mg") and matches("Mg0.5B", "B2Mg") and not matches("MgB", "B2Mg")
    assert same_composition("Fe2Se2", "FeSe")
    with pytest.raises(InputError):
        same_composition("Q", "FeSe")


def test_elements_are_listed_once(table):
    assert elements_in(table) == ["As", "B", "Ba", "Cu", "Fe", "La", "Mg", "O", "Se", "Y"]
