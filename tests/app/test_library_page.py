"""The page Library: its filters as conditions, and the candidates of a stored run on the page."""

from __future__ import annotations

import json
from collections import Counter

import pyarrow as pa
import pytest

from app.all_candidates.exports import complete, to_json
from app.all_candidates.filters import LibraryFilters
from app.all_candidates.stored import forget
from core.campaigns.candidates import candidates_of
from core.campaigns.query import CandidateQueries
from core.chemistry.exact_formula import literal_amounts
from core.evaluation.columns import BY_NAME
from core.runs.annotations import Annotation, annotate
from tests.app.pages import open_page, page_text, without_exception

TABLE = pa.table({
    "run": ["r", "r", "r"], "rank": [1, 2, 3], "base": ["MgB2"] * 3, "formula": ["MgB3", "FeSe", "CaCuO2"],
    "tc_K": [50.0, 20.0, None], "tc_minus_error_K": [40.0, 15.0, None], "passes": [True, True, False],
    "new": [True, False, True], "control_disagrees": [True, None, False], "family": ["other", "iron-based", "cuprate"],
    "energy_above_hull_eV_per_atom": [0.2, -0.1, None],
    "tc_judge_K": [30.0, 10.0, None], "distance_to_known": [0.5, 0.0, 3.0], "known_phase": ["MgB3", "", ""],
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
        ({"control_tc_at_least_K": 20}, ["MgB3"]),
        ({"distance_at_least": 1.0}, ["CaCuO2"]),
        ({"no_phase": True}, ["FeSe", "CaCuO2"]),
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
    forget()
    yield
    forget()


def test_the_candidates_of_all_runs_are_shown_filtered_and_annotated(finished_run):
    annotate("MgB2", Annotation(starred=True))  # of no run here
    test = open_page("library")
    test.pills(key="library.required").set_value([]).run()
    shown, own = test.dataframe[0].value, finished_run.candidates()
    assert set(shown["found_in_runs"]) == {1} and len(shown) == len(own)
    limit = float(own["tc_K"].median())
    test.text_input(key="library.condition").set_value(f"tc_K > {limit}").run()
    assert len(test.dataframe[0].value) == (own["tc_K"] > limit).sum()
    test.text_input(key="library.condition").set_value("tc > 3").run()
    assert not test.exception and "no such column" in page_text(test)
    test.text_input(key="library.condition").set_value("").run()
    test.pills(key="library.required").set_value(["starred"]).run()
    assert "No candidate meets these filters" in page_text(without_exception(test))


def test_the_periodic_table_filters_and_shows_how_often_elements_occur(finished_run):
    test = open_page("library")
    test.pills(key="library.required").set_value([]).run()
    own = finished_run.candidates()["formula"].map(lambda formula: set(literal_amounts(formula)))
    table = json.loads(test.get("bidi_component")[0].proto.json)
    assert table["mode"] == "filter" and table["total"] == len(own)
    assert table["counts"] == Counter(symbol for symbols in own for symbol in symbols)
    clicked = {"generation": 0, "revision": 1, "forbidden": ["As"], "fixed": {"Fe": 1}, "substituted": []}
    test.session_state["library.periodic_table"] = {"table": clicked}
    without_exception(test.run())
    kept = own.map(lambda symbols: "Fe" in symbols and "As" not in symbols)
    table = json.loads(test.get("bidi_component")[0].proto.json)
    assert table["total"] == kept.sum() and "As" not in table["counts"]


def test_downloads_hold_every_column_of_the_chosen_compositions(finished_run):
    own = finished_run.candidates()
    two = own["formula"].tolist()[:2]
    with CandidateQueries(candidates_of([finished_run.folder.parent])) as library:
        table = complete(library, two, "true", "tc_K", {two[1]: Annotation(True, "=1+1")})
    assert sorted(table["formula"]) == sorted(two) and {*BY_NAME, "found_from_bases"} <= {*table.columns}
    assert table.set_index("formula").loc[two[1], ["starred", "note"]].tolist() == [True, "=1+1"]
    rows = json.loads(to_json(table))
    assert {row["formula"] for row in rows} == set(two) and isinstance(rows[0]["elements"], list)


def test_without_runs_the_page_leads_to_the_design_page(empty_runs_folder):
    assert "No candidates yet" in page_text(open_page("library"))
