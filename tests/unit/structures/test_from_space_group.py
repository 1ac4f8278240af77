"""Structures from a space group."""

from collections import Counter

import numpy as np
import pytest

from core.structures import from_space_group as module
from core.structures.from_space_group import from_space_group
from core.structures.symmetry import space_group_of


def test_rock_salt_has_two_atoms_half_a_cell_apart():
    made = from_space_group("Fm-3m", np.eye(3) * 5.64, ("Na", "Cl"), ((0, 0, 0), (0.5, 0.5, 0.5)))
    assert sorted(made.symbols) == ["Cl", "Na"] and space_group_of(made) == 225
    np.testing.assert_allclose(abs(np.linalg.det(made.lattice)), 5.64**3 / 4)
    np.testing.assert_allclose((made.positions[1] - made.positions[0]) % 1, 0.5, atol=1e-9)


def test_all_atoms_of_an_orbit_are_there():
    made = from_space_group("Pm-3n", np.eye(3) * 5.29, ("Sn", "Nb"), ((0, 0, 0), (0.25, 0, 0.5)))
    assert Counter(made.symbols) == {"Sn": 2, "Nb": 6}


def test_a_group_is_read_once():
    assert module._kept("Fm-3m") is module._kept("Fm-3m")


def test_an_unknown_group_is_refused():
    with pytest.raises(ValueError, match="Xm-3m"):
        from_space_group("Xm-3m", np.eye(3), ("Na",), ((0, 0, 0),))
