"""Which atoms of a structure are drawn as bonded: a rule of distances, not a statement about the chemistry.

Two atoms are bonded if their distance is at most TOLERANCE times the sum of their covalent radii (Cordero et al. 2008,
doi:10.1039/b801115j). Beside non-metals, bonds between two metals are left out: by their radii nearly all would touch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from core.chemistry import elements
from core.chemistry.structure import Structure

TOLERANCE = 1.1
LARGEST_RADIUS_A = 2.0  # of the elements without a tabulated radius, all heavy actinides and beyond: a large one
SAME_PLACE_A = 0.1  # shorter distances are those of an atom to itself, or errors of a file


@dataclass(frozen=True)
class Bond:
    """A bond from atom `start` in the cell to atom `end` in the cell displaced by `image` lattice vectors."""

    start: int
    end: int
    image: tuple[int, int, int]


def bonds(structure: Structure, tolerance: float = TOLERANCE) -> list[Bond]:
    """All bonds of the atoms in one cell, each once: of a bond and its reverse, the one with the lower end first.

    tolerance : longest distance, as a multiple of the sum of the radii
    """
    radii = covalent_radii_A(structure.symbols)
    limit = tolerance * (radii[:, None] + radii[None])
    metals = np.array([elements.element(symbol).metal for symbol in structure.symbols])
    if not metals.all():
        limit[metals[:, None] & metals[None]] = 0.0
    cell = structure.positions @ structure.lattice
    found = []
    for image in _images(image_reach(structure.lattice, float(limit.max()), structure.positions)):
        distances = np.linalg.norm(cell[None] + np.array(image) @ structure.lattice - cell[:, None], axis=-1)
        for start, end in np.argwhere((distances <= limit) & (distances > SAME_PLACE_A)):
            if start < end or (start == end and image > (0, 0, 0)):
                found.append(Bond(int(start), int(end), image))
    return found


def covalent_radii_A(symbols: tuple[str, ...]) -> np.ndarray:
    """(n,) covalent radii in Å."""
    return np.array([elements.element(symbol).covalent_radius_A or LARGEST_RADIUS_A for symbol in symbols])


def image_reach(lattice: np.ndarray, radius_A: float, positions: np.ndarray) -> tuple[int, int, int]:
    """Most lattice translations, in each direction, that can bring an atom within a distance of another.

    The planes of a cell are 1 / |reciprocal vector| apart, so a sphere reaches radius * |reciprocal vector| cells.
    """
    spread = positions.max(0) - positions.min(0)
    i, j, k = np.ceil(radius_A * np.linalg.norm(np.linalg.inv(lattice), axis=0) + spread).astype(int).tolist()
    return i, j, k


def _images(reach: tuple[int, int, int]) -> Iterator[tuple[int, int, int]]:
    """All translations by up to so many lattice vectors."""
    i, j, k = (range(-n, n + 1) for n in reach)
    return product(i, j, k)
