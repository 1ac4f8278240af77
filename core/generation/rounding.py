"""Rounding of compositions to formulas: choose N, round, divide by the gcd (KIAGO 2.6; GDMCD eq. 7 and below)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.chemistry.tolerances import ROUNDING_ERROR
from core.problem.problem import least_atoms

BATCH = 256  # compositions compared with all N together, which bounds the memory
HUNDREDTHS = 100  # fractional elements are rounded to 0.01 atoms per formula unit, the usual digits of doping levels


@dataclass(frozen=True)
class Rounded:
    """Integer formulas, or formulas in which exempt elements may be fractional, as in doping.

    counts : (n, 118) int64 atoms in lowest terms, of the formula unit or of the smallest cell in which the fractional
        elements have whole atoms too
    amounts : (n, 118) atoms per formula unit, as written: `counts`, or with fractions (Ba0.6K0.4Fe2As2)
    """

    counts: np.ndarray
    amounts: np.ndarray

    @property
    def compositions(self) -> np.ndarray:
        """Fractions (n, 118) of the integer formulas."""
        return self.counts / self.counts.sum(1, keepdims=True)

    def selected(self, rows: np.ndarray) -> Rounded:
        """The formulas in these rows, given by a mask or by indices."""
        return Rounded(self.counts[rows], self.amounts[rows])

    def with_counts(self, rows: np.ndarray, counts: np.ndarray) -> Rounded:
        """A copy with other integer formulas (m, 118), in lowest terms, in these rows (m,)."""
        new_counts, amounts = self.counts.copy(), self.amounts.copy()
        new_counts[rows], amounts[rows] = counts, counts
        return Rounded(new_counts, amounts)


def round_compositions(
    compositions: np.ndarray,
    fixed: np.ndarray,
    atom_counts: Sequence[int],
    floors: np.ndarray | None = None,
    exempt: int = 0,
    parts: np.ndarray | None = None,
) -> Rounded:
    """Round compositions: N* = argmin_N L_int^N, counts = x N* rounded to the total N*, divided by their gcd.

    compositions : (n, 118) fractions
    fixed : (118,) fixed fractions; whole atoms at every N of `atom_counts`
    atom_counts : the allowed N, ascending; the smallest one wins a tie
    floors : (118,) lower bounds of the fractions after rounding; none by default
    exempt : number of elements, those farthest from the grid, that stay fractional (GDMCD eq. 7): Ca0.92Sr1.08O2.
        Their sum is whole, as on a shared site. Formulas whose cell of whole atoms has at most the largest allowed N
        are written with whole atoms
    parts : (n, parts, 118) contribution of each free part to the composition. Several parts keep their own totals, and
        therefore the total charge of a substitution; the totals are whole atoms at every N of `atom_counts`

    The papers round each element separately. Here the total is kept by the largest-remainder method; both agree for
    compositions near the grid.

    Raises ValueError if `atom_counts` is empty.
    """
    sizes = np.asarray(atom_counts, dtype=np.int64)
    if sizes.size == 0:
        raise ValueError("no number of atoms is allowed")
    floors = np.zeros(compositions.shape[1]) if floors is None else floors
    chosen = _nearest_sizes(compositions, sizes, exempt)
    rules = _RoundingRules(fixed, floors, exempt, int(sizes[-1]))
    if parts is None or parts.shape[1] == 1:
        parts = np.where(fixed > 0, 0.0, compositions)[:, None]
    rounded = [_round_one(free, int(n), rules) for free, n in zip(parts, chosen, strict=True)]
    counts = np.array([cell for cell, _ in rounded], dtype=np.int64).reshape(compositions.shape)
    units = np.array([units for _, units in rounded])
    return Rounded(counts, counts / units[:, None])


def _nearest_sizes(compositions: np.ndarray, sizes: np.ndarray, exempt: int) -> np.ndarray:
    """N* (n,) of compositions (n, 118): the N with the lowest integer loss, the smallest one of a tie."""
    x, chosen = compositions[:, compositions.any(0)], []
    for start in range(0, len(x), BATCH):
        scaled = x[start : start + BATCH, None] * sizes[:, None]
        cost = np.abs(scaled - np.round(scaled)) / sizes[:, None]
        if exempt:
            cost = np.sort(cost, axis=2)[:, :, : max(cost.shape[2] - exempt, 0)]
        # Losses that agree to twelve digits are a tie: N = 8 contains all grid points of N = 4.
        chosen.append(sizes[np.argmin(np.round(cost.sum(2), 12), axis=1)])
    return np.concatenate(chosen) if chosen else sizes[:0]


@dataclass(frozen=True)
class _RoundingRules:
    """Parameters common to all compositions, see `round_compositions`. max_atoms : the largest allowed N."""

    fixed: np.ndarray
    floors: np.ndarray
    exempt: int
    max_atoms: int


def _round_one(parts: np.ndarray, n: int, rules: _RoundingRules) -> tuple[np.ndarray, float]:
    """Atoms (118,) in lowest terms for free parts (parts, 118) at N = n, and the number of formula units in them."""
    fixed = np.round(rules.fixed * n).astype(np.int64)
    if len(parts) > 1:
        zeros = np.zeros_like(fixed)
        counts = fixed + sum(round_to_total(part, round(part.sum() * n), zeros) for part in parts)
        return counts // np.gcd.reduce(counts), 1.0
    (free,) = parts
    hundredths = _round_doped(free, n, fixed, rules) if rules.exempt else None
    if hundredths is not None:
        divisor = np.gcd.reduce(hundredths)
        cell = hundredths // divisor
        return cell, (HUNDREDTHS / divisor if cell.sum() > rules.max_atoms else 1.0)
    lower = np.array([least_atoms(floor, n) for floor in rules.floors])
    counts = fixed + round_to_total(free, n - int(fixed.sum()), lower)
    return counts // np.gcd.reduce(counts), 1.0


def _round_doped(free: np.ndarray, n: int, fixed: np.ndarray, rules: _RoundingRules) -> np.ndarray | None:
    """Hundredths of atoms (118,) per formula unit, in which only the exempt elements are fractional.

    free : (118,) fractions without the fixed elements
    fixed : (118,) atoms of the fixed elements at N = n

    Returns None if the other elements leave no atom for the exempt ones.
    """
    doped = np.argsort(-np.abs(free * n - np.round(free * n)), kind="stable")[: rules.exempt]
    doped = doped[free[doped] > 0]
    lower = np.array([least_atoms(floor, n) for floor in rules.floors])
    whole = np.maximum(np.round(free * n).astype(np.int64), lower)
    whole[doped] = 0
    whole += fixed
    room = n - int(whole.sum())
    divisor = int(np.gcd.reduce([*whole, room]))
    lower = np.array([least_atoms(floor, HUNDREDTHS * n / divisor) for floor in rules.floors[doped]], dtype=np.int64)
    if len(doped) == 0 or room < 1 or lower.sum() > HUNDREDTHS * room // divisor:
        return None
    hundredths = whole * HUNDREDTHS // divisor
    hundredths[doped] = round_to_total(free[doped], HUNDREDTHS * room // divisor, lower)
    return hundredths


def round_to_total(ratios: np.ndarray, total: int, lower: np.ndarray) -> np.ndarray:
    """Round ratios (k,) to integers (k,) with this total and lower bounds (k,), by the largest-remainder method."""
    exact = ratios / ratios.sum() * total
    counts = np.maximum(np.floor(exact + ROUNDING_ERROR).astype(np.int64), lower)
    while counts.sum() < total:
        counts[np.argmax(np.where(exact > 0, exact - counts, -np.inf))] += 1
    while counts.sum() > total:  # the lower bounds raised the total
        counts[np.argmax(np.where(counts > lower, counts - exact, -np.inf))] -= 1
    return counts
