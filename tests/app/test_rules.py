"""Bounds, groups and ratios as rows of a table: read, written, edited, said."""

import pytest

from app.rules import Rule, edited, in_words, on_tiles, read, rules_of
from core.problem.composition_constraints import Group
from core.problem.problem import DesignProblem


def test_rows_are_bounds_groups_and_ratios():
    asked = read([
        Rule("O", 0.3, 0.5), Rule("O, F S", 0.4), Rule("Ba:Y", ratio="2:1"), Rule(), Rule("La; Sr", None, 0.2, "1:3"),
    ])  # fmt: skip
    assert asked.bounds == {"O": (0.3, 0.5)} and not asked.wrong
    assert asked.groups == (Group(("O", "F", "S"), 0.4, 1.0), Group(("La", "Sr"), 0.0, 0.2))
    assert asked.ratios == ({"Ba": 2.0, "Y": 1.0}, {"La": 1.0, "Sr": 3.0})


@pytest.mark.parametrize(
    ("rows", "field", "words"),
    [
        ([Rule("O")], "bounds", "nothing is asked"),
        ([Rule("", 0.2)], "bounds", "names no element"),
        ([Rule("O", 0.2), Rule("O", None, 0.4)], "bounds", "has bounds already"),
        ([Rule("Ba, Y", ratio="two to one")], "ratios", "numbers with colons"),
        ([Rule("Ba, Y", ratio="2:1:3")], "ratios", "a number for each"),
        ([Rule("Ba, Ba", ratio="2:1")], "ratios", "a number for each"),
    ],
)
def test_what_cannot_be_read_is_said(rows, field, words):
    asked = read(rows)
    assert [error.field for error in asked.wrong] == [field] and words in asked.wrong[0].message


def test_a_problem_is_shown_in_rows_that_read_the_same():
    problem = DesignProblem(
        "YBa2Cu3O7", bounds={"O": (0.3, 0.6), "F": (0.0, 0.1), "La": (0.0, 1.0)},
        groups=(Group(("O", "F"), 0.35), Group(("Cu", "Ag"), 0.0, 0.25)), ratios=({"Ba": 2.0, "Y": 1.0},),
    )  # fmt: skip
    asked = read(rules_of(problem))
    assert (asked.bounds, asked.groups, asked.ratios) == (problem.bounds, problem.groups, problem.ratios)
    assert in_words(problem).startswith("O 0.3 to 0.6; F at most 0.1;")
    assert in_words(problem).endswith("O + F at least 0.35; Cu + Ag at most 0.25; Ba:Y = 2:1")


def test_a_tile_says_what_is_asked_of_its_element():
    bounds = {"O": (0.3, 0.6), "F": (0.0, 0.125), "La": (0.2, 1.0), "Y": (0.0, 1.0)}
    assert on_tiles({"H": 0.4}, bounds) == {
        "H": ("≥40%", "at least 0.4 of all atoms"), "O": ("30–60%", "0.3 to 0.6 of all atoms"),
        "F": ("≤12.5%", "at most 0.125 of all atoms"), "La": ("≥20%", "at least 0.2 of all atoms"),
    }  # fmt: skip
    assert on_tiles({"H": 0.4}, {"H": (0.1, 0.6)})["H"][0] == "40–60%"


def test_what_is_done_to_the_table_is_done_to_the_rows():
    rows = (Rule("O", 0.3), Rule("F", 0.1))
    edits = {"edited_rows": {0: {"most": 0.5, "ratio": None}}, "added_rows": [{"elements": "S", "_index": 7}],
             "deleted_rows": [1]}  # fmt: skip
    assert edited(rows, edits) == (Rule("O", 0.3, 0.5), Rule("S"))
    assert edited(rows, {"edited_rows": {}, "added_rows": [], "deleted_rows": []}) == rows
