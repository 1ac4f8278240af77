"""The fit gives back energies that it can describe, and no energy without formulas."""

import numpy as np
import pytest

from core.generation.search.energy_fit import EnergyFit
from tests.unit.generation.search.test_formula_space import cells

FORMULAS = ("LaFeAsO", "La2CuO4", "Sr2CuO3", "SrO", "La2O3", "FeAs", "CuO", "LaAs", "SrFe2As2", "YBa2Cu3O7", "BaO")


def test_energies_that_are_linear_in_the_fractions_are_found_also_for_other_formulas():
    of_element = np.linspace(-0.5, 0.4, 118)
    counts, others = cells(*FORMULAS), cells("SrLaCuO4", "LaSrFeO4")
    energy = (counts / counts.sum(1, keepdims=True)) @ of_element - 1
    fit = EnergyFit.of(counts, energy)
    assert fit(counts) == pytest.approx(energy, abs=0.02)
    assert fit(others) == pytest.approx((others / others.sum(1, keepdims=True)) @ of_element - 1, abs=0.02)


def test_an_element_that_lowers_the_energy_by_a_few_atoms_is_told_from_one_that_does_not():
    counts = cells("La8Cu4O15F", "La8Cu4O15Cl", "La8Cu4O16", "La9Cu3O15F", "La9Cu3O15Cl")
    fit = EnergyFit.of(counts, np.array([-2.5, -2.0, -2.1, -2.6, -2.1]))
    with_fluorine, with_chlorine = fit(cells("La7Cu5O15F", "La7Cu5O15Cl"))
    assert with_fluorine < with_chlorine - 0.45


def test_unknown_elements_get_the_mean_and_without_formulas_the_energy_is_0():
    fit = EnergyFit.of(cells("LaFeAsO", "La2CuO4"), np.array([-2.0, -2.4]))
    assert fit(cells("MgB2")) == pytest.approx([-2.2])
    nothing = EnergyFit.of(np.zeros((0, 118), dtype=np.int64), np.zeros(0))
    assert nothing(cells("MgB2")) == pytest.approx([0.0])
