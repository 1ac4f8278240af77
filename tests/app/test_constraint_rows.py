"""Bounds, groups and ratios as rows of a table: parsed, written, edited, and as text."""

import pytest

from app.forms.constraint_rows import ConstraintRow as Row
from app.forms.constraint_rows import (
    constraints_text,
    parse_rows,
    rows_of,
    tile_limits,
    with_edits,
)
from core.problem.composition_constraints import Group
from core.problem.problem import DesignProblem


def test_rows_are_bounds_groups_and_ratios():
    parsed = parse_rows([
        Row("O", 0.3, 0.5), Row("O, F S", 0.4), Row("Ba:Y", ratio="2:1"), Row(), Row("La; Sr", None, 0.2, "1:3"),
    ])  # fmt: skip
    assert parsed.bounds == {"O": (0.3, 0.5)} and not parsed.errors
    assert parsed.groups == (Group(("O", "F", "S"), 0.4, 1.0), Group(("La", "Sr"), 0.0, 0.2))
    assert parsed.ratios == ({"Ba": 2.0, "Y": 1.0}, {"La": 1.0, "Sr": 3.0})


@pytest.mark.parametrize(
    ("rows", "field", "text"),
    [
        ([Row("O")], "bounds", "sets no limit"),
        ([Row("", 0.2)], "bounds", "names no element"),
        ([Row("O", 0.2), Row("O", None, 0.4)], "bounds", "another row has bounds"),
        ([Row("Ba, Y", ratio="two to one")], "ratios", "numbers and colons"),
        ([Row("Ba, Y", ratio="2:1:3")], "ratios", "one number per element"),
        ([Row("Ba, Ba", ratio="2:1")], "ratios", "one number per element"),
    ],
)
def test_rows_that_cannot_be_read_are_reported(rows, field, text):
    parsed = parse_rows(rows)
    assert [error.field for error in parsed.errors] == [field] and text in parsed.errors[0].message


def test_a_problem_is_written_as_rows_that_parse_to_the_same():
    problem = DesignProblem(
        "YBa2Cu3O7", bounds={"O": (0.3, 0.6), "F": (0.0, 0.1), "La": (0.0, 1.0)},
        groups=(Group(("O", "F"), 0.35), Group(("Cu", "Ag"), 0.0, 0.25)), ratios=({"Ba": 2.0, "Y": 1.0},),
    )  # fmt: skip
    parsed = parse_rows(rows_of(problem))
    assert (parsed.bounds, parsed.groups, parsed.ratios) == (problem.bounds, problem.groups, problem.ratios)
    assert constraints_text(problem).startswith("O 0.3 to 0.6; F at most 0.1;")
    assert constraints_text(problem).endswith("O + F at least 0.35; Cu + Ag at most 0.25; Ba:Y = 2:1")


def test_a_tile_shows_the_limits_of_its_element():
    bounds = {"O": (0.3, 0.6), "F": (0.0, 0.125), "La": (0.2, 1.0), "Y": (0.0, 1.0)}
    assert tile_limits({"H": 0.4}, bounds) == {
        "H": ("≥40%", "at least 0.4 of all atoms"), "O": ("30–60%", "0.3 to 0.6 of all atoms"),
        "F": ("≤12.5%", "at most 0.125 of all atoms"), "La": ("≥20%", "at least 0.2 of all atoms"),
    }  # fmt: skip
    assert tile_limits({"H": 0.4}, {"H": (0.1, 0.6)})["H"][0] == "40–60%"


def test_edits_of_the_table_change_the_rows():
    rows = (Row("O", 0.3), Row("F", 0.1))
    edits = {"edited_rows": {0: {"most": 0.5, "ratio": None}}, "added_rows": [{"elements": "S", "_index": 7}],
             "deleted_rows": [1]}  # fmt: skip
    assert with_edits(rows, edits) == (Row("O", 0.3, 0.5), Row("S"))
    assert with_edits(rows, {"edited_rows": {}, "added_rows": [], "deleted_rows": []}) == rows
