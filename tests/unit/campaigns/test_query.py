"""Queries and conditions on candidates: their answers by hand, and what a condition cannot reach."""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pytest

from core.campaigns.query import CandidateQueries, Occurrence
from core.errors import InputError

ROWS = {
    "run": ["r1", "r1", "r2", "r3"], "rank": [1, 2, 1, 1], "base": ["MgB2", "MgB2", "LaFeAsO", "LaFeAsO"],
    "formula": ["MgB3", "CaB2", "MgB3", "FeSe"], "tc_K": [50.0, 20.0, 60.0, None],
    "tc_minus_error_K": [40.0, 15.0, 30.0, None], "new": [True, False, True, True],
    "elements": [["B", "Mg"], ["B", "Ca"], ["B", "Mg"], ["Fe", "Se"]],
}  # fmt: skip


@pytest.fixture
def queries():
    with CandidateQueries(pa.table(ROWS)) as found:
        yield found


@pytest.mark.parametrize(
    ("where", "tc_K"),
    [
        ("true", [50, 60, 20, None]),
        ("tc_K > 30 and new", [50, 60]),
        ("not new or tc_K is null", [20, None]),
        ("tc_K between 15 and 55 -- in K", [50, 20]),
        ("base in ('MgB2', 'NdFeAsO') and formula like 'Mg%'", [50]),
        ("list_contains(elements, 'Fe')", [None]),
        ("'Mg' in elements and abs(tc_K - 60) < 5 * 2", [60]),
        ("list_has_any(elements, ['Ca', 'Fe'])", [20, None]),
        ("tc_K > 1000", []),
    ],
)
def test_a_condition_selects_rows_by_descending_tc_minus_error(queries, where, tc_K):
    assert queries.select(where)["tc_K"].to_pylist() == tc_K


def test_each_composition_once_says_how_often_and_from_which_bases_it_was_found(queries):
    table = queries.select("new", each_composition_once=True, columns=["formula", "tc_K"]).to_pylist()
    assert table == [
        {"formula": "MgB3", "tc_K": 50.0, "found_in_runs": 2, "found_from_bases": "LaFeAsO, MgB2"},
        {"formula": "FeSe", "tc_K": None, "found_in_runs": 1, "found_from_bases": "LaFeAsO"},
    ]
    best = queries.select("new", order="tc_K", most=1, each_composition_once=True)
    assert best["tc_K"].to_pylist() == [60.0] and best["found_in_runs"].to_pylist() == [2]


def test_only_among_some_formulas(queries):
    assert queries.select(among=["FeSe", "CaB2"])["formula"].to_pylist() == ["CaB2", "FeSe"]
    assert queries.select("new", among=["FeSe", "CaB2"], each_composition_once=True)["formula"].to_pylist() == ["FeSe"]
    assert queries.select(among=[]).num_rows == 0


def test_elements_are_counted_once_for_each_composition(queries):
    assert queries.runs == 3
    assert queries.occurrence() == Occurrence(3, {"B": 2, "Mg": 1, "Ca": 1, "Fe": 1, "Se": 1})
    assert queries.occurrence("new", among=["MgB3", "CaB2"]) == Occurrence(1, {"B": 1, "Mg": 1})
    assert queries.occurrence("tc_K > 1000") == Occurrence(0, {})
    for hidden in ("_formula = 1", "_row > 0"):
        with pytest.raises(InputError, match="no such column"):
            queries.occurrence(hidden)


@pytest.mark.parametrize(
    ("where", "rule"),
    [
        ("", "no condition"),
        ("tc_K >", "no condition"),
        ("true; drop table candidates", "no condition"),
        ("true) union select * from candidates where (true", "more than a condition"),
        ("tc_K > 1) order by (tc_K", "more than a condition"),
        ("tc_K in (select 1)", "subquery"),
        ("exists(select 1 from read_text('/etc/hostname'))", "subquery"),
        ("tc > 60", "no such column"),
        ("candidates.tc_K > 60", "no such column"),
        ("getenv('HOME') = 'x'", "cannot use this function"),
        ("current_setting('threads') = '1'", "cannot use this function"),
        ("repeat('x', 1000000000) = formula", "cannot use this function"),
        ("case when new then true else false end", "cannot have a case"),
        ("formula > 3 + 'a'", "cannot be evaluated"),
    ],
)
def test_everything_else_is_refused(queries, where, rule):
    with pytest.raises(InputError, match=rule):
        queries.select(where)
    assert queries.select().num_rows == 4


def test_errors_help(queries):
    with pytest.raises(InputError) as caught:
        queries.select("tc_k_K > 60")
    assert "tc_K" in caught.value.suggestions
    with pytest.raises(InputError) as caught:
        queries.select("tc_K > 60 and and new")
    assert caught.value.position == len("tc_K > 60 and ")
    for wrong in ({"order": "tc"}, {"columns": ["tc"]}):
        with pytest.raises(InputError, match="no such column"):
            queries.select(**wrong)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_text('/etc/hostname')",
        "ATTACH 'other.db'",
        "COPY candidates TO 'out.csv'",
        "LOAD httpfs",
        "SET enable_external_access = true",
    ],
)
def test_the_database_itself_has_no_access_to_files(queries, statement, tmp_path, monkeypatch):
    """Even for a statement that no condition can contain."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(duckdb.Error, match=r"(?i)permission|disabled|cannot change"):
        queries._connection.execute(statement)
    assert list(tmp_path.iterdir()) == []
