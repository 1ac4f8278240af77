"""Statistics of element properties: values by hand, limits, gradients."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.chemistry.composition import compositions
from core.predictors.features.element_features import element_features
from core.predictors.features.element_statistics import LARGEST, LEAST_VARIANCE, ElementStatistics
from core.training.element_properties import element_properties, property_names

PROPERTIES = torch.from_numpy(element_properties())


@pytest.fixture(scope="module")
def statistics() -> ElementStatistics:
    return ElementStatistics(PROPERTIES)


def parts(statistics: ElementStatistics, formulas: list[str]) -> list[torch.Tensor]:
    """Mean, deviation, maximum and minimum of the properties, and the extremes of the `element_features`."""
    p, q = PROPERTIES.shape[1], element_features().shape[1]
    mean, deviation, maximum, minimum = statistics(torch.from_numpy(compositions(formulas))).split(
        [p, p, p + q, p + q], dim=1
    )
    return [mean, deviation, maximum, minimum]


def test_an_element_has_its_own_properties(statistics):
    mean, deviation, maximum, minimum = parts(statistics, ["Nb"])
    niobium = torch.cat([PROPERTIES[40], element_features()[40]]).double()
    assert torch.allclose(mean[0], niobium[: mean.shape[1]])
    # the difference of two squares in float32: an error of 1e-6 beside a variance of 1e-4
    assert torch.allclose(deviation, torch.full_like(deviation, LEAST_VARIANCE**0.5), atol=1e-4)
    assert torch.allclose(maximum[0], niobium) and torch.allclose(minimum[0], niobium)


def test_two_elements_by_hand(statistics):
    mean, deviation, maximum, minimum = parts(statistics, ["Mg0.25B0.75"])
    magnesium, boron = PROPERTIES[11].double(), PROPERTIES[4].double()
    assert torch.allclose(mean[0], 0.25 * magnesium + 0.75 * boron)
    spread = (0.25 * 0.75 * (magnesium - boron).square() + LEAST_VARIANCE).sqrt()
    assert torch.allclose(deviation[0], spread, rtol=1e-5)
    high, low = torch.maximum(magnesium, boron), torch.minimum(magnesium, boron)
    p = len(magnesium)
    assert (maximum[0, :p] <= high + 1e-12).all() and (minimum[0, :p] >= low - 1e-12).all()
    # a difference of 1 leaves the other element 2% of the weight; beyond the limits, differences do not count
    apart = ((high - low) > 1) & (high.clamp(max=LARGEST) - low.clamp(min=-LARGEST) > 1)
    assert apart.any()
    assert torch.allclose(maximum[0, :p][apart], high[apart], atol=0.08)
    assert torch.allclose(minimum[0, :p][apart], low[apart], atol=0.08)


def test_a_trace_has_no_effect(statistics):
    without, with_trace = (statistics(torch.from_numpy(compositions([f]))) for f in ("MgB2", "MgB2Cs0.00001"))
    assert torch.allclose(without, with_trace, atol=1e-3)


def test_gradient_agrees_with_finite_differences(statistics):
    x = torch.from_numpy(compositions(["YBa2Cu3O7", "Ba0.6K0.4Fe2As2", "H3S"])).requires_grad_()
    # The deviation of a property that all elements have in common is steep and curved where another one enters.
    assert torch.autograd.gradcheck(statistics, x, eps=1e-7, atol=1e-3, rtol=1e-3)


def test_properties_are_those_of_the_elements():
    names, table = property_names(), element_properties()
    assert table.shape == (118, len(names)) and np.isfinite(table).all()
    assert np.allclose(table.mean(0), 0, atol=1e-5) and np.allclose(table.std(0), 1, atol=1e-4)
    column = {name: table[:, names.index(name)] for name in names}
    hydrogen, carbon, tungsten, caesium, fluorine = 0, 5, 73, 54, 8
    assert column["melting_point"].argmax() in (carbon, tungsten)
    assert column["X"].argmax() == fluorine and column["atomic_radius"].argmax() >= caesium
    assert column["valence_d_electrons"][tungsten] > column["valence_d_electrons"][hydrogen]
    d = np.unique(column["valence_d_electrons"])
    assert len(d) == 11  # 0 to 10 electrons
