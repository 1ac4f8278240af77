"""The published networks in bfloat16: values and gradients are accurate, and used only in the steps."""

import pytest
import torch
from torch import nn

from core.evaluation.design import prepare
from core.generation.gradient import optimiser
from core.predictors.layers import bfloat16
from core.predictors.layers.bfloat16 import (
    Bfloat16Block,
    Bfloat16Layers,
    InBfloat16,
    processor_multiplies_bfloat16,
    relu_gradient,
)
from core.predictors.registry import PUBLISHED, load_predictor
from core.problem.problem import DesignProblem
from core.problem.settings import BFLOAT16, OptimiserSettings
from core.reference_data.references import load_references


def value_and_gradient(predictor, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    x = x.clone().requires_grad_(True)
    value = predictor(x)
    return value.detach(), torch.autograd.grad(value.sum(), x)[0]


@pytest.mark.parametrize(("name", "off"), [(PUBLISHED.tc, 1.0), (PUBLISHED.formation_energy, 0.05)])
def test_values_and_gradients_are_nearly_those_of_float32(name, off):
    """off : in K and eV/atom"""
    known = load_references().known_compositions
    precise = load_predictor(name)
    there = precise.known_elements.numpy()
    x = torch.from_numpy(known[~known[:, ~there].any(1)][::200]).float()
    expected, found = (value_and_gradient(each, x) for each in (precise, precise.in_bfloat16()))
    assert found[0].dtype == found[1].dtype == torch.float32
    assert (found[0] - expected[0]).abs().mean() < off and not torch.equal(found[0], expected[0])
    sloped = expected[1].abs().sum(1) > 0
    alike = torch.cosine_similarity(expected[1][sloped], found[1][sloped])
    assert alike.median() > 0.99 and alike.min() > 0.5


def test_the_original_predictor_is_unchanged():
    precise = load_predictor(PUBLISHED.tc)
    before = {name: tensor.clone() for name, tensor in precise.state_dict().items()}
    precise.in_bfloat16()
    assert all(torch.equal(tensor, before[name]) for name, tensor in precise.state_dict().items())


def test_input_and_output_keep_their_dtype():
    network = InBfloat16(Bfloat16Layers([nn.Linear(3, 2)], relu=False))
    assert network(torch.ones(1, 3)).dtype == torch.float32


@pytest.mark.parametrize("name", [PUBLISHED.tc, PUBLISHED.formation_energy])
def test_nan_gives_nan_and_does_not_change_other_rows(name):
    known = torch.from_numpy(load_references().known_compositions[:8]).float()
    predictor = load_predictor(name).in_bfloat16()
    expected = predictor(known)
    known[3, 5] = torch.nan
    found = predictor(known)
    assert found.isnan().tolist() == [k == 3 for k in range(8)]
    assert torch.equal(found[found == found], expected[found == found])


def test_relu_gradient_agrees_with_torch():
    random = torch.Generator().manual_seed(0)
    values, slope = torch.randn(2, 64, 33, generator=random).to(torch.bfloat16)
    values = values.relu()
    slope[0, :4] = torch.tensor([0.0, -0.0, torch.inf, -1e-38])
    assert torch.equal(relu_gradient(slope, values), torch.ops.aten.threshold_backward(slope, values, 0))


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("strided", [True, False])
def test_a_block_agrees_with_its_equation(fused, strided, monkeypatch):
    """Value and gradient, within the precision of bfloat16; fused too if the processor has matrix units for it."""
    there = processor_multiplies_bfloat16()
    monkeypatch.setattr(bfloat16, "processor_multiplies_bfloat16", lambda: fused and there)
    torch.manual_seed(0)
    columns, rows, channels, outputs = 4, 2, 3, 6 if strided else 24
    first, second = nn.Linear(24, 16), nn.Linear(16, outputs)
    shortcut = nn.Linear(2 * 1 * channels, outputs) if strided else None
    block = Bfloat16Block(first, second, shortcut and (shortcut, (columns, rows, channels), 2))
    x = torch.randn(7, 24, requires_grad=True)
    beside = shortcut(x.view(-1, columns, rows, channels)[:, ::2, ::2].flatten(1)) if strided else x
    expected = torch.relu(second(torch.relu(first(x))) + beside)
    found = block(x.to(torch.bfloat16)).float()
    torch.testing.assert_close(found, expected, rtol=0.02, atol=0.03)
    slopes = [torch.autograd.grad((each * torch.arange(outputs)).sum(), x)[0] for each in (expected, found)]
    assert torch.cosine_similarity(*slopes).min() > 0.99


@pytest.mark.parametrize("relu", [True, False])
def test_layers_are_the_same_with_onednn_and_without(relu, monkeypatch):
    torch.manual_seed(0)
    layers = [nn.Linear(9, 8), nn.Linear(8, 5)]
    fused = Bfloat16Layers(layers, relu)
    monkeypatch.setattr(bfloat16, "processor_multiplies_bfloat16", lambda: False)
    plain = Bfloat16Layers(layers, relu)
    x = torch.randn(11, 9).to(torch.bfloat16)
    for k in range(2):
        torch.testing.assert_close(*(value_and_gradient(each, x)[k] for each in (fused, plain)), rtol=0.02, atol=0.02)


def test_steps_use_bfloat16_and_stored_values_are_float32():
    settings = OptimiserSettings(candidates=4, steps=(2, 2))
    problem = DesignProblem("LaFeAsO", settings=settings, device="cpu", tc_predictor=PUBLISHED.tc,
                            formation_energy_predictor=PUBLISHED.formation_energy, precision=BFLOAT16)  # fmt: skip
    task = prepare(problem).task
    state = optimiser.init(task)
    _, seen = optimiser.step(task, state)
    kept = optimiser.evaluate(task, state)
    precise = load_predictor(PUBLISHED.tc)(kept.composition)
    assert torch.allclose(kept.tc_K, precise, atol=1e-3)
    assert torch.allclose(seen.tc_K, load_predictor(PUBLISHED.tc).in_bfloat16()(kept.composition), atol=1e-3)
    assert not torch.allclose(seen.tc_K, precise, atol=1e-3)
