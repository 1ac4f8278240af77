"""Trees, networks, kernel and gate: the equation, and the committed model."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from core.chemistry import composition, elements
from core.predictors import checkpoint
from core.predictors.interface import Predictor, estimate_in_batches, predict_in_batches
from core.predictors.layers.composition_attention import AttentionSize, CompositionAttention
from core.predictors.layers.composition_kernel import KernelShape
from core.predictors.layers.smooth_trees import SmoothTrees
from core.predictors.registry import load_predictor
from core.predictors.tc.ensemble import ErrorScale, Gate, TcEnsemble
from core.reference_data.references import load_references
from core.training.kernel_regression import fit
from core.training.metrics import inside_intervals

KNOWN = {"YBa2Cu3O7": 92.0, "MgB2": 39.0, "FeSe": 9.0}
SCALE = ErrorScale(floor_K=1.0, relative=0.1, near=0.2, near_distance=0.05, far=0.5)


def constant(value: float) -> SmoothTrees:
    """Trees with the same prediction for every composition."""
    nothing = torch.zeros(1, 2)
    return SmoothTrees(nothing, nothing, nothing, torch.zeros(1, 2, 2), value)


def vectors(formulas) -> torch.Tensor:
    return torch.from_numpy(composition.compositions(formulas))


def constant_network(value: float) -> CompositionAttention:
    """A network with the same prediction for every composition."""
    network = CompositionAttention(AttentionSize(width=8, layers=1, heads=2, waves=2))
    last = network.head[-1]
    torch.nn.init.zeros_(last.weight)
    torch.nn.init.constant_(last.bias, value)
    return network.requires_grad_(False)


def model(
    *heights_K: float, networks_K: Sequence[float] = (), log_odds: float = 50.0, gate: Gate | None = None
) -> TcEnsemble:
    heights_K = heights_K or (10.0,)
    left = np.array(list(KNOWN.values())) - np.mean([*heights_K, *networks_K])
    kernel = fit(composition.compositions(KNOWN), left, 1e-6, KernelShape())
    all_known = torch.ones(elements.N_ELEMENTS, dtype=torch.bool)
    heights = [constant(height) for height in heights_K]
    networks = [constant_network(height) for height in networks_K]
    return TcEnsemble(
        "mixed", heights, networks, kernel, constant(log_odds), gate or Gate(), all_known, SCALE, 0.5
    ).double()


@pytest.mark.parametrize(("log_odds", "share"), [(-40.0, 0.0), (0.5, 0.5), (1.5, 0.8807971), (40.0, 1.0)])
def test_small_odds_lower_tc(log_odds, share):
    gate = Gate(sure=0.5, by_height=0.0, steepness=2.0)
    x = vectors(["YBa2Cu3O6.9"])
    assert float(model(log_odds=log_odds, gate=gate)(x)) == pytest.approx(share * float(model()(x)), rel=1e-6, abs=1e-9)


def test_a_high_tc_needs_smaller_odds():
    gate = Gate(sure=1.0, by_height=2.0, height_K=10.0, steepness=3.0)
    odds, height = torch.tensor([1.0, -1.0, 1.0]), torch.tensor([0.0, 10 * (np.e - 1), 10 * (np.e - 1)])
    assert gate(odds, height).tolist() == pytest.approx([0.5, 0.5, 1 / (1 + np.exp(-6))])


def test_the_kernel_adds_to_the_trees_and_decays_with_the_distance():
    mixed = model(20.0)
    near, far = vectors(["MgB2"]), vectors(["Rb3C60"])
    assert float(mixed(near)) == pytest.approx(20 + float(mixed.kernel(near)[0]))
    assert abs(float(mixed(far)) - 20) < 2 < 15 < abs(float(mixed(near)) - 20)


def test_the_prediction_is_the_mean_of_the_members():
    mixed, x = model(20.0, 50.0), vectors(["YBa2Cu3O6.9", "MgB2"])
    each = torch.stack([mixed.member_at(step)(x) for step in (0, 1)])
    assert torch.allclose(each.mean(0), mixed(x)) and torch.allclose(each[1] - each[0], torch.full((2,), 30.0).double())
    assert mixed.member_at(2) is mixed.member_at(0) and model().member_at(5)(x).shape == (2,)
    assert mixed.member_at(0).kernel is mixed.kernel


def test_a_network_has_the_weight_of_a_set_of_trees():
    mixed, x = model(20.0, 50.0, networks_K=[80.0]), vectors(["YBa2Cu3O6.9", "MgB2"])
    each = torch.stack([mixed.member_at(step)(x) for step in (0, 1, 2)])
    assert torch.allclose(each.diff(dim=0), torch.full((2, 2), 30.0).double())
    assert torch.allclose(each.mean(0), mixed(x)) and mixed.member_at(3) is mixed.member_at(0)
    assert float(mixed(vectors(["Rb3C60"]))) == pytest.approx(50, abs=2)


def test_tc_is_never_negative():
    x = torch.distributions.Dirichlet(torch.full((elements.N_ELEMENTS,), 0.05, dtype=torch.float64)).sample((64,))
    assert (model(-100.0)(x) == 0).all()


def test_the_expected_error_by_hand():
    assert SCALE(50.0, 0.0) == pytest.approx(1 + 50 * 0.1)
    assert SCALE(50.0, 0.05) == pytest.approx(1 + 50 * (0.1 + 0.2 / 2 + 0.5 * 0.0025))
    assert SCALE(0.0, 2.0) == 1.0


def test_the_expected_error_grows_with_the_distance():
    mixed = model()
    tc, error, distance = mixed.estimate(vectors(["YBa2Cu3O7", "YBaSrCu3O7", "YBa2Cu3O6.5"]))
    from_kernel = mixed.kernel(vectors(["YBa2Cu3O7", "YBaSrCu3O7", "YBa2Cu3O6.5"]))[1]
    assert torch.allclose(distance, from_kernel - mixed.kernel.shape.soft) and abs(float(distance[0])) < 1e-3
    assert torch.equal(tc, mixed(vectors(["YBa2Cu3O7", "YBaSrCu3O7", "YBa2Cu3O6.5"])))
    assert torch.allclose(error, SCALE(tc, from_kernel))
    assert ((error / tc).diff() > 0).all()


# The committed model.


@pytest.fixture(scope="module")
def committed():
    return load_predictor("tc-ensemble")


def test_known_elements_are_those_of_the_training_data(committed):
    assert isinstance(committed, Predictor) and committed.name == "tc-ensemble"
    assert torch.equal(committed.known_elements, load_predictor("tc").known_elements)  # trained on the same data


def test_known_tc_is_reproduced_better_than_by_the_published_network(committed):
    references = load_references()
    rows = np.random.default_rng(0).choice(len(references.known_tc_K), 500, replace=False)
    x, tc = torch.from_numpy(references.known_compositions[rows]).float(), references.known_tc_K[rows]
    ours, network = (np.abs(predict_in_batches(p, x) - tc).mean() for p in (committed, load_predictor("tc")))
    assert ours < network < 10


@pytest.mark.parametrize("formula", ["YBa2Cu3O7", "MgB2", "LaFeAsO", "Nb3Sn"])
def test_a_trace_of_an_element_has_no_effect(committed, formula):
    x = vectors([formula]).float()
    for symbol in ("H", "O", "Zn", "Pr", "Hg"):
        mixed = x.clone()
        mixed[0, elements.element(symbol).index] += 1e-6
        assert abs(float(committed(mixed / mixed.sum()) - committed(x))) < 0.05  # K


def test_gradients_of_the_committed_model_against_finite_differences():
    exact = load_predictor("tc-ensemble").double()  # the peaks at known compositions are too narrow for float32 steps
    x = vectors(["LaFeAsO", "YBa2Cu3O7", "Mg0.9Al0.1B2"]).requires_grad_()
    (gradient,) = torch.autograd.grad(exact(x).sum(), x)
    assert torch.isfinite(gradient).all()
    direction = vectors(["FeO", "CuO", "MgB"]) - x.detach()
    with torch.no_grad():
        numeric = (exact(x + 1e-6 * direction) - exact(x - 1e-6 * direction)) / 2e-6
    assert (gradient * direction).sum(1).tolist() == pytest.approx(numeric.tolist(), rel=1e-3, abs=0.1)


def test_metrics_on_the_card():
    held_out = checkpoint.read_card("tc-ensemble")["metrics_held_out"]
    assert held_out["tc_mae_K"] <= 4.1 and held_out["tc_r2"] >= 0.924
    assert held_out["precision_above_1_K_with_cod"] >= 0.80
    assert held_out["precision_at_recall_0.9_with_cod"] >= 0.85
    systems = held_out["systems_held_out"]
    assert systems["tc_mae_K"] <= 6.0 and systems["tc_r2"] >= 0.87


def test_error_intervals_hold_on_a_held_out_sample(committed):
    """held_out_tc.csv: 300 of the test part, drawn at random; NIMS MDR SuperCon and Stanev et al. 2018, CC BY 4.0."""
    with (Path(__file__).parent / "held_out_tc.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    measured = np.array([float(row["tc_K"]) for row in rows])
    estimates = estimate_in_batches(committed, vectors([row["formula"] for row in rows]).float())
    error = estimates.value - measured
    assert np.abs(error).mean() < 4.5 and np.median(np.abs(error)) < 2  # K
    taken = estimates.value > 1  # superconductors; for the others the gate determines the error
    inside = inside_intervals(error[taken], estimates.std[taken] / 2**0.5)
    assert taken.mean() > 0.85
    # Less than 90%: the nearest neighbours of these are of the same series, and reports on one compound disagree.
    assert 0.45 < inside["50%"] < 0.65 and 0.82 < inside["90%"] < 0.95


def test_error_intervals_hold_on_held_out_systems():
    inside = checkpoint.read_card("tc-ensemble")["metrics_held_out"]["systems_held_out"]["inside_intervals"]
    assert inside["50%"] == pytest.approx(0.5, abs=0.05)
    assert inside["90%"] == pytest.approx(0.9, abs=0.05)
