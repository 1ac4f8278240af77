"""The page Library: its filters as conditions, and the candidates of a stored run on the page."""

from __future__ import annotations

import pyarrow as pa
import pytest

from app.library.filters import LibraryFilters
from app.library.page import queries
from core.campaigns.query import CandidateQueries
from tests.app.pages import open_page, page_text

TABLE = pa.table({
    "run": ["r", "r", "r"], "rank": [1, 2, 3], "base": ["MgB2"] * 3, "formula": ["MgB3", "FeSe", "CaCuO2"],
    "tc_K": [50.0, 20.0, None], "tc_minus_error_K": [40.0, 15.0, None], "passes": [True, True, False],
    "new": [True, False, True], "control_disagrees": [True, None, False], "family": ["other", "iron-based", "cuprate"],
    "energy_above_hull_eV_per_atom": [0.2, -0.1, None],
    "elements": [["B", "Mg"], ["Fe", "Se"], ["O", "Ca", "Cu"]],
})  # fmt: skip


@pytest.mark.parametrize(
    ("filters", "formulas"),
    [
        ({}, ["MgB3", "FeSe", "CaCuO2"]),
        ({"passes": True, "new": True}, ["MgB3"]),
        ({"agrees": True}, ["FeSe", "CaCuO2"]),
        ({"tc_at_least_K": 20}, ["MgB3", "FeSe"]),
        ({"above_hull_at_most_eV_per_atom": 0.0}, ["FeSe"]),
        ({"families": ("cuprate", "it's")}, ["CaCuO2"]),
        ({"containing": ("B", "Mg")}, ["MgB3"]),
        ({"without": ("B", "O")}, ["FeSe"]),
    ],
)
def test_filters_are_conditions(filters, formulas):
    with CandidateQueries(TABLE) as library:
        where = LibraryFilters(**{"passes": False, "new": False, **filters}).where()
        assert library.select(where)["formula"].to_pylist() == formulas


@pytest.fixture(autouse=True)
def fresh(tmp_path, monkeypatch):
    monkeypatch.setenv("TC_STUDIO_CAMPAIGNS", str(tmp_path / "campaigns"))
    queries.clear()
    yield
    queries.clear()


def test_the_candidates_of_all_runs_are_shown_and_filtered(finished_run):
    test = open_page("library")
    test.checkbox(key="library.passes").uncheck()
    test.checkbox(key="library.new").uncheck().run()
    shown, own = test.dataframe[0].value, finished_run.candidates()
    assert sorted(shown["formula"]) == sorted(own["formula"]) and set(shown["found_in_runs"]) == {1}
    limit = float(own["tc_K"].median())
    test.text_input(key="library.condition").set_value(f"tc_K > {limit}").run()
    assert len(test.dataframe[0].value) == (own["tc_K"] > limit).sum()
    test.text_input(key="library.condition").set_value("tc > 3").run()
    assert not test.exception and "no such column" in page_text(test)


def test_without_runs_the_page_leads_to_the_design_page(empty_runs_folder):
    assert "No candidates yet" in page_text(open_page("library"))
