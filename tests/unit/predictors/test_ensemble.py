"""An ensemble: the mean of its members, and an expected error from their spread."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from core.chemistry import elements
from core.predictors.ensemble import Ensemble, SpreadScale, store_members
from core.predictors.info import Role
from core.predictors.interface import NetworkPredictor


class Line(NetworkPredictor):
    """A property that is linear in the composition."""

    role = Role.TC

    def __init__(self, slope: float, known: int):
        super().__init__()
        self.slope = nn.Parameter(torch.arange(elements.N_ELEMENTS, dtype=torch.float64) * slope)
        self.register_buffer("known_elements", torch.arange(elements.N_ELEMENTS) < known, persistent=False)

    def forward(self, composition):
        return composition @ self.slope


@pytest.fixture
def three():
    return Ensemble("three", [Line(1.0, 90), Line(2.0, 80), Line(6.0, 100)])


def test_mean_and_spread_by_hand(three):
    x = torch.zeros(2, elements.N_ELEMENTS, dtype=torch.float64)
    x[0, 0], x[1, 10] = 1, 1
    assert three(x).tolist() == [0, 30]
    assert three.each(x).tolist() == [[0, 10], [0, 20], [0, 60]]
    assert three.spread(x).tolist() == pytest.approx([0, 700**0.5])


def test_the_gradient_is_the_mean_of_the_members(three):
    x = torch.full((1, elements.N_ELEMENTS), 1 / elements.N_ELEMENTS, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(three(x).sum(), x)
    assert torch.allclose(gradient[0], torch.arange(elements.N_ELEMENTS, dtype=torch.float64) * 3)


def test_known_elements_are_those_known_to_all_members(three):
    assert int(three.known_elements.sum()) == 80


def test_stored_members_load_into_an_ensemble(three):
    stored = store_members(list(three.networks))
    assert set(stored) == {f"{k}.slope" for k in range(3)}
    empty = Ensemble("three", [Line(0.0, 1) for _ in range(3)])
    empty.networks.load_state_dict(stored)
    assert torch.equal(empty.networks[2].slope, three.networks[2].slope)


def test_the_expected_error_follows_the_spread(three):
    x = torch.zeros(2, elements.N_ELEMENTS, dtype=torch.float64)
    x[0, 0], x[1, 10] = 1, 1
    assert three.estimate(x).error is None and not three.gives_error
    scaled = Ensemble("three", list(three.networks), SpreadScale(floor=0.5, slope=2.0))
    value, error, distance, probability = scaled.estimate(x)
    assert scaled.gives_error and scaled.role is Role.TC and scaled.members()[1] is three.networks[1]
    assert value.tolist() == [0, 30] and distance is None and probability is None
    assert error.tolist() == pytest.approx([0.5, 0.5 + 2 * 700**0.5])
