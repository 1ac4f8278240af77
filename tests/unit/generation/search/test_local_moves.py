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


def around(tested, *formulas: str, each: int = EVERY, passes: int = 0, **weights: float) -> np.ndarray:
    operators = Operators(tested, np.ones(elements.N_ELEMENTS))
    counts = cells(*formulas)
    before = np.full(len(counts), passes)
    return neighbours(operators, scorer(**weights), counts, np.full(len(counts), 10.0), before, each)


def test_the_gradient_is_that_of_the_objective():
    found = gradient(scorer(O=30.0), Operators(space(), np.ones(elements.N_ELEMENTS)), cells("LaFeAsO"))
    assert found[0, elements.element("O").index] == pytest.approx(30.0) and found[0, 0] == pytest.approx(0.0)


def test_every_exchange_addition_and_removal_of_an_atom_is_listed():
    found = {row.tobytes() for row in around(space(), "LaFeAsO")}
    expected = cells("LaFeAs2", "LaFeAsF", "LaFe2As", "LaFeAsO2", "LaFeAsOF", "FeAsO", "La2Fe2As2OF", "La2Fe2As2O")
    assert all(row.tobytes() in found for row in expected)


def test_two_elements_join_or_leave_together():
    """As CuO does, because one of them alone would leave a charge."""
    found = {row.tobytes() for row in around(space("TlBa2Ca2Cu3O9"), "TlBa2Ca2Cu3O9")}
    expected = cells("TlBa2Ca2Cu2O8", "TlBa2Ca2Cu4O10", "TlBa2Ca3Cu3O10", "TlBa2Ca2CuO7", "TlBa2Ca2Cu2O7")
    assert all(row.tobytes() in found for row in expected)


def test_two_elements_neither_join_nor_leave_where_the_total_is_fixed():
    found = around(space(fixed={"O": 0.25}), "LaFeAsO")
    changed = (found > 0) != (cells("LaFeAsO") > 0)
    assert len(found) and (changed.sum(1) <= 2).all()


def test_every_pass_has_the_next_neighbours():
    """Some were taken before by the other order."""
    passes = [{row.tobytes() for row in around(space(), "LaFeAsO", each=8, passes=k, O=500.0)} for k in range(3)]
    assert all(len(passes[k] - passes[0]) > len(passes[k]) / 2 > 3 for k in (1, 2))
    assert len(around(space(), "LaFeAsO", passes=1)) == 0


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
