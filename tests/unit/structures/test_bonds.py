"""Bonds by distance: coordination numbers of known types, each bond once, metals beside non-metals."""

from collections import Counter

import numpy as np
import pytest

from core.chemistry.structure import Structure
from core.structures.bonds import Bond, bonds, covalent_radii_A
from core.structures.symmetry import conventional_cell
from tests import crystals


def coordination(structure: Structure, found: list[Bond]) -> Counter:
    """(element, neighbour) -> bonds of one atom of the element, on average."""
    ends = Counter()
    for bond in found:
        one, other = structure.symbols[bond.start], structure.symbols[bond.end]
        ends[one, other] += 1
        ends[other, one] += 1
    return Counter({pair: number / structure.counts[pair[0]] for pair, number in ends.items()})


@pytest.mark.parametrize("cell", [lambda s: s, conventional_cell], ids=["primitive", "conventional"])
def test_rock_salt_has_six_neighbours_in_every_cell(cell):
    structure = cell(crystals.rock_salt("Mg", "O", 4.21))
    found = bonds(structure)
    assert coordination(structure, found) == {("Mg", "O"): 6, ("O", "Mg"): 6}
    for bond in found:
        step = structure.positions[bond.end] + np.array(bond.image) - structure.positions[bond.start]
        assert np.linalg.norm(step @ structure.lattice) == pytest.approx(4.21 / 2)


def test_boron_in_a_diboride_is_a_honeycomb_and_no_two_metals_are_bonded():
    structure = crystals.diboride("Mg", 3.09, 3.52)
    found = coordination(structure, bonds(structure))
    assert found["B", "B"] == 3 and found["Mg", "Mg"] == 0


def test_in_a_metal_the_metals_are_bonded():
    structure = crystals.caesium_chloride("Ni", "Al", 2.89)
    assert coordination(structure, bonds(structure, 1.05)) == {("Ni", "Al"): 8, ("Al", "Ni"): 8}


def test_an_atom_is_bonded_to_its_own_images_once_in_each_direction():
    structure = Structure(np.diag([2.3, 9.0, 9.0]), ("Fe",), np.zeros((1, 3)))
    assert bonds(structure) == [Bond(0, 0, (1, 0, 0))]


def test_bonds_reach_over_the_edges_of_a_thin_cell():
    """A cell whose planes are far closer than a bond: neighbours two cells away count."""
    cube = Structure(np.diag([3.0, 3.0, 3.0]), ("Po",), np.zeros((1, 3)))
    sheared = Structure(np.array([[3.0, 0, 0], [9.0, 3, 0], [0, 0, 3]]), ("Po",), np.zeros((1, 3)))
    assert len(bonds(cube)) == len(bonds(sheared)) == 3


def test_an_element_without_a_tabulated_radius_has_a_large_one():
    assert covalent_radii_A(("O", "Lr")).tolist() == [0.66, 2.0]
