"""The interface of predictors: defaults, estimates in batches, and the member of each step."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from core.chemistry import composition
from core.predictors.info import Role
from core.predictors.interface import (
    Estimate,
    NetworkPredictor,
    Predictor,
    estimate_in_batches,
    most_elements,
    predict_in_batches,
)
from core.predictors.registry import load_predictor
from core.reference_data.references import load_references

X = torch.arange(5.0)[:, None] * torch.ones(118) / 118  # sums 0, 1, 2, 3, 4


class Plain(Predictor):
    """A predictor that declares nothing beyond its values."""

    def __call__(self, composition):
        return composition.sum(1)


class WithError(Plain):
    """A predictor with an expected error and a distance to its training data."""

    gives_error = True
    familiar_distance = 2.5

    def estimate(self, composition):
        value = self(composition)
        return Estimate(value, 0.1 * value, value)


class Several(Plain):
    """A predictor with three members."""

    def __init__(self):
        self.parts = [Plain(), Plain(), Plain()]

    def members(self):
        return self.parts


class Network(NetworkPredictor):
    """A predictor that is a torch module."""

    role = Role.TC

    def __init__(self):
        super().__init__()
        self.register_buffer("known_elements", torch.ones(118, dtype=torch.bool))

    def forward(self, composition):
        return 2 * composition.sum(1)


def test_defaults_are_one_member_no_error_and_no_other_precision():
    plain = Plain()
    assert plain.estimate(X)[1:] == (None, None, None) and not plain.gives_error and plain.familiar_distance is None
    assert plain.in_bfloat16() is plain
    assert list(plain.members()) == [plain] and plain.member_at(7) is plain
    found = estimate_in_batches(plain, X, batch=2)
    assert found.value.tolist() == pytest.approx([0, 1, 2, 3, 4], abs=1e-5)
    assert all(np.isnan(part).all() for part in (found.std, found.distance, found.extrapolating, found.probability))


def test_steps_cycle_through_the_members():
    several = Several()
    assert [several.member_at(step) for step in range(4)] == [*several.parts, several.parts[0]]


def test_estimates_do_not_depend_on_the_batches():
    found = estimate_in_batches(WithError(), X, batch=2)
    assert found.std == pytest.approx(2**0.5 * 0.1 * np.arange(5), abs=1e-5)  # sqrt(2) times the error
    assert found.extrapolating.tolist() == [0, 0, 0, 1, 1]


def test_an_empty_batch():
    assert all(len(part) == 0 for part in vars(estimate_in_batches(WithError(), X[:0])).values())
    assert predict_in_batches(Plain(), X[:0]).shape == (0,)


def test_a_network_is_called_and_moved_as_a_module():
    network = Network()
    assert network(X).tolist() == pytest.approx([0, 2, 4, 6, 8], abs=1e-5)
    assert network.to(torch.device("cpu")) is network and network.known_elements.all()
    assert torch.equal(network.estimate(X).value, network(X)) and network.member_at(3) is network


def test_the_largest_number_of_elements_of_a_row():
    x = torch.from_numpy(composition.compositions(["Fe", "YBa2Cu3O7", "NaCl"]))
    assert most_elements(x) == 4


def test_the_version_for_preselection_has_nearly_the_order_of_the_predictor():
    """On known superconductors and their neighbours."""
    predictor, known = load_predictor("tc-ensemble"), load_references().known_compositions[::50]
    x = torch.from_numpy(np.concatenate([known, (known + np.roll(known, 1, 0)) / 2])).float()
    faster = predictor.for_preselection()
    with torch.no_grad():
        (expected, error), (found, about) = (each.estimate(x)[:2] for each in (predictor, faster))
    expected, found = expected - error, found - about
    assert spearmanr(expected, found).statistic > 0.95
    best = len(x) // 20
    assert set(expected.argsort()[-best:].tolist()) <= set(found.argsort()[-3 * best :].tolist())


def test_a_predictor_without_a_faster_version_has_none():
    assert load_predictor("tc").for_preselection() is None


@pytest.mark.parametrize(("name", "most"), [("tc-ensemble", 0.8), ("formation-energy-ensemble", 0.01)])
def test_the_version_for_ranking_agrees_with_the_predictor(name, most):
    """On known superconductors and their neighbours; Tc in K, formation energy in eV/atom."""
    predictor, known = load_predictor(name), load_references().known_compositions[::200]
    x = torch.from_numpy(np.concatenate([known, (known + np.roll(known, 1, 0)) / 2])).float()
    faster = predictor.for_ranking()
    with torch.no_grad():
        expected, found = predictor.estimate(x), faster.estimate(x)
    differences = (found.value - expected.value).abs()
    assert differences.max() < most and differences.mean() < most / 10
    assert len(faster.members()) in (1, len(predictor.members()))
    if expected.error is not None and found.error is not None:
        assert (found.error - expected.error).abs().max() < most
