"""Where a design comes from, and which past runs are listed."""

from __future__ import annotations

import pytest

from app.runs.listing import BY_NAME, HIGHEST, MOST_PASSING, NEWEST, OLDEST, listed
from app.text.lineage import MOST, Ancestor, ancestors
from core.errors import InputError
from core.problem.origin import Origin
from core.problem.problem import DesignProblem
from core.runs.index import Entry
from core.runs.status import Phase

STORED = {
    "first": DesignProblem("LaFeAsO"),
    "second": DesignProblem("NdFeAsO", origin=Origin("first", 7, 41)),
    "orphan": DesignProblem("MgB2", origin=Origin("deleted", 2, 3)),
    "circle": DesignProblem("FeSe", origin=Origin("circle", 1, 1)),
}


@pytest.mark.parametrize(
    ("run", "found"),
    [
        ("second", [Ancestor(Origin("first", 7, 41), "LaFeAsO"), Ancestor(Origin("second", 1, 5), "NdFeAsO")]),
        ("orphan", [Ancestor(Origin("deleted", 2, 3), None), Ancestor(Origin("orphan", 1, 5), "MgB2")]),
        ("circle", [Ancestor(Origin("circle", 1, 5), "FeSe")]),
    ],
)
def test_the_lineage_goes_back_to_the_first_design_that_is_there(run, found):
    assert ancestors(DesignProblem("H3S", origin=Origin(run, 1, 5)), STORED.get) == found
    assert ancestors(STORED["first"], STORED.get) == []


def test_the_lineage_ends_at_a_damaged_run_and_after_many_generations():
    def damaged(run: str) -> DesignProblem:
        raise InputError("problem", run, "it is damaged", "Delete it")

    assert ancestors(STORED["second"], damaged) == [Ancestor(Origin("first", 7, 41), None)]
    endless = ancestors(STORED["second"], lambda run: DesignProblem("H3S", origin=Origin(run + "x", 1, 1)))
    assert len(endless) == MOST


RUNS = [
    Entry("c-YBCO", 0, "2026-03-03", Phase.FINISHED, "YBa2Cu3O7", 90.0, 10),
    Entry("b-MgB2", 0, "2026-02-02", Phase.FAILED, "MgB2", None, None),
    Entry("a-LaFeAsO", 0, "2026-01-01", Phase.FINISHED, "LaFeAsO", 120.0, 5),
]
NAMES = {"a-LaFeAsO": "Less arsenic"}


@pytest.mark.parametrize(
    ("order", "ids"), [(NEWEST, "cba"), (OLDEST, "abc"), (HIGHEST, "acb"), (MOST_PASSING, "cab"), (BY_NAME, "abc")]
)
def test_runs_are_listed_in_the_order_that_was_chosen(order, ids):
    assert "".join(entry.id[0] for entry in listed(RUNS, NAMES, "", order)) == ids


@pytest.mark.parametrize(("text", "ids"), [("arsenic less", "a"), ("b2", "b"), ("cu3", "c"), ("less ybco", "")])
def test_runs_are_found_by_all_words_in_name_base_or_id(text, ids):
    assert "".join(entry.id[0] for entry in listed(RUNS, NAMES, text, NEWEST)) == ids
