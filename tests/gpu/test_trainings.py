"""Trainings on a CUDA device: captured, resumed, side by side, and in agreement with steps that are not captured."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from core.chemistry import composition, elements
from core.predictors.info import Role
from core.predictors.layers.composition_attention import AttentionSize, CompositionAttention
from core.predictors.registry import load_predictor, predictors
from core.predictors.tc.resnet import ResNet18
from core.training import loop
from core.training.batches import ShuffledColumns
from core.training.loop import FitSettings, fit, fit_members

FORMULAS = ["Fe", "NaCl", "YBa2Cu3O7", "La1.85Sr0.15CuO4", "BaSrCaYLaFeCoAsO"]
MOST = 9
SETTINGS = FitSettings(epochs=3, steps_per_epoch=7, learning_rate=1e-3, weight_decay=0.01, averaging=0.9)
PUBLISHED = replace(SETTINGS, averaging=None, gradient_clip=None, optimiser="nadam", schedule="constant")
BY_SETTINGS = pytest.mark.parametrize("settings", [SETTINGS, PUBLISHED], ids=["one cycle", "NAdam"])


def attention() -> nn.Module:
    torch.manual_seed(0)
    return CompositionAttention(AttentionSize(width=32, layers=2, heads=4, waves=8)).with_capacity(MOST)


def batches(seed: int = 0) -> ShuffledColumns:
    random = np.random.default_rng(0)
    x = composition.compositions(FORMULAS)[random.integers(len(FORMULAS), size=7 * 32 + 5)]
    x = x * random.uniform(0.5, 1.5, x.shape)
    x /= x.sum(1, keepdims=True)
    target = x @ np.linspace(-1, 1, elements.N_ELEMENTS)
    return ShuffledColumns((torch.from_numpy(x).float(), torch.from_numpy(target).float()), 32, seed)


def loss(model, batch):
    return (model(batch[0]).squeeze(1) - batch[1]).abs().mean()


def noisy(model, batch):
    return loss(model, (batch[0] * (1 + 0.1 * torch.randn_like(batch[0])), batch[1]))


def nothing(model):
    return {}


def largest_difference(one, other) -> float:
    x = torch.from_numpy(composition.compositions(FORMULAS)).float()
    with torch.no_grad():
        return float((one(x) - other(x)).abs().max())


@BY_SETTINGS
def test_a_captured_training_is_that_of_launched_steps(settings, tmp_path, monkeypatch, capsys):
    graph = fit(attention(), batches(), loss, settings, tmp_path / "graph", nothing)
    assert "cannot be captured" not in capsys.readouterr().out
    monkeypatch.setattr(loop, "captured", lambda forms, changed: forms[-1])
    launched = fit(attention(), batches(), loss, settings, tmp_path / "launched", nothing)
    assert largest_difference(graph, launched) < 1e-5
    monkeypatch.setattr(loop, "training_device", lambda: torch.device("cpu"))
    assert largest_difference(graph, fit(attention(), batches(), loss, settings, tmp_path / "cpu", nothing)) < 1e-3


@BY_SETTINGS
def test_a_resumed_training_gives_the_same_weights(settings, tmp_path):
    """Random numbers of the device included."""

    class Killed(Exception):
        pass

    seen = []

    def killed(model):
        seen.append(model)
        if len(seen) == 3:
            raise Killed
        return {}

    straight = fit(attention(), batches(), noisy, settings, tmp_path / "a", nothing)
    with pytest.raises(Killed):
        fit(attention(), batches(), noisy, settings, tmp_path / "b", killed)
    resumed = fit(attention(), batches(), noisy, settings, tmp_path / "b", nothing)
    assert largest_difference(straight, resumed) < 1e-6


@BY_SETTINGS
def test_members_side_by_side_are_trained_as_alone(settings, tmp_path, capsys):
    orders = [batches(seed) for seed in range(3)]
    places = [tmp_path / str(i) for i in range(3)]
    together = fit_members([attention() for _ in orders], orders, loss, settings, places, nothing)
    assert "cannot be captured" not in capsys.readouterr().out
    for i, (order, member) in enumerate(zip(orders, together, strict=True)):
        assert (
            largest_difference(member, fit(attention(), order, loss, settings, tmp_path / f"{i}-alone", nothing)) < 1e-5
        )


def test_the_residual_network_is_captured(tmp_path, capsys):
    images = torch.randn(7 * 32, 4, 7, 32, generator=torch.Generator().manual_seed(0))
    columns = ShuffledColumns((images, images.mean((1, 2, 3))), 32, 0)

    def of_images(model, batch):
        return (model(batch[0]) - batch[1]).abs().mean()

    model = fit(ResNet18(), columns, of_images, SETTINGS, tmp_path, nothing)
    assert "cannot be captured" not in capsys.readouterr().out
    assert all(torch.isfinite(each).all() for each in model.parameters())


@pytest.mark.parametrize("name", [info.name for info in predictors() if info.role is not Role.CONTROL])
def test_predictors_in_a_graph_agree_with_the_cpu(name):
    predictor = load_predictor(name)
    x = torch.from_numpy(composition.compositions(FORMULAS)).float()
    here = x.clone().requires_grad_()
    expected = predictor(here)
    (slope,) = torch.autograd.grad(expected.sum(), here)
    form = predictor.to(torch.device("cuda")).capturable(MOST)
    there = x.cuda().requires_grad_()

    def both():
        value = form(there)
        return value, torch.autograd.grad(value.sum(), there)[0]

    beside = torch.cuda.Stream()
    beside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(beside):
        for _ in range(3):
            both()
    torch.cuda.current_stream().wait_stream(beside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        value, gradient = both()
    graph.replay()
    assert torch.allclose(value.cpu(), expected.detach(), rtol=1e-3, atol=1e-3)
    assert torch.allclose(gradient.cpu(), slope, rtol=1e-2, atol=1e-3 * float(slope.abs().max()))
