"""Coverage of samples: closed forms, copies, one kind of crystal only, other elements."""

import numpy as np
import pytest

from core.training.crystal_coverage import NEAR, coverage, descriptors
from tests import crystals

PAIRS = [(metal, halogen) for metal in ("Li", "Na", "K", "Rb") for halogen in ("F", "Cl", "Br")]
HALIDES = [crystals.rock_salt(*pair, 5.6 + 0.1 * i) for i, pair in enumerate(PAIRS)]
BORIDES = [crystals.diboride(metal, 3.1, 3.4) for metal in ("Mg", "Al", "Ti", "Zr", "Nb", "Ta")]
REFERENCES, REAL = HALIDES[::2] + BORIDES[::2], HALIDES[1::2] + BORIDES[1::2]


def test_copies_of_the_references_cover_them():
    found = coverage(REFERENCES, REFERENCES, REAL)
    assert found["recall"] == found["precision"] == 1.0 and found["n"] == len(REFERENCES)


def test_samples_of_one_kind_are_precise_and_recall_its_share():
    found = coverage(BORIDES[::2], REFERENCES, REAL)
    assert found["precision"] == 1.0 and found["recall"] == pytest.approx(3 / 9)


def test_a_crystal_that_is_near_in_one_way_only_is_not_covered():
    wrong = [crystals.diboride("Na", 3.1, 3.4).with_symbols(["Xe", "Xe", "Xe"])]
    assert coverage(wrong, REFERENCES, REAL)["precision"] == 0.0
    assert coverage([], REFERENCES, REAL)["recall"] == 0.0


def test_real_crystals_are_near_by_the_definition():
    found = coverage(REAL, REFERENCES, REAL)
    assert found["precision"] == found["real_precision"] and found["recall"] == found["real_recall"]
    assert 2 * NEAR - 1 - 1 / len(REAL) <= found["real_precision"] <= 1


def test_descriptors_do_not_change_with_the_volume_and_compositions_have_known_means():
    one, two = descriptors([HALIDES[0], HALIDES[0].scaled_to(20.0)]).structure
    np.testing.assert_allclose(one, two, rtol=1e-5)
    (facts,) = descriptors([crystals.rock_salt("Na", "Cl", 5.64)]).composition
    assert facts[1] == 3.0 and facts[2] == pytest.approx((0.93 + 3.16) / 2) and facts[5] == 0.0


def test_without_references_there_is_no_coverage():
    with pytest.raises(ValueError, match="reference"):
        coverage(REFERENCES, [], REAL)
