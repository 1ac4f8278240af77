"""Share of the atoms in which two compositions differ, and whether a composition is new.

d(x, y) = sum |x - y| / 2, the fraction of the atoms that must be exchanged to turn one composition into the other.
"""

from __future__ import annotations

import numpy as np

from core.chemistry import elements
from core.chemistry.composition import checked_compositions
from core.chemistry.tolerances import ROUNDING_ERROR

PROJECTIONS = 8  # weighted sums of the fractions; more of them leave fewer pairs to compare
BLOCK = 2048  # compositions at a time, which bounds the memory


def exchanged_share(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """d of compositions (..., 118) and (..., 118): (...,)."""
    return np.abs(one - other).sum(-1) / 2


class KnownCompositions:
    """Known compositions, prepared for finding those within a distance.

    For weights w from 0 to 1, |w x - w y| <= d(x, y). Only pairs whose projections w x are close are compared. Weights
    of 0 and 1 spread the projections most, and the projection with the largest spread leaves the fewest pairs.
    """

    def __init__(self, compositions: np.ndarray):
        """Index compositions (n, 118). Raises ValueError if a row is not a composition."""
        compositions = checked_compositions(compositions)
        weights = np.random.default_rng(0).integers(0, 2, (elements.N_ELEMENTS, PROJECTIONS)).astype(np.float64)
        self._weights = weights[:, np.argsort(-(compositions @ weights).std(0))]
        projections = compositions @ self._weights
        order = np.argsort(projections[:, 0], kind="stable")
        self._compositions, self._projections = compositions[order], projections[order]

    def any_within(self, compositions: np.ndarray, distance: float) -> np.ndarray:
        """Whether a known composition is nearer than `distance` to each of the compositions (n, 118): (n,) bool.

        A distance of 0 counts as nearer only for the same composition, within rounding.
        """
        limit = max(distance - ROUNDING_ERROR, ROUNDING_ERROR)
        found = np.zeros(len(compositions), dtype=bool)
        for start in range(0, len(compositions), BLOCK):
            part = slice(start, start + BLOCK)
            found[part] = self._block(compositions[part], limit)
        return found

    def _block(self, compositions: np.ndarray, limit: float) -> np.ndarray:
        here, reach = compositions @ self._weights, limit + ROUNDING_ERROR
        first = np.searchsorted(self._projections[:, 0], here[:, 0] - reach)
        last = np.searchsorted(self._projections[:, 0], here[:, 0] + reach, side="right")
        row = np.repeat(np.arange(len(here)), last - first)
        known = first[row] + np.arange(len(row)) - np.repeat(np.cumsum(last - first) - (last - first), last - first)
        for column in range(1, PROJECTIONS):
            close = np.abs(self._projections[known, column] - here[row, column]) <= reach
            row, known = row[close], known[close]
        near = exchanged_share(compositions[row], self._compositions[known]) < limit
        found = np.zeros(len(here), dtype=bool)
        found[row[near]] = True
        return found
