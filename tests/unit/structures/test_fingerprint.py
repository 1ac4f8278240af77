"""Fingerprints: invariance, and the density that they approach."""

import math

import numpy as np
import pytest

from core.chemistry.structure import Structure
from core.structures import fingerprint
from core.structures.supercell import repeated
from tests import crystals


def slots_of(structure: Structure) -> np.ndarray:
    names = sorted(set(structure.symbols))
    return np.array([names.index(symbol) for symbol in structure.symbols])


def of(structure: Structure) -> np.ndarray:
    return fingerprint.fingerprint(structure, slots_of(structure))


def test_size_cell_and_orientation_do_not_matter():
    structure = crystals.pnictide_oxide("Ce", 4.0, 8.65)
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    turned = Structure(structure.lattice @ turn, structure.symbols, structure.positions + 0.3)
    for other in (structure.scaled_to(40.0), repeated(structure, (2, 1, 2)), turned):
        np.testing.assert_allclose(of(other), of(structure), atol=1e-3)


def test_one_site_gives_the_sum_over_its_neighbours():
    """A cubic lattice: 6 neighbours at 1, 12 at sqrt(2), 8 at sqrt(3), 6 at 2, 24 at sqrt(5), 24 at sqrt(6)."""
    single = Structure(np.eye(3) * 3.0, ("H",), np.zeros((1, 3)))
    shells = {1: 6, 2: 12, 3: 8, 4: 6, 5: 24, 6: 24}
    expected = sum(
        count / (4 * math.pi * square)
        * np.exp(-(((fingerprint.GRID - math.sqrt(square)) / fingerprint.WIDTH) ** 2) / 2)
        / (fingerprint.WIDTH * math.sqrt(2 * math.pi))
        for square, count in shells.items()
    )  # fmt: skip
    np.testing.assert_allclose(of(single)[0, 0], expected, rtol=3e-3, atol=1e-4)


def test_rock_salt_is_far_from_caesium_chloride_and_near_another_rock_salt():
    salt, other = of(crystals.rock_salt("Na", "Cl", 5.6)), of(crystals.rock_salt("K", "F", 5.3))
    caesium = of(crystals.caesium_chloride("Cs", "Cl", 4.1))
    shares = np.array([0.5, 0.5])
    near, far = fingerprint.distances(salt, np.stack([other, caesium]), shares)
    assert near == pytest.approx(0.0, abs=1e-5) and far > 0.2


def test_permuted_fingerprints_are_those_of_exchanged_elements():
    structure = crystals.pnictide_oxide("Ce", 4.0, 8.65)
    slots = slots_of(structure)
    order = (2, 0, 3, 1)
    exchanged = np.array([order.index(slot) for slot in slots])
    np.testing.assert_allclose(
        fingerprint.permuted(fingerprint.fingerprint(structure, slots), order),
        fingerprint.fingerprint(structure, exchanged),
        atol=1e-6,
    )


def test_only_slots_with_equal_labels_are_exchanged():
    assert fingerprint.exchanges("abc") == [(0, 1, 2)]
    assert fingerprint.exchanges("aab") == [(0, 1, 2), (1, 0, 2)]
    assert len(fingerprint.exchanges("aabbb")) == 12 and len(fingerprint.exchanges("a" * 7)) == 1
