"""What predictors say of themselves, and what is missing where they cannot."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.predictors.interface import Estimate, estimate, estimate_in_batches

X = torch.arange(5.0)[:, None] * torch.ones(118) / 118  # sums 0, 1, 2, 3, 4


class Plain:
    """A predictor that says a value only."""

    def __call__(self, composition):
        return composition.sum(1)


class Frank(Plain):
    """One that also says how far off it expects to be, and how far from its training data it is."""

    familiar_distance = 2.5

    def estimate(self, composition):
        value = self(composition)
        return Estimate(value, 0.1 * value, value)


def test_a_value_only_is_a_value_only():
    assert estimate(Plain(), X)[1:] == (None, None)
    found = estimate_in_batches(Plain(), X, batch=2)
    assert found.value.tolist() == pytest.approx([0, 1, 2, 3, 4], abs=1e-5)
    assert all(np.isnan(part).all() for part in (found.std, found.distance, found.extrapolating))


def test_what_is_said_is_the_same_in_batches():
    found = estimate_in_batches(Frank(), X, batch=2)
    assert found.std == pytest.approx(2**0.5 * 0.1 * np.arange(5), abs=1e-5)  # of Laplace's distribution
    assert found.extrapolating.tolist() == [0, 0, 0, 1, 1]


def test_of_nothing_nothing_is_said():
    assert all(len(part) == 0 for part in vars(estimate_in_batches(Frank(), X[:0])).values())
