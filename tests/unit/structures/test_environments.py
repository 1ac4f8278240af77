"""Neighbours and coordination numbers: textbook structures, closed forms, atoms without neighbours."""

import numpy as np
import pytest

from core.chemistry.structure import Structure
from core.structures.environments import coordination_numbers, coordination_text, density_g_per_cm3, environments
from tests import crystals


def test_coordination_numbers_of_textbook_structures():
    assert coordination_numbers(crystals.rock_salt("Na", "Cl", 5.64)) == pytest.approx({"Na": 6, "Cl": 6}, abs=0.1)
    assert coordination_numbers(crystals.crystal("Fm-3m", (3.61,), {"Cu": [(0, 0, 0)]}))["Cu"] == pytest.approx(
        12, abs=0.1
    )
    boron = coordination_numbers(crystals.diboride("Mg", 3.08, 3.52))["B"]
    assert boron == pytest.approx(3, abs=0.1)  # in its hexagonal net


def test_neighbours_of_the_centred_cubic_lattice_by_the_formula():
    a = 3.0
    found = environments(crystals.crystal("Im-3m", (a,), {"W": [(0, 0, 0)]}))
    near, far = a * np.sqrt(3) / 2, a
    mean = found.mean_A[0]
    assert found.nearest_A[0] == pytest.approx(near)
    weights = 8 * np.exp(1 - (near / mean) ** 6), 6 * np.exp(1 - (far / mean) ** 6)
    assert found.coordination[0] == pytest.approx(sum(weights), rel=1e-3)
    assert mean == pytest.approx((weights[0] * near + weights[1] * far) / sum(weights), rel=1e-4)


def test_a_supercell_has_the_same_neighbours():
    one = crystals.pnictide_oxide("La", 4.03, 8.74)
    stretched = np.concatenate([one.positions, one.positions + np.array([1, 0, 0])]) * [0.5, 1, 1]
    two = Structure(one.lattice * [[2], [1], [1]], one.symbols * 2, stretched)
    assert environments(two).coordination == pytest.approx(np.tile(environments(one).coordination, 2))
    assert coordination_text(two) == coordination_text(one) and coordination_text(one).startswith("La ")


def test_an_atom_alone_has_no_neighbours():
    found = environments(Structure(np.eye(3) * 20, ("He",), np.zeros((1, 3))))
    assert found.coordination[0] == 0 and np.isnan(found.nearest_A[0]) and np.isnan(found.mean_A[0])


def test_density():
    assert density_g_per_cm3(crystals.rock_salt("Na", "Cl", 5.64)) == pytest.approx(2.16, abs=0.01)
