"""Fine-tuning a network for Tc: learning, weights, precision of the checkpoint, resuming."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.chemistry import composition
from core.predictors.layers.composition_attention import AttentionSize, CompositionAttention, pack_networks
from core.training import tc_network
from core.training.tc_network import NetworkSettings

FORMULAS = [f"{a}{n}{b}" for a in ("V", "Nb", "Ta", "Mo") for b in ("C", "N", "Ge", "Si") for n in (1, 2, 3)]
SETTINGS = NetworkSettings(epochs=60, batch=24, learning_rate=1e-2, averaging=0.9)
SHORT = replace(SETTINGS, epochs=5)


@pytest.fixture
def start():
    torch.manual_seed(0)
    return CompositionAttention(AttentionSize(width=16, layers=1, heads=2, waves=4))


@pytest.fixture(scope="module")
def known():
    x = composition.compositions(FORMULAS)
    tc_K = 40 * np.array([formula.startswith(("Nb", "Mo")) for formula in FORMULAS], dtype=float)
    return x, tc_K, np.ones(len(tc_K))


def test_the_network_learns_tc_in_kelvin_and_the_pretrained_network_is_unchanged(start, known, tmp_path):
    before = {key: value.clone() for key, value in start.state_dict().items()}
    network = tc_network.fit(start, *known, SETTINGS, 0, tmp_path)
    with torch.no_grad():
        predicted = network(torch.from_numpy(known[0]).float())[:, 0].numpy()
    assert np.abs(predicted - known[1]).mean() < 10  # K; the mean would err by 20
    assert all(torch.equal(value, before[key]) for key, value in start.state_dict().items())
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_rows_of_weight_zero_are_not_learnt(start, known, tmp_path):
    x, tc_K, _ = known
    wrong = np.array([formula.startswith("Mo") for formula in FORMULAS])
    network = tc_network.fit(start, x, np.where(wrong, 300.0, tc_K), np.where(wrong, 0.0, 1.0), SETTINGS, 0, tmp_path)
    with torch.no_grad():
        predicted = network(torch.from_numpy(x).float())[:, 0].numpy()
    assert predicted.max() < 100  # K


def test_weights_have_the_precision_of_a_checkpoint_and_are_reproducible(start, known, tmp_path):
    network, again = (tc_network.fit(start, *known, SHORT, 0, tmp_path / name) for name in ("once", "twice"))
    stored = pack_networks([network], "network")
    assert {value.dtype for value in stored.values()} == {torch.float16}
    for key, value in network.state_dict().items():
        assert torch.equal(stored[f"network0.{key}"].float(), value) and torch.equal(again.state_dict()[key], value)
    assert network.size == replace(start.size, trace=SHORT.trace)


def test_a_training_for_a_graph_gives_the_same(start, known, tmp_path, as_on_a_gpu, monkeypatch):
    settings = replace(SETTINGS, epochs=3)
    there = tc_network.fit(start, *known, settings, 0, tmp_path / "graph")
    monkeypatch.undo()
    here = tc_network.fit(start, *known, settings, 0, tmp_path / "plain")
    assert there.capacity is None
    x = torch.from_numpy(known[0]).float()
    torch.testing.assert_close(there(x), here(x), rtol=0.02, atol=0.02)  # K


def test_a_finished_training_is_not_repeated(start, known, tmp_path, monkeypatch):
    network = tc_network.fit(start, *known, SHORT, 0, tmp_path)
    monkeypatch.setattr(torch.Tensor, "backward", lambda *_: pytest.fail("it learns again"))
    again = tc_network.fit(start, *known, SHORT, 0, tmp_path)
    assert all(torch.equal(value, again.state_dict()[key]) for key, value in network.state_dict().items())
