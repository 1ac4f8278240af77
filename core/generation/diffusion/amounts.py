"""Amounts per formula unit of the elements H to Cm, the vector on which SuperDiff works: not normalised."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from core.chemistry import elements
from core.generation.diffusion.network import N_POSITIONS


def amount_vector(amounts: Mapping[str, float]) -> np.ndarray:
    """Amounts -> atoms per formula unit (96,), float64. Raises KeyError for an unknown element or one beyond Cm."""
    vector = np.zeros(N_POSITIONS)
    for symbol, amount in amounts.items():
        column = elements.element(symbol).index
        if column >= N_POSITIONS:
            raise KeyError(symbol)
        vector[column] += amount
    return vector
