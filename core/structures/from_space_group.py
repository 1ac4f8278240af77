"""A crystal structure from its space group, its cell, and one position of each orbit, by pymatgen."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from core.chemistry.structure import Structure
from core.structures.match import from_pymatgen

if TYPE_CHECKING:
    from pymatgen.symmetry.groups import SpaceGroup


def from_space_group(
    group: str, lattice: np.ndarray, symbols: Sequence[str], positions: Sequence[Sequence[float]]
) -> Structure:
    """The primitive cell.

    group : Hermann-Mauguin symbol of the space group, "Fm-3m"
    lattice : (3, 3) vectors of the conventional cell in Å, as rows
    symbols, positions : element and fractional coordinates of one atom of each orbit

    Raises ValueError for an unknown group, and for a cell or positions that do not fit to it.
    """
    from pymatgen.core import Structure as PymatgenStructure

    made = PymatgenStructure.from_spacegroup(_kept(group).symbol, lattice, list(symbols), list(positions))
    return from_pymatgen(made.get_primitive_structure())


@cache
def _kept(group: str) -> SpaceGroup:
    """The group with its operations, which pymatgen would forget; a cubic one takes it a second."""
    from pymatgen.symmetry.groups import SpaceGroup

    return SpaceGroup(group)
