"""Local search around formulas: every exchange, addition and removal of a few atoms, the promising ones first.

Two orders are used in turn: that of the predicted change of the objective, from its gradient, less a loss for every
exchanged atom; and that of the number of exchanged atoms alone. The gradient is taken where each element that may enter
has a trace, because at an amount of exactly 0 it tells little about a finite amount.
"""

from __future__ import annotations

import numpy as np
import torch

from core.generation.search.formula_space import in_lowest_terms
from core.generation.search.operators import Operators
from core.generation.search.scoring import Scorer

TRACE = 0.01  # share of the atoms, divided among the free elements, where the gradient is taken
LOSS = 5.0  # loss of the objective, in units of the objective, for the exchange of all atoms
MULTIPLES = 3  # a formula is changed in its smallest cell and in up to this multiple of it
WHOLE_STEPS = (1, 2)
HUNDREDTH_STEPS = (5, 20, 50, 100)
TESTED = 3  # neighbours that are tested for each one that is kept: many are charged


def neighbours(
    operators: Operators,
    scorer: Scorer,
    counts: np.ndarray,
    score: np.ndarray,
    passes: np.ndarray,
    each: int,
    use_gradient: bool = True,
) -> np.ndarray:
    """About `each` promising neighbours (m, 118) of every formula (n, 118) with scores (n,), untested, distinct.

    passes : (n,) how often the neighbours of a formula were taken before; those that follow by promise are taken now
    """
    gradients = gradient(scorer, operators, counts) if use_gradient else np.zeros(counts.shape)
    found = [counts[:0]]
    for row, of_row, height, before in zip(counts, gradients, score, passes, strict=True):
        found.append(_neighbours(operators, row, of_row, abs(float(height)), TESTED * each, int(before)))
    return in_lowest_terms(np.concatenate(found))


def gradient(scorer: Scorer, operators: Operators, counts: np.ndarray) -> np.ndarray:
    """Gradient (n, 118) in K of the objective at formulas (n, 118) with a trace of every free element; finite."""
    free = operators.space.free / operators.space.free.sum()
    formulas = counts / counts.sum(1, keepdims=True)
    x = (1 - TRACE) * formulas + TRACE * free
    found = scorer.gradient(torch.from_numpy(x).float(), formulas)
    return np.nan_to_num(found, nan=0.0, posinf=0.0, neginf=0.0)


def _neighbours(
    operators: Operators, row: np.ndarray, slope: np.ndarray, height: float, most: int, before: int
) -> np.ndarray:
    """The next `most` promising neighbours (m, 118) of one formula (118,) after `before` times as many.

    Half of them are taken by each order.
    """
    space, units = operators.space, operators.units
    steps = WHOLE_STEPS if space.scale == 1 else HUNDREDTH_STEPS
    atoms, found = int(row.sum()), []
    weight, of_unit, level = units.parts.sum(1), units.parts @ slope, float(row @ slope) / atoms
    for multiple in range(1, MULTIPLES + 1):
        n = multiple * atoms * space.scale if space.scale == 1 else _cell_atoms(operators, row) * multiple
        if n > space.atom_counts[-1] * space.scale or n % atoms:
            continue
        amounts = units.amounts(row[None])[0] * (n // atoms)
        lost, gained, less, more = _moves(amounts, steps, operators.fixed_total)
        total = n - less * weight[lost] + more * weight[gained]
        change = more * of_unit[gained] - less * of_unit[lost] - (total - n) * level
        share = np.maximum(np.abs(less) * weight[lost], np.abs(more) * weight[gained]) / total
        found.append((lost, gained, less, more, change / total, share, np.full(len(lost), n // atoms)))
    if not found:
        return np.zeros((0, len(row)), dtype=np.int64)
    lost, gained, less, more, change, share, factor = (np.concatenate(column) for column in zip(*found, strict=True))
    orders = (np.argsort(-(change - LOSS * height * share), kind="stable"), np.argsort(share, kind="stable"))
    half = most // 2
    chosen = np.unique(np.concatenate([order[before * half : (before + 1) * half] for order in orders]))
    rows = np.arange(len(chosen))
    amounts = units.amounts(row[None]) * factor[chosen][:, None]
    amounts[rows, lost[chosen]] -= less[chosen]
    amounts[rows, gained[chosen]] += more[chosen]
    fixed = np.where(space.free, 0, row) * factor[chosen][:, None]
    return units.counts(amounts) + fixed


def _cell_atoms(operators: Operators, row: np.ndarray) -> int:
    """Hundredths of atoms in the formula unit of a formula (118,) with fractional elements."""
    return int(operators.space.formula_units(row[None])[0]) * operators.space.scale


def _moves(amounts: np.ndarray, steps: tuple[int, ...], fixed_total: bool) -> tuple[np.ndarray, ...]:
    """Units that lose and gain, and by how much, each (m,): exchanges, additions, removals, and those of a pair.

    A pair that is added gains in both units, so that the first one loses a negative amount; one that is removed loses.
    """
    present, every = np.flatnonzero(amounts), np.arange(len(amounts))
    lost, gained, step = (a.ravel() for a in np.meshgrid(present, every, [*steps, 0], indexing="ij"))
    step = np.where(step == 0, amounts[lost], step)  # 0: all of it
    possible = (step <= amounts[lost]) & (lost != gained)
    moves: list[tuple[np.ndarray, ...]] = [(lost[possible], gained[possible], step[possible], step[possible])]
    if not fixed_total:
        unit, step = (a.ravel() for a in np.meshgrid(every, steps, indexing="ij"))
        nothing = np.zeros_like(unit)
        moves.append((unit, unit, nothing, step))
        unit, step = (a.ravel() for a in np.meshgrid(present, [*steps, 0], indexing="ij"))
        step = np.where(step == 0, amounts[unit], step)
        possible = (step <= amounts[unit]) & (step < amounts.sum())
        unit, step = unit[possible], step[possible]
        moves.append((unit, unit, step, np.zeros_like(unit)))
        moves += _pairs(amounts, present, steps)
    return tuple(np.concatenate(column) for column in zip(*moves, strict=True))


def _pairs(amounts: np.ndarray, present: np.ndarray, steps: tuple[int, ...]) -> list[tuple[np.ndarray, ...]]:
    """Two units that are there, both more or both less, as Cu and O: one of them alone would leave a charge."""
    first, second, a, b = (axis.ravel() for axis in np.meshgrid(present, present, steps, steps, indexing="ij"))
    distinct = first < second
    first, second, a, b = first[distinct], second[distinct], a[distinct], b[distinct]
    possible = (a <= amounts[first]) & (b <= amounts[second]) & (a + b < amounts.sum())
    return [(first, second, -a, b), (first[possible], second[possible], a[possible], -b[possible])]
