"""Families of superconductors, determined from the composition alone."""

from __future__ import annotations

import numpy as np

from core.chemistry import elements
from core.chemistry.tolerances import ROUNDING_ERROR

CUPRATE, IRON_BASED, HYDRIDE, OTHER = FAMILIES = ("cuprate", "iron-based", "hydride", "other")
HYDROGEN_RICH = 0.4  # smallest fraction of H in a hydride: the hydrogen floor of KIAGO's search (3.6)


def families(compositions: np.ndarray) -> np.ndarray:
    """The family (n,) of compositions (n, 118): the first of FAMILIES whose definition applies.

    A cuprate has copper and oxygen; an iron-based superconductor has iron with P, As, S, Se or Te; in a hydride
    at least HYDROGEN_RICH of the atoms are hydrogen.
    """

    def fraction(symbol: str) -> np.ndarray:
        return compositions[:, elements.element(symbol).index]

    pnictogen_or_chalcogen = sum(fraction(symbol) for symbol in ("P", "As", "S", "Se", "Te"))
    return np.select(
        [
            (fraction("Cu") > 0) & (fraction("O") > 0),
            (fraction("Fe") > 0) & (pnictogen_or_chalcogen > 0),
            fraction("H") >= HYDROGEN_RICH,
        ],
        [CUPRATE, IRON_BASED, HYDRIDE],
        OTHER,
    )


def hydrogen_rich(compositions: np.ndarray) -> np.ndarray:
    """Whether compositions (n, 118) have at least HYDROGEN_RICH hydrogen: (n,) bool.

    Reported Tc values of these compounds were mostly measured under very high pressure.
    """
    return compositions[:, elements.element("H").index] >= HYDROGEN_RICH - ROUNDING_ERROR
