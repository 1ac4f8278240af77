"""Ratios -> formula: choose N, round, reduce by the gcd (KIAGO 2.6, GDMCD eq. 7 and below)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.chemistry.tolerances import ROUNDING_ERROR
from core.problem.problem import least_atoms

AT_ONCE = 256  # compositions that are held to every N at once, to bound the memory
HUNDREDTHS = 100  # exempt elements are rounded to 0.01 atoms per formula unit, as doping levels are written


@dataclass(frozen=True)
class Rounded:
    """Formulas of whole atoms; with exempt elements of whole atoms but for these, which are doped in.

    counts : (n, 118) int64 whole atoms in lowest terms: of the formula unit, or of the smallest cell that makes the
        doped elements whole too
    amounts : (n, 118) atoms per formula unit, as the formula is written: `counts`, or fractions (Ba0.6K0.4Fe2As2)
    """

    counts: np.ndarray
    amounts: np.ndarray

    @property
    def compositions(self) -> np.ndarray:
        """Fractions (n, 118) of the integer formulas."""
        return self.counts / self.counts.sum(1, keepdims=True)

    def exchanged(self, rows: np.ndarray, counts: np.ndarray) -> Rounded:
        """The same with other whole atoms (m, 118), in lowest terms, in these rows (m,)."""
        every, amounts = self.counts.copy(), self.amounts.copy()
        every[rows], amounts[rows] = counts, counts
        return Rounded(every, amounts)


def round_compositions(
    compositions: np.ndarray,
    fixed: np.ndarray,
    atom_counts: Sequence[int],
    floors: np.ndarray | None = None,
    exempt: int = 0,
    parts: np.ndarray | None = None,
) -> Rounded:
    """N* = argmin_N L_int^N, counts = x N* rounded to a total of N*, divided by their gcd.

    compositions : (n, 118) fractions
    fixed : (118,) fractions that are kept; at every N of `atom_counts` they are whole
    atom_counts : the allowed N, ascending; the smallest wins a tie
    floors : (118,) fractions that the whole atoms must reach too; none by default
    exempt : so many elements, the farthest from the grid, stay fractional (GDMCD eq. 7): Ca0.92Sr1.08O2. Together they
        are whole, as sites are. What fits into an allowed N as whole atoms is written with whole atoms
    parts : (n, parts, 118) what each free part adds to the composition. Several of them keep their own totals, so that
        what is substituted keeps its charge; at every N of `atom_counts` these are whole
    The papers round every element by itself; here the total is kept too, by rounding the free elements with the
    largest remainders up. Both agree wherever the integer loss has brought a composition near the grid.
    Raises ValueError for an empty list of N.
    """
    sizes = np.asarray(atom_counts, dtype=np.int64)
    if sizes.size == 0:
        raise ValueError("no number of atoms is allowed")
    floors = np.zeros(compositions.shape[1]) if floors is None else floors
    chosen = _nearest_sizes(compositions, sizes, exempt)
    limits = _Limits(fixed, floors, exempt, int(sizes[-1]))
    if parts is None or parts.shape[1] == 1:
        parts = np.where(fixed > 0, 0.0, compositions)[:, None]
    rounded = [_round_one(free, int(n), limits) for free, n in zip(parts, chosen, strict=True)]
    counts = np.array([cell for cell, _ in rounded], dtype=np.int64).reshape(compositions.shape)
    units = np.array([units for _, units in rounded])
    return Rounded(counts, counts / units[:, None])


def _nearest_sizes(compositions: np.ndarray, sizes: np.ndarray, exempt: int) -> np.ndarray:
    """N* (n,) of compositions (n, 118): where the integer loss is least, the smallest of those that are equal."""
    x, chosen = compositions[:, compositions.any(0)], []
    for start in range(0, len(x), AT_ONCE):
        scaled = x[start : start + AT_ONCE, None] * sizes[:, None]
        cost = np.abs(scaled - np.round(scaled)) / sizes[:, None]
        if exempt:
            cost = np.sort(cost, axis=2)[:, :, : max(cost.shape[2] - exempt, 0)]
        # Equal to twelve digits is equal: N = 4 and N = 8 hit the same grid point, and 4 is the formula meant.
        chosen.append(sizes[np.argmin(np.round(cost.sum(2), 12), axis=1)])
    return np.concatenate(chosen) if chosen else sizes[:0]


@dataclass(frozen=True)
class _Limits:
    """What holds for every composition; see `round_compositions`. largest : of the allowed N."""

    fixed: np.ndarray
    floors: np.ndarray
    exempt: int
    largest: int


def _round_one(parts: np.ndarray, n: int, limits: _Limits) -> tuple[np.ndarray, float]:
    """Whole atoms (118,) in lowest terms of free parts (parts, 118), and how many formula units they are."""
    kept = np.round(limits.fixed * n).astype(np.int64)
    if len(parts) > 1:
        nothing = np.zeros_like(kept)
        counts = kept + sum(round_to_total(part, round(part.sum() * n), nothing) for part in parts)
        return counts // np.gcd.reduce(counts), 1.0
    (free,) = parts
    hundredths = _round_doped(free, n, kept, limits) if limits.exempt else None
    if hundredths is not None:
        divisor = np.gcd.reduce(hundredths)
        cell = hundredths // divisor
        return cell, (HUNDREDTHS / divisor if cell.sum() > limits.largest else 1.0)
    least = np.array([least_atoms(floor, n) for floor in limits.floors])
    counts = kept + round_to_total(free, n - int(kept.sum()), least)
    return counts // np.gcd.reduce(counts), 1.0


def _round_doped(free: np.ndarray, n: int, kept: np.ndarray, limits: _Limits) -> np.ndarray | None:
    """Hundredths of atoms (118,) per formula unit, whole atoms but for the exempt elements; None if the others leave
    nothing for these.

    free : (118,) fractions without the fixed part; kept : (118,) atoms of it
    """
    doped = np.argsort(-np.abs(free * n - np.round(free * n)), kind="stable")[: limits.exempt]
    doped = doped[free[doped] > 0]
    least = np.array([least_atoms(floor, n) for floor in limits.floors])
    whole = np.maximum(np.round(free * n).astype(np.int64), least)
    whole[doped] = 0
    whole += kept
    room = n - int(whole.sum())
    divisor = int(np.gcd.reduce([*whole, room]))
    least = np.array([least_atoms(floor, HUNDREDTHS * n / divisor) for floor in limits.floors[doped]], dtype=np.int64)
    if len(doped) == 0 or room < 1 or least.sum() > HUNDREDTHS * room // divisor:
        return None
    hundredths = whole * HUNDREDTHS // divisor
    hundredths[doped] = round_to_total(free[doped], HUNDREDTHS * room // divisor, least)
    return hundredths


def round_to_total(ratios: np.ndarray, total: int, least: np.ndarray) -> np.ndarray:
    """Whole numbers (k,) in the given ratios (k,), none below `least` (k,), with this total; by largest remainder."""
    exact = ratios / ratios.sum() * total
    counts = np.maximum(np.floor(exact + ROUNDING_ERROR).astype(np.int64), least)
    while counts.sum() < total:
        counts[np.argmax(np.where(exact > 0, exact - counts, -np.inf))] += 1
    while counts.sum() > total:  # floors were reached at the cost of others
        counts[np.argmax(np.where(counts > least, counts - exact, -np.inf))] -= 1
    return counts
