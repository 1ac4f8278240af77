"""Strings as they stand in the text layers of papers, labelled by hand: read, proposed, refused, or wrong.

`tests/data/formula_strings_labelled.csv` has the first 200 of a list of 922 strings: the text, its kind, and what is
meant. Kinds: formula; series (undetermined amounts, the formula with its variables); family (a letter stands for
several elements; one member is given); none (no formula, or one that is cut off).
"""

from __future__ import annotations

import csv
from collections import Counter
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from core.chemistry.composition import composition_vector
from core.chemistry.composition_series import is_series, read_series
from core.chemistry.exact_formula import parsed, undetermined_variables
from core.chemistry.formula_reader import parse_formula, read_formula
from core.chemistry.spelling import plain
from core.errors import InputError

LABELLED = Path(__file__).parents[2] / "data" / "formula_strings_labelled.csv"
READ, PROPOSED, REFUSED, WRONG_PROPOSAL, WRONG = "read right", "proposed right", "refused", "wrong proposal", "wrong"
VALUES = {"x": 0.1, "y": 0.05, "z": 0.02, "n": 2.0, "δ": 0.03, "v": 0.04}


@cache
def labelled() -> list[tuple[str, str, str]]:
    with LABELLED.open(encoding="utf-8", newline="") as file:
        return [(row["text"], row["kind"], row["meant"]) for row in csv.DictReader(file)]


def composition(formula: str, values: dict[str, float]) -> np.ndarray | None:
    """The composition for these values of the variables that occur in the formula; None if it cannot be read."""
    try:
        present = undetermined_variables(parsed(formula, plain(formula)))
        used = {name: value for name, value in values.items() if name in present}
        if not used:
            return composition_vector(parse_formula(formula))
        text = formula + ", " + ", ".join(f"{name} = {value}" for name, value in used.items())
        return composition_vector(read_series(text).members[0].reading.amounts)
    except InputError:
        return None


def means(suggestion: str, meant: str) -> bool:
    """Whether a suggestion is what is meant: the same for some values of the variables, or with all of them at 0."""
    formula = suggestion.partition(",")[0]
    for of_formula, of_meant in ((VALUES, VALUES), ({}, {}), ({}, dict.fromkeys(VALUES, 0.0))):
        a, b = composition(formula, of_formula), composition(meant, of_meant)
        if a is not None and b is not None and abs(a - b).max() < 1e-5:
            return True
    return False


def outcome(text: str, kind: str, meant: str) -> str:
    """What the reader makes of a labelled string."""
    try:
        amounts = read_formula(text).amounts
    except InputError as error:
        if not error.suggestions:
            return REFUSED
        right = kind != "none" and any(means(suggestion, meant) for suggestion in error.suggestions)
        return PROPOSED if right else WRONG_PROPOSAL
    if kind != "formula":
        return WRONG
    return READ if abs(composition_vector(amounts) - composition(meant, {})).max() < 1e-9 else WRONG


def test_no_labelled_string_is_read_wrongly():
    wrong = [(text, meant) for text, kind, meant in labelled() if outcome(text, kind, meant) == WRONG]
    assert wrong == READ_TO_THE_LETTER


# Labels of samples that happen to be formulas.
READ_TO_THE_LETTER = [("FeSeAg6", "")]


def test_most_labelled_strings_are_read_or_proposed_right():
    counts = Counter(outcome(*row) for row in labelled())
    assert sum(counts.values()) == 200
    assert counts[READ] + counts[PROPOSED] >= 160


def test_strings_without_a_formula_are_refused():
    garbage = [row for row in labelled() if row[1] == "none"]
    counts = Counter(outcome(*row) for row in garbage)
    assert counts[REFUSED] >= 0.8 * len(garbage)


@pytest.mark.parametrize(("text", "kind", "meant"), [row for row in labelled() if row[1] != "none"][::8])
def test_every_suggestion_can_be_read(text, kind, meant):
    try:
        read_formula(text)
    except InputError as error:
        for suggestion in error.suggestions:
            assert read_series(suggestion).members if is_series(suggestion) else parse_formula(suggestion)
