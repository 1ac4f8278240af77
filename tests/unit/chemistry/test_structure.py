"""Crystal structures: cells, volumes, distances, formulas."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.chemistry.structure import Structure, lattice_matrix, lattice_parameters, reduced_counts

SALT = Structure(lattice_matrix((5.64, 5.64, 5.64, 90, 90, 90)), ("Na", "Cl"), np.array([[0, 0, 0], [0.5, 0.5, 0.5]]))


def test_volumes_are_those_of_the_cell():
    assert SALT.volume_A3 == pytest.approx(5.64**3)
    assert SALT.volume_A3_per_atom == pytest.approx(5.64**3 / 2)


def test_scaling_keeps_shape_and_sites():
    larger = SALT.scaled_to(100.0)
    assert larger.volume_A3_per_atom == pytest.approx(100.0)
    np.testing.assert_allclose(larger.lattice / SALT.lattice[0, 0], np.eye(3) * larger.lattice[0, 0] / 5.64, atol=1e-12)
    np.testing.assert_array_equal(larger.positions, SALT.positions)


@pytest.mark.parametrize("volume", [0.0, -1.0, math.nan])
def test_a_volume_must_be_above_zero(volume):
    with pytest.raises(ValueError, match="above 0"):
        SALT.scaled_to(volume)


lengths = st.floats(2, 20)
angles = st.floats(60, 119)  # three angles of less than 120 degrees make a cell only if they are not too wide together


@given(lengths, lengths, lengths, angles, angles, st.floats(60, 100))
def test_parameters_of_a_lattice_are_those_that_made_it(a, b, c, alpha, beta, gamma):
    try:
        lattice = lattice_matrix((a, b, c, alpha, beta, gamma))
    except ValueError:
        cosines = np.cos(np.radians([alpha, beta, gamma]))
        assert 1 - (cosines**2).sum() + 2 * cosines.prod() <= 1e-12
        return
    np.testing.assert_allclose(lattice_parameters(lattice), (a, b, c, alpha, beta, gamma), rtol=1e-6)
    cosines = np.cos(np.radians([alpha, beta, gamma]))
    volume = a * b * c * math.sqrt(1 - (cosines**2).sum() + 2 * cosines.prod())
    assert abs(np.linalg.det(lattice)) == pytest.approx(volume, rel=1e-6)


def test_the_shortest_distance_is_found_across_the_boundary():
    assert SALT.shortest_distance_A() == pytest.approx(5.64 * math.sqrt(3) / 2)
    near = Structure(np.eye(3) * 4.0, ("H", "H"), np.array([[0.02, 0, 0], [0.98, 0, 0]]))
    assert near.shortest_distance_A() == pytest.approx(0.16)
    alone = Structure(np.diag([3.0, 4.0, 5.0]), ("H",), np.zeros((1, 3)))
    assert alone.shortest_distance_A() == pytest.approx(3.0)


def test_atoms_in_one_place_have_the_distance_zero():
    assert Structure(np.eye(3), ("H", "He"), np.zeros((2, 3))).shortest_distance_A() == 0.0


def test_formulas_are_in_lowest_terms_and_in_the_order_of_chemists():
    doubled = Structure(np.eye(3) * 9, ("O", "Y", "O", "Y", "O"), np.random.default_rng(0).random((5, 3)))
    assert doubled.formula == "Y2O3" and doubled.counts == {"Y": 2, "O": 3}
    assert SALT.with_symbols(("K", "Cl")).formula == "KCl"
    assert reduced_counts({"O": 6, "Y": 4}) == {"Y": 2, "O": 3}


@pytest.mark.parametrize(
    "lattice, symbols, positions",
    [
        (np.eye(3), (), np.zeros((0, 3))),
        (np.eye(3), ("H",), np.zeros((2, 3))),
        (np.zeros((3, 3)), ("H",), np.zeros((1, 3))),
        (np.eye(3), ("H",), np.full((1, 3), math.nan)),
    ],
)
def test_what_is_no_structure_is_refused(lattice, symbols, positions):
    with pytest.raises(ValueError):
        Structure(lattice, symbols, positions)
