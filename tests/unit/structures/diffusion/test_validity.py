"""Validity by hand-made examples."""

import numpy as np

from core.chemistry.structure import Structure
from core.structures.diffusion.validity import structurally_valid, valid_compositions


def cell(*symbols: str, a: float = 4.0, distance: float = 2.0) -> Structure:
    return Structure(np.eye(3) * a, symbols, np.array([[i * distance / a, 0, 0] for i in range(len(symbols))]))


def test_atoms_and_their_images_must_be_half_an_angstrom_apart():
    assert structurally_valid(cell("Na", "Cl"))
    assert not structurally_valid(cell("Na", "Cl", distance=0.49))
    assert not structurally_valid(cell("Na", a=0.48))
    assert not structurally_valid(None)


def test_compositions_are_neutral_alloys_or_single_elements():
    found = valid_compositions([cell("Na", "Cl"), cell("Na", "F", "F", distance=1.0), cell("Nb", "Ti"), cell("O")])
    assert found.tolist() == [True, False, True, True]
