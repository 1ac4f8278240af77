"""Ratios -> integer formula: choose N, round, reduce by the gcd (KIAGO 2.6, GDMCD eq. 7 and below)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.problem import least_atoms


@dataclass(frozen=True)
class Rounded:
    """Integer formulas.

    counts : (n, 118) int64 atoms per reduced formula unit
    atoms : (n,) the N at which the composition lay nearest to the grid, before reduction
    """

    counts: np.ndarray
    atoms: np.ndarray

    @property
    def compositions(self) -> np.ndarray:
        """Fractions (n, 118) of the integer formulas."""
        return self.counts / self.counts.sum(1, keepdims=True)


def round_compositions(
    compositions: np.ndarray, fixed: np.ndarray, atom_counts: Sequence[int], floors: np.ndarray | None = None
) -> Rounded:
    """N* = argmin_N L_int^N, counts = x N* rounded to a total of N*, divided by their gcd.

    compositions : (n, 118) fractions
    fixed : (118,) fractions that are kept; at every N of `atom_counts` they are whole
    atom_counts : the allowed N, ascending; the smallest wins a tie
    floors : (118,) fractions that the whole atoms must reach too; none by default
    The papers round every element by itself; here the total is kept too, by rounding the free elements with the
    largest remainders up. Both agree wherever the integer loss has brought a composition near the grid.
    Raises ValueError for an empty list of N.
    """
    sizes = np.asarray(atom_counts, dtype=np.int64)
    if sizes.size == 0:
        raise ValueError("no number of atoms is allowed")
    present = compositions.any(0)
    scaled = compositions[:, None, present] * sizes[None, :, None]
    loss = (np.abs(scaled - np.round(scaled)) / sizes[None, :, None]).sum(2)
    # Equal to twelve digits is equal: N = 4 and N = 8 hit the same grid point, and 4 is the formula meant.
    chosen = sizes[np.argmin(np.round(loss, 12), axis=1)]
    counts = np.zeros(compositions.shape, dtype=np.int64)
    for row, (x, n) in enumerate(zip(compositions, chosen, strict=True)):
        kept = np.round(fixed * n).astype(np.int64)
        least = np.array([least_atoms(f, n) for f in floors]) if floors is not None else np.zeros_like(kept)
        counts[row] = kept + round_to_total(np.where(fixed > 0, 0.0, x), int(n - kept.sum()), least)
    return Rounded(counts // np.gcd.reduce(counts, axis=1, keepdims=True), chosen)


def round_to_total(ratios: np.ndarray, total: int, least: np.ndarray) -> np.ndarray:
    """Whole numbers (k,) in the given ratios (k,), none below `least` (k,), with this total; by largest remainder."""
    exact = ratios / ratios.sum() * total
    counts = np.maximum(np.floor(exact + 1e-9).astype(np.int64), least)
    while counts.sum() < total:
        counts[np.argmax(np.where(exact > 0, exact - counts, -np.inf))] += 1
    while counts.sum() > total:  # floors were reached at the cost of others
        counts[np.argmax(np.where(counts > least, counts - exact, -np.inf))] -= 1
    return counts
