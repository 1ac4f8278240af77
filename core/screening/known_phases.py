"""Whether a composition is that of a known compound: one of the reference phases."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from core.chemistry.composition import checked_compositions
from core.chemistry.tolerances import KNOWN_COMPOSITION, ROUNDING_ERROR

_LIMIT = KNOWN_COMPOSITION + ROUNDING_ERROR


class KnownPhases:
    """Reference phases, indexed by the elements of which they have more than the tolerance."""

    def __init__(self, compositions: np.ndarray, formulas: Sequence[str]):
        """Index compositions (n, 118) with rows that sum to 1, and n formulas. Raises ValueError if they disagree."""
        compositions = checked_compositions(compositions)
        if len(formulas) != len(compositions):
            raise ValueError(f"{len(formulas)} formulas for {len(compositions)} compositions")
        self._compositions, self._formulas = compositions, list(formulas)
        self._rows: dict[bytes, list[int]] = {}
        for row, key in enumerate(_keys(compositions > _LIMIT)):
            self._rows.setdefault(key, []).append(row)

    def __len__(self) -> int:
        """Number of phases."""
        return len(self._formulas)

    def same_as(self, compositions: np.ndarray) -> list[str]:
        """For each of compositions (n, 118) the phase that agrees in every fraction within KNOWN_COMPOSITION.

        Of several phases the closest, then the first; "" if there is none. Raises ValueError unless the fractions
        are >= 0 with sum 1.
        """
        return [self._same_as(x) for x in checked_compositions(compositions)]

    def _same_as(self, x: np.ndarray) -> str:
        rows = [row for key in _possible_keys(x) for row in self._rows.get(key, ())]
        if not rows:
            return ""
        largest = np.abs(self._compositions[rows] - x).max(1)
        place = min(range(len(rows)), key=lambda i: (round(float(largest[i]), 9), rows[i]))
        return self._formulas[rows[place]] if largest[place] <= _LIMIT else ""


def _possible_keys(x: np.ndarray) -> list[bytes]:
    """Keys of all phases that may agree with x (118,).

    Where x is above twice the tolerance, such a phase is above the tolerance; where x is 0, it is not; in between it
    may be either.
    """
    sure, doubtful = x > 2 * _LIMIT, np.flatnonzero((x > 0) & (x <= 2 * _LIMIT))
    keys = []
    for chosen in itertools.product((False, True), repeat=len(doubtful)):
        mask = sure.copy()
        mask[doubtful[list(chosen)]] = True
        keys += _keys(mask[None])
    return keys


def _keys(masks: np.ndarray) -> list[bytes]:
    """Sets of elements (n, 118) bool as bytes."""
    return [row.tobytes() for row in np.packbits(masks, axis=1)]
