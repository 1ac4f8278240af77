"""The symmetry of a crystal structure, found by spglib: space group, Wyckoff positions, primitive standard cell."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from core.chemistry import elements
from core.chemistry.structure import Structure

N_SETTINGS = 530  # of the space groups in Hall's list; the standard setting of each group comes first
SYMPREC_A = 0.1  # as in the data: relaxed structures deviate from their symmetry by hundredths of an Å
# Primitive lattice vectors as columns, in terms of those of the standard cell, by its centring (spglib's convention).
_PRIMITIVE = {
    "P": np.eye(3),
    "A": np.array([[1, 0, 0], [0, 1 / 2, -1 / 2], [0, 1 / 2, 1 / 2]]),
    "C": np.array([[1 / 2, 1 / 2, 0], [-1 / 2, 1 / 2, 0], [0, 0, 1]]),
    "R": np.array([[2 / 3, -1 / 3, -1 / 3], [1 / 3, 1 / 3, -2 / 3], [1 / 3, 1 / 3, 1 / 3]]),
    "I": np.array([[-1 / 2, 1 / 2, 1 / 2], [1 / 2, -1 / 2, 1 / 2], [1 / 2, 1 / 2, -1 / 2]]),
    "F": np.array([[0, 1 / 2, 1 / 2], [1 / 2, 0, 1 / 2], [1 / 2, 1 / 2, 0]]),
}
# spglib 2.8 warns of a change in a later version, at every call; the pinned version behaves as described.
_IGNORED = "(?s).*(OLD_ERROR_HANDLING|Set OLD_ERROR_HANDLING).*"


@dataclass(frozen=True)
class SymmetricStructure:
    """A structure in its primitive standard cell, with positions and lattice made exactly symmetric.

    structure : n atoms
    space_group : international number
    orbits : (n,) index of the first atom that is equivalent to each atom
    wyckoffs : (n,) Wyckoff letter of each atom
    site_symmetries : (n,) symbol of the point group of each site, oriented
    """

    structure: Structure
    space_group: int
    orbits: np.ndarray
    wyckoffs: tuple[str, ...]
    site_symmetries: tuple[str, ...]


def conventional_cell(structure: Structure, symprec_A: float = SYMPREC_A) -> Structure:
    """The structure in the standard cell of its space group, which shows the symmetry; as given if none is found."""
    found = _dataset(structure, symprec_A)
    if found is None:
        return structure
    names = elements.symbols()
    return Structure(found.std_lattice, tuple(names[z - 1] for z in found.std_types), found.std_positions % 1.0)


def space_group_of(structure: Structure, symprec_A: float = SYMPREC_A) -> int:
    """International number of the space group; 1 if no symmetry is found."""
    found = _dataset(structure, symprec_A)
    return int(found.number) if found is not None else 1


@cache
def space_group_symbol(number: int) -> str:
    """Hermann-Mauguin symbol of a space group, as in Fm-3m. Raises ValueError unless 1 <= number <= 230."""
    import spglib

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", _IGNORED, DeprecationWarning)
        settings = map(spglib.get_spacegroup_type, range(1, N_SETTINGS + 1))
        found = next((each for each in settings if each is not None and each.number == number), None)
    if found is None:
        raise ValueError(f"space groups have the numbers 1 to 230, not {number}")
    return str(found.international_short)


def symmetric(structure: Structure, symprec_A: float = SYMPREC_A) -> SymmetricStructure | None:
    """The structure in its primitive standard cell; None if spglib finds no symmetry, as for atoms in one place."""
    found = _dataset(structure, symprec_A)
    if found is None:
        return None
    names = elements.symbols()
    transform = _PRIMITIVE[found.international[0]]
    chosen, first = np.unique(found.std_mapping_to_primitive, return_index=True)  # an atom of each primitive site
    given = {int(site): i for i, site in reversed(list(enumerate(found.mapping_to_primitive)))}
    given_of = [given[int(site)] for site in chosen]
    place = {int(found.equivalent_atoms[i]): site for site, i in reversed(list(enumerate(given_of)))}
    made = Structure(
        (found.std_lattice.T @ transform).T,
        tuple(names[z - 1] for z in np.array(found.std_types)[first]),
        np.linalg.solve(transform, found.std_positions[first].T).T % 1.0,
    )
    return SymmetricStructure(
        made,
        int(found.number),
        np.array([place[int(found.equivalent_atoms[i])] for i in given_of]),
        tuple(found.wyckoffs[i] for i in given_of),
        tuple(found.site_symmetry_symbols[i] for i in given_of),
    )


@dataclass(frozen=True)
class Operations:
    """The g symmetry operations of a structure of n atoms.

    rotations : (g, 3, 3) of fractional coordinates, as columns
    images : (g, n) index of the atom to which each operation moves each atom
    """

    rotations: np.ndarray
    images: np.ndarray

    def averaged(self, lattice: np.ndarray, vectors: np.ndarray, tensor: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Cartesian vectors (n, 3) of the atoms and a tensor (3, 3), averaged over the operations.

        lattice : (3, 3) of this structure, or strained without loss of symmetry
        """
        turned = lattice.T @ self.rotations @ np.linalg.inv(lattice.T)  # (g, 3, 3), of Cartesian coordinates
        found = np.zeros_like(vectors)
        for rotation, images in zip(turned, self.images, strict=True):
            found[images] += vectors @ rotation.T
        return found / len(turned), (turned @ tensor @ turned.transpose(0, 2, 1)).mean(0)


def operations(structure: Structure, symprec_A: float = 0.01) -> Operations:
    """The symmetry operations that spglib finds; the identity alone if it finds none."""
    import spglib

    cell = _cell_of(structure)
    numbers = np.array(cell[2])
    n = len(numbers)
    identity = Operations(np.eye(3)[None], np.arange(n)[None])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", _IGNORED, DeprecationWarning)
        found = spglib.get_symmetry(cell, symprec=symprec_A)
    if found is None:
        return identity
    images = []
    for rotation, translation in zip(found["rotations"], found["translations"], strict=True):
        moved = structure.positions @ rotation.T + translation
        apart = moved[:, None] - structure.positions[None]
        distances = np.linalg.norm((apart - np.round(apart)) @ structure.lattice, axis=-1)
        distances[numbers[:, None] != numbers[None]] = np.inf
        images.append(distances.argmin(1))
    if any(len(set(row.tolist())) < n for row in images):
        return identity
    return Operations(np.array(found["rotations"], dtype=float), np.array(images))


def _dataset(structure: Structure, symprec_A: float) -> Any:
    """What spglib finds; None if it finds nothing."""
    import spglib

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", _IGNORED, DeprecationWarning)
        return spglib.get_symmetry_dataset(_cell_of(structure), symprec=symprec_A)


def _cell_of(structure: Structure) -> tuple[list, list, list[int]]:
    """Lattice, positions and atomic numbers, as spglib reads them."""
    numbers = [elements.element(symbol).atomic_number for symbol in structure.symbols]
    return structure.lattice.tolist(), structure.positions.tolist(), numbers
