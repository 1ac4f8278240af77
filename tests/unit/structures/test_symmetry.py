"""Symmetry: space groups of known types, primitive cells, sites."""

import numpy as np
import pytest

from core.chemistry.structure import Structure
from core.structures.match import Reduced
from core.structures.supercell import repeated
from core.structures.symmetry import symmetric
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
