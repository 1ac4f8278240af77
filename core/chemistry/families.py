"""Families of superconductors, determined from the composition alone."""

from __future__ import annotations

import numpy as np

from core.chemistry import elements
from core.chemistry.tolerances import ROUNDING_ERROR

CUPRATE, IRON_BASED, HYDRIDE, OTHER = FAMILIES = ("cuprate", "iron-based", "hydride", "other")
HYDROGEN_RICH = 0.4  # smallest fraction of H in a hydride: the hydrogen floor of KIAGO's search (3.6)
DEFINING: dict[str, tuple[tuple[str, ...], ...]] = {  # family -> sets of elements; each must have a part of the atoms
    CUPRATE: (("Cu",), ("O",)),
    IRON_BASED: (("Fe",), ("P", "As", "S", "Se", "Te")),
    HYDRIDE: (("H",),),
    OTHER: (),
}


def families(compositions: np.ndarray) -> np.ndarray:
    """The family (n,) of compositions (n, 118): the first of FAMILIES whose definition applies.

    A cuprate has copper and oxygen; an iron-based superconductor has iron with P, As, S, Se or Te; in a hydride
    at least HYDROGEN_RICH of the atoms are hydrogen.
    """

    def fraction(symbols: tuple[str, ...]) -> np.ndarray:
        return compositions[:, [elements.element(symbol).index for symbol in symbols]].sum(1)

    def has_each(family: str) -> np.ndarray:
        return np.all([fraction(part) > 0 for part in DEFINING[family]], axis=0)

    conditions = [has_each(CUPRATE), has_each(IRON_BASED), fraction(("H",)) >= HYDROGEN_RICH]
    return np.select(conditions, [CUPRATE, IRON_BASED, HYDRIDE], OTHER)


def hydrogen_rich(compositions: np.ndarray) -> np.ndarray:
    """Whether compositions (n, 118) have at least HYDROGEN_RICH hydrogen: (n,) bool.

    Reported Tc values of these compounds were mostly measured under very high pressure.
    """
    return compositions[:, elements.element("H").index] >= HYDROGEN_RICH - ROUNDING_ERROR
