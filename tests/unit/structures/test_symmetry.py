"""Symmetry: space groups of known types, primitive cells, sites."""

import numpy as np
import pytest

from core.chemistry.structure import Structure
from core.structures.match import Reduced
from core.structures.supercell import repeated
from core.structures.symmetry import conventional_cell, operations, space_group_of, space_group_symbol, symmetric
from tests import crystals

GROUPS = {"NaCl": 225, "CsCl": 221, "AlB2": 191, "V3Si": 223, "CeFeAsO": 129, "La2CuO4": 139}


@pytest.mark.parametrize("name", GROUPS)
def test_space_groups_of_known_types_are_found(name):
    structure = next(each for own, each, _ in crystals.CRYSTALS if own == name)
    found = symmetric(structure)
    assert found is not None and found.space_group == GROUPS[name]
    assert Reduced(found.structure).matches(Reduced(structure))
    assert found.structure.volume_A3_per_atom == pytest.approx(structure.volume_A3_per_atom, rel=1e-4)


@pytest.mark.parametrize("name", GROUPS)
def test_a_supercell_is_reduced_to_its_primitive_cell(name):
    structure = next(each for own, each, _ in crystals.CRYSTALS if own == name)
    one, two = symmetric(structure), symmetric(repeated(structure, (2, 1, 1)))
    assert one is not None and two is not None
    assert len(two.structure.symbols) == len(one.structure.symbols) and two.space_group == one.space_group


def test_equivalent_sites_have_one_element_and_one_letter():
    found = symmetric(crystals.layered_cuprate("La", 3.78, 13.2))
    assert found is not None
    for site, first in enumerate(found.orbits):
        assert found.structure.symbols[site] == found.structure.symbols[first]
        assert found.wyckoffs[site] == found.wyckoffs[first]
    assert len(set(found.orbits.tolist())) == 4  # La, Cu, and two kinds of O


def test_displaced_atoms_are_put_back():
    structure = crystals.rock_salt("Na", "Cl", 5.64)
    moved = Structure(structure.lattice, structure.symbols, structure.positions + np.array([[0.004, 0, 0], [0, 0, 0]]))
    found = symmetric(moved)
    assert found is not None and found.space_group == 225


def test_atoms_in_one_place_have_no_symmetry():
    assert symmetric(Structure(np.eye(3) * 4, ("H", "H"), np.zeros((2, 3)))) is None


def test_averages_over_the_operations_have_the_symmetry_of_the_crystal():
    made = crystals.diboride("Mg", 3.09, 3.52)
    found = operations(made)
    assert len(found.rotations) == 24 and made.symbols.count("B") == 2
    generator = np.random.default_rng(0)
    forces, stress = found.averaged(made.lattice, generator.normal(size=(3, 3)), generator.normal(size=(3, 3)))
    assert np.allclose(forces, 0, atol=1e-12)  # each atom is on a site without a polar axis
    assert np.allclose(stress, np.diag(np.diag(stress)), atol=1e-12) and stress[0, 0] == pytest.approx(stress[1, 1])


def test_symmetric_forces_and_stress_stay_as_they_are():
    made = crystals.pnictide_oxide("La", 4.03, 8.74)
    found = operations(made)
    generator = np.random.default_rng(0)
    once = found.averaged(made.lattice, generator.normal(size=(8, 3)), generator.normal(size=(3, 3)))
    again = found.averaged(made.lattice, *once)
    assert all(np.allclose(a, b, atol=1e-12) for a, b in zip(once, again, strict=True))
    assert np.abs(once[0][:, 2]).max() > 0.01  # La and As can move along c


def test_atoms_in_one_place_have_the_identity_alone():
    made = Structure(np.eye(3) * 3, ("Fe", "Fe"), np.zeros((2, 3)))
    assert len(operations(made).rotations) == 1


def test_the_conventional_cell_of_rock_salt_is_a_cube_of_eight_atoms():
    cell = conventional_cell(crystals.rock_salt("Na", "Cl", 5.64))
    assert cell.counts == {"Na": 4, "Cl": 4}
    np.testing.assert_allclose(cell.lattice, np.diag([5.64] * 3), atol=1e-6)


def test_a_structure_without_symmetry_to_be_found_stays_as_it_is():
    doubled = Structure(np.eye(3), ("H", "H"), np.zeros((2, 3)))
    assert conventional_cell(doubled) is doubled and space_group_of(doubled) == 1


def test_space_groups_have_their_symbols():
    symbols = {225: "Fm-3m", 129: "P4/nmm", 191: "P6/mmm", 12: "C2/m", 14: "P2_1/c", 166: "R-3m", 1: "P1", 230: "Ia-3d"}
    assert {number: space_group_symbol(number) for number in symbols} == symbols
    assert space_group_of(crystals.rock_salt("Na", "Cl", 5.64)) == 225


def test_a_number_that_no_space_group_has_is_refused():
    with pytest.raises(ValueError, match="1 to 230"):
        space_group_symbol(231)
