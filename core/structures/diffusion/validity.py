"""Whether a generated crystal is valid, by the definitions of CDVAE (arXiv:2110.06197) that DiffCSP uses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.chemistry import elements
from core.chemistry.structure import Structure
from core.screening.charge_neutrality import charge_balance

LEAST_DISTANCE_A, LEAST_VOLUME_A3 = 0.5, 0.1


def structurally_valid(structure: Structure | None) -> bool:
    """Whether no two atoms, images included, are within 0.5 Å, and the cell has at least 0.1 Å3. None: no structure"""
    if structure is None or structure.volume_A3 < LEAST_VOLUME_A3:
        return False
    return structure.shortest_distance_A() > LEAST_DISTANCE_A


def valid_compositions(structures: Sequence[Structure]) -> np.ndarray:
    """(n,) whether each composition is charge neutral with anions more electronegative than cations, as SMACT tests it.

    Single elements and alloys of metals pass.
    """
    counts = np.zeros((len(structures), elements.N_ELEMENTS), dtype=np.int64)
    for row, structure in enumerate(structures):
        for symbol in structure.symbols:
            counts[row, elements.element(symbol).index] += 1
    return np.array([balance.pauling_ok for balance in charge_balance(counts)], dtype=bool)
