"""What the browser draws of a crystal structure: one cell, its bonds and the elements, as JSON. No Streamlit here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from core.chemistry import elements
from core.chemistry.structure import Structure
from core.structures.bonds import TOLERANCE, bonds, covalent_radii_A

MOST_DRAWN_ATOMS = 6000  # more repeats than that are not offered: the browser would stutter
FEW_ATOMS = 4  # a cell of so few is drawn 2 x 2 x 2 at first, because one of it hardly shows the bonds


def scene(structure: Structure, title: str, file_name: str) -> dict[str, Any]:
    """The data of the viewer.

    title : what the picture shows, for screen readers
    file_name : of the saved picture, without an ending

    lattice : lattice vectors as rows, in Å
    atoms : [symbol, fractional coordinates] of each atom, the coordinates from 0 up to 1
    bonds : [start, end, i, j, k] with atom `end` in the cell displaced by i, j and k lattice vectors
    elements : symbol, name and covalent radius in Å of each element, in the order of the formula
    first_repeats : n of the first picture
    most_repeats : largest n of n x n x n cells, 1 to 3
    """
    return _about(structure, title, file_name) | _frame(structure)


def animation(moments: Sequence[tuple[str, Structure]], title: str, file_name: str) -> dict[str, Any]:
    """The data of an animation: as `scene` of its last structure, with lattice, atoms, bonds and elements per frame.

    moments : (what is said of it, structure), all with the same number of atoms

    frames : each with `moment`, what is said of it
    """
    about = _about(moments[-1][1], title, file_name) | {"first_repeats": 1}
    return about | {"frames": [_frame(structure) | {"moment": text} for text, structure in moments]}


def _about(structure: Structure, title: str, file_name: str) -> dict[str, Any]:
    """What is the same in all frames."""
    return {
        "title": title,
        "file_name": file_name,
        "bond_rule": f"Bonds: up to {TOLERANCE:g} × the sum of the covalent radii",
        "first_repeats": 2 if len(structure.symbols) <= FEW_ATOMS else 1,
        "most_repeats": max([n for n in (1, 2, 3) if n**3 * len(structure.symbols) <= MOST_DRAWN_ATOMS], default=1),
    }


def _frame(structure: Structure) -> dict[str, Any]:
    structure, wrapped = _wrapped(structure)
    radii = dict(zip(structure.symbols, covalent_radii_A(structure.symbols).tolist(), strict=True))
    return {
        "lattice": structure.lattice.round(5).tolist(),
        "atoms": [[s, *p] for s, p in zip(structure.symbols, wrapped.round(5).tolist(), strict=True)],
        "bonds": [[bond.start, bond.end, *bond.image] for bond in bonds(structure)],
        "elements": [[s, elements.element(s).name, radii[s]] for s in structure.counts],
    }


def _wrapped(structure: Structure) -> tuple[Structure, np.ndarray]:
    """The structure with all positions in [0, 1); those just below 1 by rounding are 0."""
    positions = structure.positions % 1.0
    positions[positions > 1 - 1e-4] = 0.0
    return Structure(structure.lattice, structure.symbols, positions), positions
