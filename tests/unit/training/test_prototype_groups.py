"""Grouping of structures into prototypes."""

import numpy as np

from core.structures.supercell import repeated
from core.structures.symmetry import symmetric
from core.training.prototype_groups import grouped, slotted
from core.training.structure_data import Entry
from tests import crystals


def entry(number, structure):
    return Entry(f"mp-{number}", "MP", symmetric(structure), {})


def test_compounds_of_one_type_share_a_prototype():
    groups = grouped(crystals.entries())
    formulas = sorted(sorted(member.entry.symmetric.structure.formula for member in g.members) for g in groups)
    assert formulas == [
        ["AlB2", "MgB2"], ["CeFeAsO", "NdFeAsO"], ["CsCl", "NiAl"], ["KBr", "MgO", "NaCl", "NaF"],
        ["La2CuO4", "Nd2CuO4"], ["Nb3Ge", "V3Si"],
    ]  # fmt: skip


def test_chemically_different_sites_are_kept_apart():
    """Fe and O have sites of the same symmetry in LaFeAsO, but other neighbours."""
    group = next(g for g in grouped(crystals.entries()) if len(g.members[0].species) == 4)
    assert group.equivalent == ((0, 1, 2, 3),)
    assert {group.species(i)[group.species(0).index("Fe")] for i in range(2)} == {"Fe"}


def test_sites_of_rock_salt_can_be_exchanged():
    group = next(g for g in grouped(crystals.entries()) if len(g.members) == 4)
    assert group.equivalent == ((0, 1), (1, 0))


def test_the_cell_that_is_given_does_not_matter():
    salt = crystals.rock_salt("Na", "Cl", 5.64)
    assert len(grouped([entry(1, salt), entry(2, repeated(salt, (1, 2, 2)))])) == 1


def test_slots_are_ordered_by_the_number_of_atoms():
    found = slotted(entry(1, crystals.a15("Nb", "Sn", 5.29)))
    assert found.species == ("Sn", "Nb") and found.counts == (1, 3)
    assert np.bincount(found.slots).tolist() == [2, 6]
