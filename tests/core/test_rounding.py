"""From ratios to integer formulas."""

import numpy as np
import pytest

from core.composition import composition_vector, formula_of_counts
from core.rounding import round_compositions

NOTHING = np.zeros(118)


def rounded(amounts: dict[str, float], sizes=range(1, 26), fixed=NOTHING):
    return round_compositions(composition_vector(amounts)[None], fixed, list(sizes))


def test_figure_2_composition_becomes_casro2():
    assert formula_of_counts(rounded({"Ca": 0.23, "Sr": 0.27, "O": 0.5}, [4]).counts[0]) == "SrCaO2"


def test_reduced_by_the_gcd_and_smallest_size_on_a_tie():
    result = rounded({"La": 1, "Fe": 1, "As": 1, "O": 1})
    assert formula_of_counts(result.counts[0]) == "LaFeAsO"
    assert result.atoms[0] == 4  # not 8, 12, ..., which lie on the same grid point
    assert formula_of_counts(rounded({"La": 2, "O": 6}, [8]).counts[0]) == "LaO3"


def test_total_is_kept_by_the_largest_remainder():
    result = rounded({"Fe": 1, "Co": 1, "Ni": 1}, [4])  # 1.33 each: plain rounding would lose an atom
    assert result.counts.sum() == 4 and result.counts.max() == 2


def test_fixed_part_is_kept():
    fixed = NOTHING.copy()
    fixed[[25, 32]] = 0.25
    x = composition_vector({"Fe": 0.25, "As": 0.25, "La": 0.26, "O": 0.24})
    counts = round_compositions(x[None], fixed, [4, 8, 12]).counts[0]
    assert counts[25] / counts.sum() == 0.25 and counts[32] / counts.sum() == 0.25


def test_random_compositions_keep_totals_and_come_back():
    random = np.random.default_rng(0)
    counts = random.integers(0, 5, (50, 118)) * (random.random((50, 118)) < 0.04)
    counts = counts[(counts.sum(1) > 0) & (counts.sum(1) <= 25)]
    x = counts / counts.sum(1, keepdims=True)
    again = round_compositions(x, NOTHING, range(1, 26)).compositions
    assert np.allclose(again, x, atol=1e-12)


def test_no_size_is_an_error():
    with pytest.raises(ValueError, match="no number of atoms"):
        rounded({"La": 1}, [])


def test_a_floor_is_reached_in_whole_atoms():
    """0.36 H of 4 or 3 atoms is nearest to one atom, but 0.4 of them are two."""
    floors = NOTHING.copy()
    floors[0] = 0.4
    x = composition_vector({"Pd": 0.40, "Ti": 0.24, "H": 0.36})[None]
    assert formula_of_counts(round_compositions(x, NOTHING, [4], floors).counts[0]) == "TiH2Pd"
    assert formula_of_counts(round_compositions(x, NOTHING, [3], floors).counts[0]) == "H2Pd"
