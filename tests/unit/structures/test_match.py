"""Comparison of structures."""

import numpy as np
import pytest

from core.chemistry.structure import Structure
from core.structures.match import Reduced, from_pymatgen, to_pymatgen
from core.structures.supercell import repeated
from tests import crystals


def test_a_structure_matches_itself_whatever_its_cell_and_volume():
    salt = crystals.rock_salt("Na", "Cl", 5.64)
    for other in (repeated(salt, (2, 1, 1)), salt.scaled_to(30.0)):
        assert Reduced(salt).matches(Reduced(other))


def test_another_type_or_other_elements_do_not_match():
    salt = Reduced(crystals.rock_salt("Na", "Cl", 5.64))
    assert not salt.matches(Reduced(crystals.caesium_chloride("Na", "Cl", 3.5)))
    assert not salt.matches(Reduced(crystals.rock_salt("K", "Cl", 5.64)))


def test_structures_survive_the_way_to_pymatgen_and_back():
    salt = crystals.rock_salt("Na", "Cl", 5.64)
    back = from_pymatgen(to_pymatgen(salt))
    assert back.symbols == salt.symbols
    np.testing.assert_array_equal(back.lattice, salt.lattice)
    np.testing.assert_array_equal(back.positions, salt.positions)


def test_partly_occupied_sites_are_refused():
    from pymatgen.core import Lattice
    from pymatgen.core import Structure as PymatgenStructure

    mixed = PymatgenStructure(Lattice.cubic(4), [{"Na": 0.5, "K": 0.5}], [[0, 0, 0]])
    with pytest.raises(ValueError, match="partly occupied"):
        from_pymatgen(mixed)
    assert isinstance(from_pymatgen(PymatgenStructure(Lattice.cubic(4), ["Na"], [[0, 0, 0]])), Structure)
