"""Families of well-known compounds."""

import pytest

from core.chemistry.composition import compositions
from core.chemistry.families import families, hydrogen_rich


@pytest.mark.parametrize(
    ("family", "formulas"),
    [
        ("cuprate", ["YBa2Cu3O7", "La1.85Sr0.15CuO4", "HgBa2CaCu2O6"]),
        ("iron-based", ["LaFeAsO", "FeSe", "Ba0.6K0.4Fe2As2", "LiFeP"]),
        ("hydride", ["H3S", "LaH10", "PdH"]),
        ("other", ["MgB2", "Nb3Sn", "Fe2O3", "Cu", "Rb3C60", "Nb3H"]),
    ],
)
def test_families_of_known_compounds(family, formulas):
    assert families(compositions(formulas)).tolist() == [family] * len(formulas)


def test_hydrogen_rich_means_at_least_40_percent_hydrogen():
    assert hydrogen_rich(compositions(["LaH10", "Nb3H2", "Nb3.1H2", "MgB2"])).tolist() == [True, True, False, False]
