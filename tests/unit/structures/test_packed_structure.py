"""A structure as JSON: exact after reading; its checksum."""

import json

import numpy as np

from core.structures.packed_structure import checksum, packed, unpacked
from tests import crystals


def test_a_structure_is_exact_after_json_and_has_the_same_checksum():
    structure = crystals.pnictide_oxide("La", 4.03 / 3, 8.74)
    read = unpacked(json.loads(json.dumps(packed(structure))))
    assert read.symbols == structure.symbols and checksum(read) == checksum(structure)
    np.testing.assert_array_equal(read.lattice, structure.lattice)
    np.testing.assert_array_equal(read.positions, structure.positions)


def test_other_structures_have_other_checksums():
    one, longer = crystals.rock_salt("Na", "Cl", 5.64), crystals.rock_salt("Na", "Cl", 5.65)
    other = one.with_symbols(["K", "Cl"])
    assert len({checksum(each) for each in (one, longer, other)}) == 3
