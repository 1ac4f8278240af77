"""Volumes: of known compounds exactly, of new ones between those of similar compounds."""

import numpy as np
import pytest

from core.structures.templates import ElementTables, templates
from core.structures.volume import volumes_A3_per_atom
from tests import crystals


def volume(counts, without=()):
    library = crystals.prototype_library(without)
    found = templates(library, ElementTables.of(library), counts)
    nearest = found.owner[int(np.argmin(found.distances))]
    return volumes_A3_per_atom(library, found, int(nearest))


def test_the_volume_of_a_known_compound_is_near_its_own():
    assert volume({"Na": 1, "Cl": 1}) == pytest.approx(5.64**3 / 8, rel=0.12)


def test_a_chemical_relative_has_nearly_the_same_volume():
    known = crystals.pnictide_oxide("Ce", 4.00, 8.65).volume_A3_per_atom
    assert volume({"Ce": 1, "Fe": 1, "As": 1, "O": 1}, ("CeFeAsO",)) == pytest.approx(known, rel=0.05)


def test_an_element_without_an_atomic_volume_takes_that_of_the_replaced_one():
    """Tc is in no compound of the library."""
    library = crystals.prototype_library()
    assert np.isnan(library.atomic_volumes_A3[42])
    assert 5 < volume({"Tc": 3, "Sn": 1}) < 40
