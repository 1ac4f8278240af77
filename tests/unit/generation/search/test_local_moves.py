"""Neighbours of a formula: complete, within the extent, and ordered by the gradient where it is right."""

import numpy as np
import pytest

from core.chemistry import elements
from core.generation.gradient.batch_parallel import BatchParallel
from core.generation.search.local_moves import gradient, neighbours
from core.generation.search.operators import Operators
from core.generation.search.scoring import Scorer
from core.problem.settings import OptimiserSettings
from tests.unit.generation.search.models import predictors
from tests.unit.generation.search.test_formula_space import cells, space

EVERY = 100_000


def scorer(**weights: float) -> Scorer:
    return Scorer(predictors(**weights), OptimiserSettings(risk_aversion=0.0), BatchParallel())


def around(tested, *formulas: str, each: int = EVERY, **weights: float) -> np.ndarray:
    operators = Operators(tested, np.ones(elements.N_ELEMENTS))
    counts = cells(*formulas)
    return neighbours(operators, scorer(**weights), counts, np.full(len(counts), 10.0), each)


def test_the_gradient_is_that_of_the_objective():
    found = gradient(scorer(O=30.0), Operators(space(), np.ones(elements.N_ELEMENTS)), cells("LaFeAsO"))
    assert found[0, elements.element("O").index] == pytest.approx(30.0) and found[0, 0] == pytest.approx(0.0)


def test_every_exchange_addition_and_removal_of_an_atom_is_listed():
    found = {row.tobytes() for row in around(space(), "LaFeAsO")}
    expected = cells("LaFeAs2", "LaFeAsF", "LaFe2As", "LaFeAsO2", "LaFeAsOF", "FeAsO", "La2Fe2As2OF", "La2Fe2As2O")
    assert all(row.tobytes() in found for row in expected)


def test_the_fixed_part_is_kept():
    found = around(space(fixed={"O": 0.25}), "LaFeAsO")
    assert len(found) > 300 and (4 * found[:, elements.element("O").index] == found.sum(1)).all()


def test_a_ratio_is_kept():
    found = around(space("YBa2Cu3O7", ratios=({"Ba": 2, "Y": 1},)), "YBa2Cu3O7")
    assert (found[:, elements.element("Ba").index] == 2 * found[:, elements.element("Y").index]).all()


def test_promising_neighbours_come_first():
    """Tc rises with oxygen alone: more oxygen is in the first neighbours, and in few of all."""
    oxygen = elements.element("O").index
    share = [(found[:, oxygen] / found.sum(1) > 0.25).mean()
             for found in (around(space(), "LaFeAsO", each=8, O=500.0), around(space(), "LaFeAsO"))]  # fmt: skip
    assert share[0] > 0.4 > 0.1 > share[1]
