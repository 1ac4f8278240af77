"""Lines of candidates with their structures."""

import pandas as pd
import pytest

from core.benchmarks.example_structures import EXAMPLES, ExampleStructuresOptions, line, problem_of, sentences

CANDIDATE = pd.Series({"formula": "KCl", "tc_K": 12.0, "energy_above_hull_eV_per_atom": 0.3})
STRUCTURE = {"prototype": "AB 225 1a|1b", "example": "NaCl", "space_group": "225", "matches_known": "true",
             "energy_above_hull_eV_per_atom": "0.05"}  # fmt: skip


def test_a_line_has_both_hulls():
    found = line("one", CANDIDATE, STRUCTURE)
    assert found["like"] == "NaCl" and found["above_hull_by_potential_eV_per_atom"] == pytest.approx(0.05)
    assert found["above_hull_by_composition_eV_per_atom"] == 0.3 and found["example"] == "one"


def test_sentences_count_structures():
    table = pd.DataFrame([line("one", CANDIDATE, STRUCTURE), line("one", CANDIDATE, {})])
    first, second = sentences(table)
    assert first.startswith("1 of 2 candidates have a structure, 1 a known one; 1 are placed")
    assert "1 by the potential, 0 by the composition model" in second


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_take_seed_0_and_a_given_size(name):
    problem = problem_of(name, ExampleStructuresOptions(candidates=64, steps=(5, 6)))
    assert problem.seed == 0 and problem.settings.candidates == 64 and problem.settings.steps == (5, 6)
