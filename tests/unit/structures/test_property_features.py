"""Features of structures: they do not depend on the cell, and mean what their names say."""

import numpy as np
import pytest

from core.chemistry.structure import Structure
from core.structures.property_features import NAMES, composition_features, composition_names, features, geometry
from tests import crystals

SALT = crystals.rock_salt("Na", "Cl", 5.64)


def of(structure, name, space_group=225):
    return geometry(structure, space_group)[NAMES.index(name)]


def test_names_and_features_agree():
    x = features([SALT, crystals.a15("Nb", "Sn", 5.29)], [225, 223])
    assert x.shape == (2, len(composition_names()) + len(NAMES)) and x.dtype == np.float32
    assert x[:, : len(composition_names())] == pytest.approx(
        composition_features([SALT, crystals.a15("Nb", "Sn", 5.29)])
    )


def test_features_do_not_depend_on_the_cell():
    positions = np.concatenate([SALT.positions, SALT.positions + np.array([0, 0, 1])]) * [1, 1, 0.5]
    double = Structure(SALT.lattice * [[1], [1], [2]], SALT.symbols * 2, positions + 0.3)
    one, two = features([SALT, double], [225, 225])
    assert np.isnan(one).sum() == np.isnan(two).sum()
    assert two == pytest.approx(one, rel=1e-4, abs=1e-4, nan_ok=True)


def test_values_of_rock_salt():
    assert of(SALT, "volume_per_atom") == pytest.approx(5.64**3 / 8, rel=1e-5)
    assert of(SALT, "shortest_metal_other") == pytest.approx(2.82, abs=1e-4)
    assert of(SALT, "neighbours_3.0") == pytest.approx(6) and of(SALT, "neighbours_4.0") == pytest.approx(18)
    assert of(SALT, "valence_electrons") == pytest.approx((1 + 7) / 2)
    assert np.isnan(of(SALT, "shortest_d_d")) and of(SALT, "weight_d_d") == 0
    assert of(SALT, "crystal_system") == 6 and of(SALT, "crystal_system", 139) == 3


def test_an_atom_alone_has_features_without_neighbours():
    x = geometry(Structure(np.eye(3) * 30, ("Fe",), np.zeros((1, 3))), 221)
    assert np.isnan(x[NAMES.index("nearest_min")]) and x[NAMES.index("neighbours_6.0")] == 0
