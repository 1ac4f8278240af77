"""Local search on the integer grid: the best integer formula near a composition that passes a test.

A grid point is an integer formula of N atoms, for any allowed N, with the fixed fractions and without elements that are
absent from the composition. Its distance to the composition x is the fraction of exchanged atoms, half the sum of
|n/N - x|. The caller supplies the test and the loss; this module depends neither on charges nor on predictors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import comb

import numpy as np

from core.chemistry.tolerances import WHOLE_ATOM

Passes = Callable[[np.ndarray], np.ndarray]  # counts (n, 118) int64 -> (n,) bool
Loss = Callable[[np.ndarray], np.ndarray]  # compositions (n, 118) -> (n,), lower is better

BATCH = 16  # compositions whose neighbours are listed together, which bounds the memory
FIRST_BLOCK = 32  # points of each composition tested in the first block; each further block is larger


@dataclass(frozen=True)
class Grid:
    """The allowed integer formulas.

    atom_counts : the allowed N, ascending
    fixed : (118,) fixed fractions, 0 for free elements; whole atoms at every N
    lower, upper : (118,) bounds of the fractions of the free elements
    """

    atom_counts: tuple[int, ...]
    fixed: np.ndarray
    lower: np.ndarray
    upper: np.ndarray


@dataclass(frozen=True)
class Search:
    """Extent of the search.

    radii : distances, ascending; the next radius is used for compositions without a passing point within the last
    exchanged : largest number of exchanged atoms; as a result only small formula units are far from the composition
    points : approximate largest number of points of a composition; reduces `exchanged` if necessary
    choices : number of nearest passing points that are compared by the loss
    """

    radii: tuple[float, ...] = (0.03, 0.06, 0.12, 0.24, 0.48)
    exchanged: int = 3
    points: int = 100_000
    choices: int = 8

    def reach(self, n_elements: int, n_sizes: int) -> int:
        """Largest number of exchanged atoms for this number of elements and of allowed N."""
        points = np.cumsum([1, *(_exchanges(n_elements, m) for m in range(1, self.exchanged + 1))]) * n_sizes
        return max(int((points[1:] <= self.points).sum()), 1)


def _exchanges(k: int, m: int) -> int:
    """Number of ways to exchange m atoms among k elements: a elements gain atoms and b others lose them."""
    ways = ((comb(k, a) * comb(m - 1, a - 1), a) for a in range(1, k))
    return sum(way * comb(k - a, b) * comb(m - 1, b - 1) for way, a in ways for b in range(1, k - a + 1))


@dataclass(frozen=True)
class GridPoints:
    """Distinct integer formulas near compositions in lowest terms, ordered by composition and distance.

    owner : (n,) index of the composition, ascending
    distance : (n,) fraction of exchanged atoms
    column, count : (n, k) elements and their atoms, padded with columns of 0 atoms
    """

    owner: np.ndarray
    distance: np.ndarray
    column: np.ndarray
    count: np.ndarray

    def counts(self, rows: np.ndarray, n_columns: int) -> np.ndarray:
        """Atom counts (rows, n_columns) int64 of selected points."""
        dense = np.zeros((len(rows), n_columns), dtype=np.int64)
        np.add.at(dense, (np.arange(len(rows))[:, None], self.column[rows]), self.count[rows])
        return dense


def best_on_grid(
    compositions: np.ndarray, grid: Grid, passes: Passes, loss: Loss, search: Search = Search()
) -> tuple[np.ndarray, np.ndarray]:
    """For each composition (n, 118) the grid point with the lowest loss among the nearest ones that pass.

    Returns owner (m,), the ascending indices of the compositions with such a point, and the atom counts of the points
    in lowest terms, (m, 118) int64.
    """
    n_columns = compositions.shape[1]
    owners, rows = [np.zeros(0, dtype=np.int64)], [np.zeros((0, n_columns), dtype=np.int64)]
    for radius in search.radii:
        left = np.setdiff1d(np.arange(len(compositions)), np.concatenate(owners))
        for start in range(0, len(left), BATCH):
            part = left[start : start + BATCH]
            points = grid_points(compositions[part], grid, radius, search)
            chosen = _nearest_passing(points, passes, search.choices, n_columns)
            owners.append(part[points.owner[chosen]])
            rows.append(points.counts(chosen, n_columns))
    owner, counts = np.concatenate(owners), np.concatenate(rows)
    if not len(owner):
        return owner, counts
    order = np.lexsort(
        (loss(counts / counts.sum(1, keepdims=True)), owner)
    )  # stable: the nearer of two equal points first
    _, first = np.unique(owner[order], return_index=True)
    return owner[order][first], counts[order][first]


def _nearest_passing(points: GridPoints, passes: Passes, choices: int, n_columns: int) -> np.ndarray:
    """Indices of the `choices` nearest passing points of each composition; tested in blocks, the nearest first."""
    passing = np.zeros(len(points.owner), dtype=bool)
    if not len(passing):
        return np.flatnonzero(passing)
    _, first, size = np.unique(points.owner, return_index=True, return_counts=True)
    rank = np.arange(len(passing)) - np.repeat(first, size)
    unfinished = np.ones(len(first), dtype=bool)
    start, stop = 0, FIRST_BLOCK
    while len(rows := np.flatnonzero((rank >= start) & (rank < stop) & np.repeat(unfinished, size))):
        passing[rows] = passes(points.counts(rows, n_columns))
        unfinished = np.add.reduceat(passing, first, dtype=np.int64) < choices
        start, stop = stop, 4 * stop
    so_far = np.cumsum(passing)
    before = (so_far - passing)[first]
    return np.flatnonzero(passing & (so_far - np.repeat(before, size) <= choices))


def grid_points(compositions: np.ndarray, grid: Grid, radius: float, search: Search) -> GridPoints:
    """All grid points within `radius` and within the extent of the search of each composition (n, 118)."""
    sizes = np.asarray(grid.atom_counts, dtype=np.int64)
    fixed = np.round(grid.fixed * sizes[:, None]).astype(np.int64)  # (sizes, 118)
    sizes, fixed = sizes[fixed.sum(1) < sizes], fixed[fixed.sum(1) < sizes]
    column, ratio = _free_part(np.where(grid.fixed > 0, 0.0, compositions))
    reach = np.array([search.reach(k, len(sizes)) for k in (ratio > 0).sum(1)])
    # One row for each composition and N.
    owner, size = (a.ravel() for a in np.meshgrid(np.arange(len(ratio)), np.arange(len(sizes)), indexing="ij"))
    atoms = sizes[size]
    target = ratio[owner] * (atoms - fixed.sum(1)[size])[:, None]
    low = np.ceil(grid.lower[column][owner] * atoms[:, None] - WHOLE_ATOM).astype(np.int64)
    high = np.floor(grid.upper[column][owner] * atoms[:, None] + WHOLE_ATOM).astype(np.int64)
    budget = 2 * np.minimum(radius * atoms, reach[owner])
    row, count, cost = _roundings(target, low, np.where(target > 0, high, 0), budget)
    owner, size, atoms = owner[row], size[row], atoms[row]
    fixed_at = np.flatnonzero(grid.fixed)
    column = np.concatenate([column, np.broadcast_to(fixed_at, (len(column), len(fixed_at)))], axis=1)
    count = np.concatenate([count, fixed[size][:, fixed_at]], axis=1)
    distance, divisor = cost / (2 * atoms), np.gcd.reduce(count, axis=1)
    once = np.flatnonzero(_smallest_multiple(sizes)[atoms // divisor] == atoms)
    order = once[np.lexsort((atoms[once], np.round(distance[once], 12), owner[once]))]
    return GridPoints(owner[order], distance[order], column[owner[order]], count[order] // divisor[order][:, None])


def _free_part(free: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Columns (n, k) and ratios (n, k) of the elements present in (n, 118); ratios ascend and sum to 1."""
    k = max(int((free > 0).sum(1).max(initial=0)), 1)
    column = np.argsort(free, axis=1, kind="stable")[:, -k:]
    ratio = np.take_along_axis(free, column, 1)
    return column, ratio / ratio.sum(1, keepdims=True)


def _smallest_multiple(sizes: np.ndarray) -> np.ndarray:
    """For each n up to the largest size, the smallest size that is a multiple of n, or 0: (largest size + 1,).

    A formula at N, 2N, ... is a single point, listed at the smallest of these sizes.
    """
    smallest = np.zeros(int(sizes.max(initial=0)) + 1, dtype=np.int64)
    for size in sorted(sizes, reverse=True):
        smallest[[n for n in range(1, size + 1) if size % n == 0]] = size
    return smallest


def _roundings(
    target: np.ndarray, low: np.ndarray, high: np.ndarray, budget: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All integers n (m, k) with the sum of a row of `target` (rows, k) and a cost within the budget (rows,).

    The cost is the sum of |n - target|; n lies between `low` and `high`, both (rows, k). Branch and bound: columns are
    enumerated one after the other for all rows, and partial rows that cannot keep the sum or the budget are pruned.

    Returns the row of each solution (m,), n (m, k), and the cost (m,).
    """
    n_rows, k = target.shape
    min_cost = np.abs(target - np.round(target))
    rest = min_cost[:, ::-1].cumsum(1)[:, ::-1] - min_cost  # lower bound of the cost of the remaining columns
    row, count = np.arange(n_rows), np.zeros((n_rows, 0), dtype=np.int64)
    cost, drift = np.zeros(n_rows), np.zeros(n_rows)  # sums of |n - target| and of n - target so far
    for j in range(k):
        center, reach = target[row, j], budget[row] / 2  # with a constant sum, no column changes by more
        if j == k - 1:
            center, reach = center - drift, 0.0  # the last column follows from the sum
        first = np.maximum(np.ceil(center - reach - WHOLE_ATOM).astype(np.int64), np.maximum(low[row, j], 0))
        last = np.minimum(np.floor(center + reach + WHOLE_ATOM).astype(np.int64), high[row, j])
        width = np.maximum(last - first + 1, 0)
        again = np.repeat(np.arange(len(row)), width)
        n = first[again] + np.arange(len(again)) - np.repeat(np.cumsum(width) - width, width)
        move = n - target[row[again], j]
        row, cost, drift = row[again], cost[again] + np.abs(move), drift[again] + move
        possible = cost + np.maximum(rest[row, j], np.abs(drift)) <= budget[row] + WHOLE_ATOM
        row, cost, drift = row[possible], cost[possible], drift[possible]
        count = np.concatenate([count[again[possible]], n[possible][:, None]], axis=1)
    return row, count, cost
