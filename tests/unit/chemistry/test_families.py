"""Families, by compounds whose family every chemist knows."""

import numpy as np
import pytest

from core.chemistry.composition import composition_vector, parse_formula
from core.chemistry.families import families


@pytest.mark.parametrize(
    ("family", "formulas"),
    [
        ("cuprate", ["YBa2Cu3O7", "La1.85Sr0.15CuO4", "HgBa2CaCu2O6"]),
        ("iron-based", ["LaFeAsO", "FeSe", "Ba0.6K0.4Fe2As2", "LiFeP"]),
        ("hydride", ["H3S", "LaH10", "PdH"]),
        ("other", ["MgB2", "Nb3Sn", "Fe2O3", "Cu", "Rb3C60", "Nb3H"]),
    ],
)
def test_known_compounds_are_in_their_family(family, formulas):
    compositions = np.stack([composition_vector(parse_formula(formula)) for formula in formulas])
    assert families(compositions).tolist() == [family] * len(formulas)
