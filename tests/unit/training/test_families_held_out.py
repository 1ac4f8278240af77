"""Families that are left out: the rules."""

from __future__ import annotations

import numpy as np
import pytest

from core.chemistry.composition import compositions
from core.reference_data.references import load_references
from core.training.families_held_out import FAMILIES

MEMBERS = {
    "borocarbides": ("YNi2B2C", "LuNi2B2C", "YPd2B2C"),
    "A15": ("Nb3Sn", "V3Si", "Nb3Ge", "Nb3Al0.8Ge0.2"),
    "Chevrel phases": ("PbMo6S8", "Mo6Se8", "LaMo6Se8"),
    "bismuthates": ("Ba0.6K0.4BiO3", "BaPb0.75Bi0.25O3", "SrBiO3"),
    "iron chalcogenides": ("FeSe", "FeTe0.5Se0.5", "K0.8Fe1.6Se2"),
    "at least 20% hydrogen": ("LaH10", "H3S", "PdH"),
}
OTHERS = ("MgB2", "YBa2Cu3O7", "LaFeAsO", "NbN", "NbTi", "Nb", "Bi2Sr2CaCu2O8", "MoS2", "FeAs", "B4C", "Nb3Ti")


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_family_has_its_members_and_no_others(family):
    formulas = [formula for members in MEMBERS.values() for formula in members] + list(OTHERS)
    found = np.array(formulas)[family.members(compositions(formulas))]
    assert tuple(found) == MEMBERS[family.name]


def test_every_family_has_at_least_fifty_known_members():
    known = load_references().known_compositions
    assert len(FAMILIES) == 6 and all(family.members(known).sum() >= 50 for family in FAMILIES)
