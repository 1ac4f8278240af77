"""The candidates that the page Learn follows."""

from __future__ import annotations

import json

import numpy as np
import pytest

from core.benchmarks import harness
from core.benchmarks.example_run import fractions_text
from core.chemistry.composition import composition_vector
from core.chemistry.formula_reader import parse_formula
from core.paths import ASSETS
from core.runs.example import STORED
from core.runs.run import Run


@pytest.fixture(scope="module")
def table():
    return harness.read("example-run", ASSETS / "benchmarks").table


def test_the_followed_candidates_are_those_of_the_stored_run(table):
    found = Run(STORED).candidates().set_index("candidate")
    for number, part in table.groupby("candidate"):
        assert set(part["formula"]) == {found.loc[number, "formula"]}
        assert (part["integer_loss"] >= 0).all() and part["step"].is_monotonic_increasing


def test_fractions_sum_to_one_and_end_near_the_formula(table):
    for _, part in table.groupby("candidate"):
        fractions = [json.loads(text) for text in part["fractions"]]
        assert np.allclose([sum(x.values()) for x in fractions], 1, atol=2e-3)
        last, formula = composition_vector(fractions[-1]), composition_vector(parse_formula(part["formula"].iloc[-1]))
        assert np.abs(last - formula).sum() / 2 < 0.1


def test_stage_2_has_at_most_the_largest_number_of_elements(table):
    most = Run(STORED).problem().settings.max_elements
    later = table[table["stage"] == 2]["fractions"].map(lambda text: len(json.loads(text)))
    assert (later <= most).all()


def test_fractions_that_round_to_zero_are_left_out():
    x = composition_vector({"O": 0.5, "Fe": 0.49999, "H": 0.00001})
    assert json.loads(fractions_text(x)) == {"O": 0.5, "Fe": 0.5}
