"""Kernel regression: closed forms, smoothness, and gradients at the known compositions, where they are largest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.chemistry import composition, elements
from core.predictors.layers import composition_kernel
from core.predictors.layers.composition_kernel import (
    CompositionKernel,
    ElementTables,
    KernelShape,
    composition_features,
)
from core.training.kernel_regression import fit

KNOWN = {"YBa2Cu3O7": 92.0, "La1.85Sr0.15CuO4": 37.0, "MgB2": 39.0, "Nb3Sn": 18.0, "FeSe": 9.0}


def vectors(formulas) -> torch.Tensor:
    return torch.from_numpy(composition.compositions(formulas))


def fitted(ridge: float = 1e-6, short_range: float = 0.0) -> CompositionKernel:
    shape = KernelShape(short_range=short_range)
    return fit(composition.compositions(KNOWN), np.array(list(KNOWN.values())), ridge, shape)


def test_the_kernel_of_a_composition_with_itself_is_nearly_1_and_falls_with_distance():
    tables = ElementTables.standard()
    here = composition_features(vectors(["YBa2Cu3O7"]), tables)
    others = composition_features(vectors(["YBa2Cu3O7", "YBa2Cu3O6.9", "YBa2Cu3O6", "La2CuO4", "MgB2"]), tables)
    shape = KernelShape()
    (row,) = shape.near(shape.distance(shape.coordinates(here), shape.coordinates(others)))
    assert 0.98 < float(row[0]) < 1
    assert (row.diff() < 0).all() and float(row[-1]) > 0


def test_the_kernel_agrees_with_its_equation():
    shape = KernelShape(property_weight=0.5, length=2.0, soft=0.1)
    one, other = torch.zeros(1, 151, dtype=torch.float64), torch.zeros(1, 151, dtype=torch.float64)
    one[0, 0], other[0, 120], other[0, 121] = 3.0, 4.0, 2.0
    by_amount, by_property = 25.0, 4.0
    found = shape.distance(shape.coordinates(one), shape.coordinates(other))
    distance = np.sqrt(by_amount + 0.5 * by_property + 0.01)
    assert float(found) == pytest.approx(distance, rel=1e-6)
    assert float(shape.near(found)) == pytest.approx(np.exp(-distance / 2), rel=1e-6)
    both = replace(shape, short_range=0.3)
    expected = (np.exp(-distance / 2) + 0.3 * np.exp(-4 * distance / 2)) / 1.3
    assert float(both.near(found)) == pytest.approx(expected, rel=1e-6)


def test_the_short_range_follows_one_compound_without_an_effect_on_distant_ones():
    far = vectors(["CaFeAsF"]).float()
    without, with_it = (abs(float(fitted(0.05, short_range)(far)[0])) for short_range in (0.0, 100.0))
    assert with_it < 0.1 * without
    value, _ = fitted(1e-6, 100.0)(vectors(KNOWN).float())
    assert value.numpy() == pytest.approx(list(KNOWN.values()), abs=0.05)


def test_without_a_ridge_it_interpolates_the_known_compositions():
    value, distance = fitted()(vectors(KNOWN).float())
    assert value.numpy() == pytest.approx(list(KNOWN.values()), abs=0.05)
    assert distance.numpy() == pytest.approx(KernelShape().soft, abs=1e-3)


def test_a_ridge_shrinks_towards_zero_and_may_differ_between_compositions():
    assert fitted(1e9)(vectors(["YBa2Cu3O7"]).float())[0].item() == pytest.approx(0, abs=0.01)
    uncertain = fit(
        composition.compositions(KNOWN), np.array([*KNOWN.values()]), np.array([1e9, *[1e-6] * 4]), KernelShape()
    )
    value = uncertain(vectors(KNOWN).float())[0]
    assert value[1:].numpy() == pytest.approx(list(KNOWN.values())[1:], abs=0.05)
    assert float(value[0]) < 60


def test_the_value_is_kernel_times_weights_for_every_batch_size(monkeypatch):
    model, x = fitted().double(), vectors([*KNOWN, "CaFeAsF", "HgBa2CuO4"])
    value, distance = model(x)
    here = model.shape.coordinates(model.features(x)) - model.centre
    matrix = model.shape.near(model.shape.distance_to(here, model.known))
    assert torch.allclose(value, matrix @ model.weights)
    monkeypatch.setattr(composition_kernel, "ROWS", 2)
    assert all(torch.allclose(a, b, rtol=1e-9) for a, b in zip(model(x), (value, distance), strict=True))


@pytest.mark.parametrize("formula", ["YBa2Cu3O7", "MgB2", "CaFeAsF"])
def test_a_trace_of_an_element_has_little_effect(formula):
    model, x = fitted(), vectors([formula]).float()
    mixed = x.clone()
    mixed[0, elements.element("Hg").index] = 1e-6
    assert abs(float(model(mixed / mixed.sum())[0] - model(x)[0])) < 0.05  # K


@pytest.mark.parametrize("short_range", [0.0, 0.3])
@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("formula", ["YBa2Cu3O6.8", "MgB2", "CaFeAsF"])
def test_gradients_against_finite_differences(formula, which, short_range):
    model = fitted(short_range=short_range).double()
    x = vectors([formula]).requires_grad_()
    (gradient,) = torch.autograd.grad(model(x)[which].sum(), x)
    assert torch.isfinite(gradient).all()
    for symbol in ("O", "Cu", "Mg", "Fe"):
        direction = vectors([symbol]) - x.detach()  # along the simplex: more of this element, less of all others
        with torch.no_grad():
            numeric = float(model(x + 1e-8 * direction)[which] - model(x - 1e-8 * direction)[which]) / 2e-8
        assert float((gradient * direction).sum()) == pytest.approx(numeric, rel=1e-3, abs=2e-2)


def test_gradients_of_both_outputs_add_up():
    model, x = fitted().double(), vectors(["CaFeAsF", "La2CuO4"]).requires_grad_()
    value, distance = model(x)
    (both,) = torch.autograd.grad((3 * value - 7 * distance).sum(), x)
    value, distance = model(x)
    (first,) = torch.autograd.grad(value.sum(), x)
    (second,) = torch.autograd.grad(model(x)[1].sum(), x)
    assert torch.allclose(both, 3 * first - 7 * second)


def test_the_kernel_stays_on_the_cpu_if_a_device_lacks_float64(monkeypatch):
    monkeypatch.setattr(composition_kernel, "WITHOUT_FLOAT64", {"meta"})
    model, x = fitted(), vectors(["CaFeAsF"]).float()
    before = model(x)
    kept = torch.nn.Sequential(model).to("meta")[0]
    assert all(buffer.device.type == "cpu" for buffer in kept.buffers())
    assert all(torch.equal(a, b) for a, b in zip(kept(x), before, strict=True))
