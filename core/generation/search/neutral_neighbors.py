"""The integer formulas around a composition, and the best that passes: proposals that are right by construction.

A grid point is an integer formula of N atoms, for any allowed N, that keeps what is fixed and has no element that the
composition does not have. Its distance is the fraction of all atoms that would have to be exchanged to get there, half
the sum of the |n/N - x|. Which points pass, and which of them is the best, is for the caller to say: nothing here knows
of charges or of predictors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import comb

import numpy as np

from core.chemistry.tolerances import WHOLE_ATOM

Passes = Callable[[np.ndarray], np.ndarray]  # counts (n, 118) int64 -> (n,) bool
Loss = Callable[[np.ndarray], np.ndarray]  # compositions (n, 118) -> (n,), the lower the better

BATCH = 16  # compositions whose neighbours are listed at once: bounds the memory
FIRST_BLOCK = 32  # of the points of a composition, so many are asked first whether they pass, then ever more


@dataclass(frozen=True)
class Grid:
    """The integer formulas that are allowed.

    atom_counts : the N, ascending
    kept : (118,) fractions that stay as they are; whole at every N
    least, most : (118,) fractions that the other elements must reach, and must not exceed
    """

    atom_counts: tuple[int, ...]
    kept: np.ndarray
    least: np.ndarray
    most: np.ndarray


@dataclass(frozen=True)
class Search:
    """How far to look, and how many points to compare.

    radii : distances, ascending; what finds nothing within one is searched again within the next
    exchanged : at most so many atoms are exchanged, so that large moves lead to small formula units
    points : fewer, where a composition would have more points than about this
    choices : so many of the nearest points that pass are compared by the loss
    """

    radii: tuple[float, ...] = (0.03, 0.06, 0.12, 0.24, 0.48)
    exchanged: int = 3
    points: int = 100_000
    choices: int = 8

    def reach(self, n_elements: int, n_sizes: int) -> int:
        """How many atoms may be exchanged among so many elements, for each of so many N."""
        points = np.cumsum([1, *(_exchanges(n_elements, m) for m in range(1, self.exchanged + 1))]) * n_sizes
        return max(int((points[1:] <= self.points).sum()), 1)


def _exchanges(k: int, m: int) -> int:
    """In how many ways m atoms of one formula become atoms of other elements, of k: a elements gain, b others lose."""
    ways = ((comb(k, a) * comb(m - 1, a - 1), a) for a in range(1, k))
    return sum(way * comb(k - a, b) * comb(m - 1, b - 1) for way, a in ways for b in range(1, k - a + 1))


@dataclass(frozen=True)
class GridPoints:
    """Integer formulas around compositions, reduced by their gcd, each once per composition, the nearest first.

    owner : (n,) number of the composition, ascending
    distance : (n,) fraction of the atoms that are exchanged
    column, count : (n, k) elements and their atoms; where a composition has fewer elements than others, columns without
        atoms fill the row
    """

    owner: np.ndarray
    distance: np.ndarray
    column: np.ndarray
    count: np.ndarray

    def counts(self, rows: np.ndarray, n_columns: int) -> np.ndarray:
        """Atoms (rows, n_columns) int64 of some of the points."""
        dense = np.zeros((len(rows), n_columns), dtype=np.int64)
        np.add.at(dense, (np.arange(len(rows))[:, None], self.column[rows]), self.count[rows])
        return dense


def best_on_grid(
    compositions: np.ndarray, grid: Grid, passes: Passes, loss: Loss, search: Search = Search()
) -> tuple[np.ndarray, np.ndarray]:
    """For each composition (n, 118) the best, by the loss, of the nearest grid points that pass.

    Returns owner (m,), the numbers of the compositions that found a point, ascending, and its reduced atom counts
    (m, 118) int64.
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
    order = np.lexsort((loss(counts / counts.sum(1, keepdims=True)), owner))  # stable: the nearer of two equal ones
    _, first = np.unique(owner[order], return_index=True)
    return owner[order][first], counts[order][first]


def _nearest_passing(points: GridPoints, passes: Passes, choices: int, n_columns: int) -> np.ndarray:
    """Rows of the `choices` nearest points of each composition that pass; asked in blocks, the nearest first."""
    passing = np.zeros(len(points.owner), dtype=bool)
    if not len(passing):
        return np.flatnonzero(passing)
    _, first, size = np.unique(points.owner, return_index=True, return_counts=True)
    rank = np.arange(len(passing)) - np.repeat(first, size)
    hungry = np.ones(len(first), dtype=bool)
    start, stop = 0, FIRST_BLOCK
    while len(rows := np.flatnonzero((rank >= start) & (rank < stop) & np.repeat(hungry, size))):
        passing[rows] = passes(points.counts(rows, n_columns))
        hungry = np.add.reduceat(passing, first, dtype=np.int64) < choices
        start, stop = stop, 4 * stop
    so_far = np.cumsum(passing)
    before = (so_far - passing)[first]
    return np.flatnonzero(passing & (so_far - np.repeat(before, size) <= choices))


def grid_points(compositions: np.ndarray, grid: Grid, radius: float, search: Search) -> GridPoints:
    """All points of the grid within `radius` of each composition (n, 118) and within the reach of the search."""
    sizes = np.asarray(grid.atom_counts, dtype=np.int64)
    kept = np.round(grid.kept * sizes[:, None]).astype(np.int64)  # (sizes, 118)
    sizes, kept = sizes[kept.sum(1) < sizes], kept[kept.sum(1) < sizes]
    column, ratio = _free_part(np.where(grid.kept > 0, 0.0, compositions))
    reach = np.array([search.reach(k, len(sizes)) for k in (ratio > 0).sum(1)])
    # One row for each composition and N.
    owner, size = (a.ravel() for a in np.meshgrid(np.arange(len(ratio)), np.arange(len(sizes)), indexing="ij"))
    atoms = sizes[size]
    target = ratio[owner] * (atoms - kept.sum(1)[size])[:, None]
    low = np.ceil(grid.least[column][owner] * atoms[:, None] - WHOLE_ATOM).astype(np.int64)
    high = np.floor(grid.most[column][owner] * atoms[:, None] + WHOLE_ATOM).astype(np.int64)
    row, count, cost = _fill(target, low, np.where(target > 0, high, 0), 2 * np.minimum(radius * atoms, reach[owner]))
    owner, size, atoms = owner[row], size[row], atoms[row]
    kept_at = np.flatnonzero(grid.kept)
    column = np.concatenate([column, np.broadcast_to(kept_at, (len(column), len(kept_at)))], axis=1)
    count = np.concatenate([count, kept[size][:, kept_at]], axis=1)
    distance, divisor = cost / (2 * atoms), np.gcd.reduce(count, axis=1)
    once = np.flatnonzero(_smallest_multiple(sizes)[atoms // divisor] == atoms)
    order = once[np.lexsort((atoms[once], np.round(distance[once], 12), owner[once]))]
    return GridPoints(owner[order], distance[order], column[owner[order]], count[order] // divisor[order][:, None])


def _free_part(free: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Columns (n, k) and ratios (n, k), summing to 1, of the elements present in (n, 118); ascending ratios."""
    k = max(int((free > 0).sum(1).max(initial=0)), 1)
    column = np.argsort(free, axis=1, kind="stable")[:, -k:]
    ratio = np.take_along_axis(free, column, 1)
    return column, ratio / ratio.sum(1, keepdims=True)


def _smallest_multiple(sizes: np.ndarray) -> np.ndarray:
    """For each n up to the largest size, the smallest size that is a multiple of n, or 0: (largest + 1,).

    The same formula at N, 2 N, ... is one point; it is counted at the smallest.
    """
    smallest = np.zeros(int(sizes.max(initial=0)) + 1, dtype=np.int64)
    for size in sorted(sizes, reverse=True):
        smallest[[n for n in range(1, size + 1) if size % n == 0]] = size
    return smallest


def _fill(
    target: np.ndarray, low: np.ndarray, high: np.ndarray, budget: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every way to replace a row of `target` (rows, k) by whole numbers of the same sum, at a cost within the budget.

    The cost is the sum of |n - target|; n is from `low` to `high`, both (rows, k). The columns are filled one after the
    other, for all rows at once, and what can keep neither the sum nor the budget is dropped on the way.
    Returns the row (m,), the numbers (m, k), the cost (m,).
    """
    n_rows, k = target.shape
    least = np.abs(target - np.round(target))
    rest = least[:, ::-1].cumsum(1)[:, ::-1] - least  # what the columns behind this one cost at least
    row, count = np.arange(n_rows), np.zeros((n_rows, 0), dtype=np.int64)
    cost, drift = np.zeros(n_rows), np.zeros(n_rows)  # sums of |n - target| and of n - target so far
    for j in range(k):
        here, reach = target[row, j], budget[row] / 2  # the sum is kept: nothing moves further than half of the budget
        if j == k - 1:
            here, reach = here - drift, 0.0  # what is left
        first = np.maximum(np.ceil(here - reach - WHOLE_ATOM).astype(np.int64), np.maximum(low[row, j], 0))
        last = np.minimum(np.floor(here + reach + WHOLE_ATOM).astype(np.int64), high[row, j])
        width = np.maximum(last - first + 1, 0)
        again = np.repeat(np.arange(len(row)), width)
        n = first[again] + np.arange(len(again)) - np.repeat(np.cumsum(width) - width, width)
        move = n - target[row[again], j]
        row, cost, drift = row[again], cost[again] + np.abs(move), drift[again] + move
        possible = cost + np.maximum(rest[row, j], np.abs(drift)) <= budget[row] + WHOLE_ATOM
        row, cost, drift = row[possible], cost[possible], drift[possible]
        count = np.concatenate([count[again[possible]], n[possible][:, None]], axis=1)
    return row, count, cost
