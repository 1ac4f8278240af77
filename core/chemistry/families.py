"""Families of superconductors, told from the composition alone."""

from __future__ import annotations

import numpy as np

from core.chemistry import elements

CUPRATE, IRON_BASED, HYDRIDE, OTHER = FAMILIES = ("cuprate", "iron-based", "hydride", "other")
HYDROGEN_RICH = 0.4  # fraction of H from which a compound counts as a hydride: the floor of KIAGO's own search (3.6)


def families(compositions: np.ndarray) -> np.ndarray:
    """Compositions (n, 118) -> (n,) of FAMILIES; the first that fits.

    A cuprate has copper and oxygen; an iron-based superconductor has iron with P, As, S, Se or Te; in a hydride
    at least HYDROGEN_RICH of the atoms are hydrogen.
    """

    def fraction(symbol: str) -> np.ndarray:
        return compositions[:, elements.element(symbol).index]

    layer = sum(fraction(symbol) for symbol in ("P", "As", "S", "Se", "Te"))
    return np.select(
        [
            (fraction("Cu") > 0) & (fraction("O") > 0),
            (fraction("Fe") > 0) & (layer > 0),
            fraction("H") >= HYDROGEN_RICH,
        ],
        [CUPRATE, IRON_BASED, HYDRIDE],
        OTHER,
    )
