"""Mutations and crossover: what they keep, what they reach, and that the seed decides."""

import numpy as np

from core.chemistry import elements
from core.generation.search.operators import SHARES, Operators, Units
from core.problem.settings import OptimiserSettings
from tests.unit.generation.search.test_formula_space import cells, space

EVEN = np.ones(elements.N_ELEMENTS)


def children(tested, *parents: str, count: int = 4000, seed: int = 0) -> np.ndarray:
    return Operators(tested, EVEN).children(cells(*parents), count, np.random.default_rng(seed))


def test_children_are_distinct_formulas_in_lowest_terms():
    found = children(space(), "LaFeAsO", "YBa2Cu3O7")
    assert (found >= 0).all() and (np.gcd.reduce(found, axis=1) == 1).all()
    assert len(np.unique(found, axis=0)) == len(found) > 1000


def test_the_seed_decides():
    assert (children(space(), "LaFeAsO", seed=3) == children(space(), "LaFeAsO", seed=3)).all()
    assert not np.array_equal(children(space(), "LaFeAsO", seed=3), children(space(), "LaFeAsO", seed=4))


def test_fixed_elements_keep_their_share():
    found = children(space(fixed={"O": 0.25}), "LaFeAsO")
    oxygen = found[:, elements.element("O").index]
    assert len(found) > 500 and (4 * oxygen == found.sum(1)).all()


def test_ratios_are_kept_by_every_operation():
    tested = space("YBa2Cu3O7", ratios=({"Ba": 2, "Y": 1},))
    found = children(tested, "YBa2Cu3O7", "YBa2Cu4O8")
    ba, y = (found[:, elements.element(s).index] for s in ("Ba", "Y"))
    assert (ba == 2 * y).all() and 0 < (y > 0).mean() < 1


def test_units_are_restored():
    units = Units.of(space("YBa2Cu3O7", ratios=({"Ba": 2, "Y": 1},)))
    counts = cells("YBa2Cu3O7", "LaFeAsO")
    assert (units.counts(units.amounts(counts)) == counts).all()


def test_neighbours_of_one_exchange_are_all_reached():
    """LaFeAsO with each of its elements replaced by sulfur."""
    found = {row.tobytes() for row in children(space(), "LaFeAsO", count=20_000)}
    assert all(row.tobytes() in found for row in cells("SFeAsO", "LaSAsO", "LaFeSO", "LaFeAsS"))


def test_a_fractional_element_changes_by_hundredths():
    tested = space("BaFe2As2", settings=OptimiserSettings(fractional_elements=2, n_unit=(5, 5)))
    found = children(tested, "BaFe2As2", count=20_000)
    kept = found[tested.keeps(found)]
    assert (kept.sum(1) > 25).any()  # a cell larger than any allowed N: doped


def test_no_parents_no_children():
    assert len(children(space())) == 0


def test_shares_are_probabilities():
    assert abs(sum(SHARES.values()) - 1) < 1e-12
