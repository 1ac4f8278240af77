"""The library: atomic volumes, substitution statistics, merged compounds."""

import math

import numpy as np
import pytest

from core.chemistry import elements
from core.structures.symmetry import symmetric
from core.training.prototypes import atomic_volumes_A3, library_of, substitutions
from core.training.structure_data import Entry
from tests import crystals


def test_atomic_volumes_are_recovered_from_additive_ones():
    generator = np.random.default_rng(0)
    true = generator.uniform(5, 30, 6)
    species = [generator.integers(0, 6, (30, 2)) for _ in range(3)]
    counts = [np.array([1, 1]), np.array([1, 2]), np.array([2, 3])]
    volumes = np.concatenate([(true[rows] * c / c.sum()).sum(1) for rows, c in zip(species, counts, strict=True)])
    found = atomic_volumes_A3(species, counts, volumes)
    np.testing.assert_allclose(found[:6], true, rtol=1e-6)
    assert np.isnan(found[6:]).all()


def test_elements_that_share_sites_replace_each_other_more_often_than_by_chance():
    species = [np.array([[0, 5], [1, 5], [0, 6], [1, 6]]), np.array([[2, 5], [3, 6]])]
    found = substitutions(species)
    assert found[0, 1] > 0 > found[0, 5] and found[2, 3] > 0 > found[0, 2]
    np.testing.assert_allclose(found, found.T)
    assert found.shape == (elements.N_ELEMENTS, elements.N_ELEMENTS)


def test_equal_compounds_are_merged_with_their_facts():
    salt = symmetric(crystals.rock_salt("Na", "Cl", 5.64))
    again = symmetric(crystals.rock_salt("Na", "Cl", 5.70))
    rows = [
        Entry("mp-5", "3DSC", salt, {"tc_k": 0.0, "tc_doped_max_k": 2.0}),
        Entry("mp-9", "MP", again, {"e_hull": 0.02}),
        Entry("JVASP-3", "JARVIS-DFT", again, {}),
    ]
    library = library_of(rows)
    assert len(library) == 1 and library.members.tolist() == [1]
    assert library.tc_K[0] == 2.0 and library.above_hull_eV_per_atom[0] == 0.02 and library.id_of(0) == "mp-9"
    assert library.volumes_A3_per_atom[0] == pytest.approx(5.70**3 / 8, rel=1e-4)


def test_the_order_of_the_data_does_not_matter():
    one, other = library_of(crystals.entries()), library_of(reversed(crystals.entries()))
    assert one.wyckoff == other.wyckoff
    np.testing.assert_array_equal(one.species, other.species)
    np.testing.assert_array_equal(one.positions, other.positions)


def test_what_is_unknown_is_nan():
    library = library_of([Entry("mp-1", "MP", symmetric(crystals.rock_salt("Na", "Cl", 5.64)), {})])
    assert math.isnan(library.tc_K[0]) and math.isnan(library.above_hull_eV_per_atom[0])
