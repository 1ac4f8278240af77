"""Whether two structures are the same, by pymatgen's StructureMatcher with the tolerances of structure prediction.

Lattice lengths may differ by 30%, angles by 10 degrees, sites by half the cube root of the volume per atom (root mean
square), after both cells are reduced to primitive ones and scaled to the same volume.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from core.chemistry.structure import Structure

if TYPE_CHECKING:
    from pymatgen.analysis.structure_matcher import StructureMatcher
    from pymatgen.core import Structure as PymatgenStructure

LENGTH_TOLERANCE, SITE_TOLERANCE, ANGLE_TOLERANCE_DEGREES = 0.3, 0.5, 10.0


@cache
def matcher() -> StructureMatcher:
    """The matcher, made once per process."""
    from pymatgen.analysis.structure_matcher import StructureMatcher

    return StructureMatcher(ltol=LENGTH_TOLERANCE, stol=SITE_TOLERANCE, angle_tol=ANGLE_TOLERANCE_DEGREES)


def to_pymatgen(structure: Structure) -> PymatgenStructure:
    """The structure as an object of pymatgen."""
    from pymatgen.core import Structure as PymatgenStructure

    return PymatgenStructure(structure.lattice, list(structure.symbols), structure.positions)


def from_pymatgen(structure: PymatgenStructure) -> Structure:
    """The inverse of `to_pymatgen`. Raises ValueError for a structure with partly occupied sites."""
    if not structure.is_ordered:
        raise ValueError("some sites are partly occupied")
    symbols = tuple(site.specie.symbol for site in structure)
    return Structure(structure.lattice.matrix.copy(), symbols, structure.frac_coords.copy())


class Reduced:
    """A structure reduced to its primitive, Niggli-reduced cell, to be compared with many."""

    def __init__(self, structure: Structure):
        from pymatgen.analysis.structure_matcher import StructureMatcher

        self.cell = StructureMatcher._get_reduced_structure(to_pymatgen(structure))

    def matches(self, other: Reduced) -> bool:
        """Whether both are the same structure."""
        if len(self.cell) != len(other.cell):
            return False
        return bool(matcher().fit(self.cell, other.cell, skip_structure_reduction=True))
