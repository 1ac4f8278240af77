"""Rounding of compositions to integer formulas and to formulas with fractional elements."""

import numpy as np
import pytest

from core.chemistry.composition import composition_vector, formula_of_counts
from core.generation.rounding import round_compositions

ZEROS = np.zeros(118)


def rounded(amounts: dict[str, float], sizes=range(1, 26), fixed=ZEROS):
    return round_compositions(composition_vector(amounts)[None], fixed, list(sizes))


def test_figure_2_composition_becomes_casro2():
    assert formula_of_counts(rounded({"Ca": 0.23, "Sr": 0.27, "O": 0.5}, [4]).counts[0]) == "SrCaO2"


def test_formulas_are_in_lowest_terms_and_the_smallest_size_wins_a_tie():
    result = rounded({"La": 1, "Fe": 1, "As": 1, "O": 1})
    assert formula_of_counts(result.counts[0]) == "LaFeAsO"
    assert formula_of_counts(rounded({"La": 2, "O": 6}, [8]).counts[0]) == "LaO3"
    quarter = {"O": 1, "La": 3}  # N = 1 and N = 2 have equal integer loss
    assert [formula_of_counts(rounded(quarter, sizes).counts[0]) for sizes in ([1, 2], [2])] == ["La", "LaO"]


def test_the_largest_remainder_method_keeps_the_total():
    result = rounded({"Fe": 1, "Co": 1, "Ni": 1}, [4])  # 1.33 each: separate rounding would lose an atom
    assert result.counts.sum() == 4 and result.counts.max() == 2


def test_fixed_fractions_are_kept():
    fixed = ZEROS.copy()
    fixed[[25, 32]] = 0.25
    x = composition_vector({"Fe": 0.25, "As": 0.25, "La": 0.26, "O": 0.24})
    counts = round_compositions(x[None], fixed, [4, 8, 12]).counts[0]
    assert counts[25] / counts.sum() == 0.25 and counts[32] / counts.sum() == 0.25


def test_integer_compositions_are_unchanged():
    random = np.random.default_rng(0)
    counts = random.integers(0, 5, (50, 118)) * (random.random((50, 118)) < 0.04)
    counts = counts[(counts.sum(1) > 0) & (counts.sum(1) <= 25)]
    x = counts / counts.sum(1, keepdims=True)
    again = round_compositions(x, ZEROS, range(1, 26)).compositions
    assert np.allclose(again, x, atol=1e-12)


def test_a_batch_is_rounded_as_each_composition_alone():
    random = np.random.default_rng(1)
    x = random.dirichlet(np.ones(5), 600) @ np.eye(118)[[3, 7, 25, 32, 56]]
    for exempt in (0, 2):
        together = round_compositions(x, ZEROS, range(1, 26), exempt=exempt).counts
        alone = [round_compositions(x[i : i + 1], ZEROS, range(1, 26), exempt=exempt).counts[0] for i in (0, 300, 599)]
        assert np.array_equal(together[[0, 300, 599]], alone)


def test_with_counts_returns_a_copy():
    result = rounded({"La": 1, "O": 3})
    other = rounded({"La": 2, "O": 3}).counts
    changed = result.with_counts(np.array([0]), other)
    assert formula_of_counts(changed.amounts[0]) == "La2O3" and formula_of_counts(result.counts[0]) == "LaO3"


def test_an_empty_list_of_sizes_is_an_error():
    with pytest.raises(ValueError, match="no number of atoms"):
        rounded({"La": 1}, [])


def test_floors_hold_in_whole_atoms():
    """0.36 of 4 or of 3 atoms is nearest to one H atom, but the floor of 0.4 requires two."""
    floors = ZEROS.copy()
    floors[0] = 0.4
    x = composition_vector({"Pd": 0.40, "Ti": 0.24, "H": 0.36})[None]
    assert formula_of_counts(round_compositions(x, ZEROS, [4], floors).counts[0]) == "TiPdH2"
    assert formula_of_counts(round_compositions(x, ZEROS, [3], floors).counts[0]) == "PdH2"


# Exempt elements are rounded to hundredths of an atom.


def doped(amounts: dict[str, float], sizes, fixed=ZEROS, floors=ZEROS) -> str:
    result = round_compositions(composition_vector(amounts)[None], fixed, list(sizes), floors, exempt=2)
    assert np.allclose(result.compositions, result.amounts / result.amounts.sum(1, keepdims=True))
    assert (np.gcd.reduce(result.counts, axis=1) == 1).all()
    return formula_of_counts(result.amounts[0])


def test_figure_3_of_gdmcd_becomes_a_doped_formula():
    """Ca0.23 Sr0.27 O0.50 with N = 4 is Ca0.92 Sr1.08 O2, half of which is the formula in lowest terms."""
    assert doped({"Ca": 0.23, "Sr": 0.27, "O": 0.5}, [4]) == "Sr0.54Ca0.46O"


def test_a_doped_site_has_the_usual_notation():
    amounts = {"Ba": 0.6, "K": 0.4, "Fe": 2, "As": 2}
    assert doped(amounts, range(4, 7)) == "K0.4Ba0.6Fe2As2"
    result = round_compositions(composition_vector(amounts)[None], ZEROS, [5], exempt=2)
    assert formula_of_counts(result.counts[0]) == "K2Ba3Fe10As10"  # the smallest cell of whole atoms
    assert doped(amounts, range(4, 26)) == "K2Ba3Fe10As10"  # N = 25 is allowed: whole atoms
    assert doped({**amounts, "Fe": 2.02, "As": 1.99}, range(4, 7)) == "K0.4Ba0.6Fe2As2"


def test_integer_formulas_are_unchanged_and_traces_are_removed():
    assert doped({"Y": 1, "Ba": 2, "Cu": 3, "O": 7}, range(4, 25)) == "Ba2YCu3O7"
    assert doped({"Mg": 1, "B": 1.998, "C": 0.002}, [3]) == "MgB2"


def test_doped_formulas_keep_fixed_fractions_and_floors():
    fixed, floors = ZEROS.copy(), ZEROS.copy()
    fixed[[28, 7]] = 1 / 7, 4 / 7  # CuO4 of La2CuO4
    assert doped({"La": 1.851, "Sr": 0.149, "Cu": 1, "O": 4}, [7], fixed) == "Sr0.15La1.85CuO4"
    floors[0] = 0.404
    assert doped({"Pd": 0.5957, "H": 0.4043}, [4], floors=floors) == "Pd0.59H0.41"


def test_random_doped_formulas_have_whole_sites():
    random = np.random.default_rng(1)
    x = random.random((300, 118)) * (random.random((300, 118)) < 0.05)
    x = x[x.any(1)] / x[x.any(1)].sum(1, keepdims=True)
    result = round_compositions(x, ZEROS, range(4, 25), exempt=2)
    hundredths = result.amounts * 100
    assert np.allclose(hundredths, np.round(hundredths), atol=1e-6)
    fractional = np.abs(result.amounts - np.round(result.amounts)) > 1e-6
    assert (fractional.sum(1) <= 2).all() and fractional.any()
    sites = np.where(fractional, result.amounts, 0).sum(1)
    assert np.allclose(sites, np.round(sites), atol=1e-6)
    assert (np.round(result.amounts.sum(1)) <= 24).all()
