"""Local search on the integer grid: complete, without duplicates, and with the lowest loss."""

from itertools import product

import numpy as np
import pytest

from core.chemistry.composition import composition_vector, formula_of_counts
from core.generation.search.neutral_neighbors import Grid, Search, best_on_grid, grid_points

ZEROS, ONES = np.zeros(118), np.ones(118)
UNLIMITED = Search(exchanged=20, points=10**9)


def grid(sizes, fixed=ZEROS, lower=ZEROS, upper=ONES) -> Grid:
    return Grid(tuple(sizes), fixed, lower, upper)


def enumerated(x: np.ndarray, allowed: Grid, radius: float) -> dict[tuple[int, ...], float]:
    """Every formula within the radius and its distance, by enumeration of all atom counts."""
    present, found = np.flatnonzero(x), {}
    for n in allowed.atom_counts:
        for numbers in product(range(n + 1), repeat=len(present)):
            counts = np.zeros(118, dtype=np.int64)
            counts[present] = numbers
            fraction = counts / n
            inside = (fraction >= allowed.lower - 1e-9).all() and (fraction <= allowed.upper + 1e-9).all()
            keeps = np.allclose(fraction[allowed.fixed > 0], allowed.fixed[allowed.fixed > 0])
            distance = np.abs(fraction - x).sum() / 2
            if sum(numbers) == n and inside and keeps and distance <= radius:
                found.setdefault(tuple(counts // np.gcd.reduce(counts)), distance)
    return found


def listed(x: np.ndarray, allowed: Grid, radius: float) -> dict[tuple[int, ...], float]:
    points = grid_points(x[None], allowed, radius, UNLIMITED)
    rows = points.counts(np.arange(len(points.owner)), 118)
    assert len({tuple(row) for row in rows}) == len(rows)
    assert (np.diff(points.distance) >= -1e-12).all()
    return {tuple(row): d for row, d in zip(rows, points.distance, strict=True)}


def same(a: dict, b: dict) -> bool:
    return a.keys() == b.keys() and all(abs(a[key] - b[key]) < 1e-9 for key in a)


def test_two_elements_by_hand():
    # MgO0.5 has 2/3 Mg. N = 3 or 4, radius 0.3: Mg2O at 0, Mg3O at 1/12, MgO (2 of 4) at 1/6, but not Mg at 1/3.
    found = listed(composition_vector({"Mg": 2, "O": 1}), grid([3, 4]), 0.3)
    named = {formula_of_counts(np.array(counts)): distance for counts, distance in found.items()}
    assert named == pytest.approx({"Mg2O": 0, "Mg3O": 1 / 12, "MgO": 1 / 6})


@pytest.mark.parametrize("seed", range(12))
def test_every_formula_within_the_radius_is_listed_once(seed):
    random = np.random.default_rng(seed)
    x = np.zeros(118)
    x[random.choice(118, 4, replace=False)] = random.dirichlet(np.ones(4))
    allowed = grid(range(2, 9))
    expected = enumerated(x, allowed, 0.31)
    assert len(expected) > 20 and same(listed(x, allowed, 0.31), expected)


def test_fixed_fractions_and_bounds_hold():
    fixed, lower, upper = ZEROS.copy(), ZEROS.copy(), ONES.copy()
    x = composition_vector({"Fe": 0.25, "La": 0.35, "Sr": 0.1, "O": 0.3})
    fixed[25], lower[7], upper[56] = 0.25, 0.25, 0.375
    allowed = grid([4, 8], fixed, lower, upper)
    found = listed(x, allowed, 0.4)
    assert same(found, enumerated(x, allowed, 0.4))
    for counts in found:
        fraction = np.array(counts) / sum(counts)
        assert fraction[25] == 0.25 and fraction[7] >= 0.25 and fraction[56] <= 0.375


def test_a_batch_gives_the_points_of_each_composition_alone():
    random = np.random.default_rng(1)
    x = np.zeros((20, 118))
    for row in x:
        k = random.integers(1, 6)
        row[random.choice(118, k, replace=False)] = random.dirichlet(np.ones(k))
    together = grid_points(x, grid(range(1, 13)), 0.1, UNLIMITED)
    for i, row in enumerate(x):
        alone = grid_points(row[None], grid(range(1, 13)), 0.1, UNLIMITED)
        mine = together.counts(np.flatnonzero(together.owner == i), 118)
        assert {tuple(r) for r in mine} == {tuple(r) for r in alone.counts(np.arange(len(alone.owner)), 118)}


def test_the_reach_counts_the_formulas_within_it():
    # 2 atoms each of 3 elements: 3 * 2 ways to exchange one atom, 12 to exchange two.
    x = composition_vector({"La": 1, "Fe": 1, "O": 1})
    for exchanged, count in ((1, 7), (2, 19)):
        points = grid_points(x[None], grid([6]), 1.0, Search(exchanged=exchanged))
        assert len(points.owner) == count
    assert Search(exchanged=3, points=7 * 25).reach(3, 25) == 1
    assert Search(exchanged=3, points=19 * 25).reach(3, 25) == 2


def even_oxygen(counts: np.ndarray) -> np.ndarray:
    return counts[:, 7] % 2 == 0


def test_the_loss_selects_among_the_nearest_passing_points():
    x = composition_vector({"Mg": 5, "O": 5})[None]

    def magnesium_rich_loss(compositions):
        return -compositions[:, 11]

    # O must be even in lowest terms. N = 10: MgO and Mg4O fail; Mg3O2, one exchanged atom from MgO, passes.
    found = {}
    for choices in (1, 2):
        owner, counts = best_on_grid(
            x, grid([10]), even_oxygen, magnesium_rich_loss, Search(radii=(0.05, 0.3), choices=choices)
        )
        found[choices] = formula_of_counts(counts[0])
        assert owner.tolist() == [0]
    assert found[2] == "Mg3O2" and found[1] in ("Mg3O2", "Mg2O3")


def test_compositions_without_a_passing_point_are_omitted():
    x = np.stack([composition_vector({"Mg": 1, "O": 1}), composition_vector({"Mg": 2, "S": 1})])
    owner, counts = best_on_grid(x, grid([3]), lambda c: c[:, 15] > 0, lambda x: x[:, 0])
    assert owner.tolist() == [1] and formula_of_counts(counts[0]) == "Mg2S"
    owner, counts = best_on_grid(x, grid([3]), lambda c: c[:, 0] > 0, lambda x: x[:, 0])
    assert len(owner) == 0 and counts.shape == (0, 118)
