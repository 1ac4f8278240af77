"""Boosting: it finds steps, slopes and odds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.training.smooth_trees import BoostingSettings, fit_heights, fit_log_odds

SMALL = BoostingSettings(trees=60, depth=3, learning_rate=0.3, share_of_features=1.0, ridge=0.1, bins=16)


def test_boosting_finds_a_step_and_a_slope():
    z = np.random.default_rng(0).uniform(-1, 1, (2000, 3))
    y = 10.0 * (z[:, 0] > 0.2) + 3 * z[:, 1]
    trees = fit_heights(z, y, np.full(3, 0.01), SMALL, seed=0)
    predicted = trees(torch.from_numpy(z)).numpy()
    assert np.abs(predicted - y).mean() < 0.5
    assert np.array_equal(predicted, fit_heights(z, y, np.full(3, 0.01), SMALL, seed=0)(torch.from_numpy(z)).numpy())


def test_logistic_boosting_gives_log_odds():
    random = np.random.default_rng(0)
    z = random.uniform(-1, 1, (4000, 2))
    real = random.random(4000) < np.where(z[:, 0] > 0, 0.9, 0.2)
    settings = BoostingSettings(trees=40, depth=1, learning_rate=0.3, share_of_features=1.0, bins=16)
    chance = torch.sigmoid(
        fit_log_odds(z, real, np.full(2, 0.01), settings, 0)(torch.tensor([[0.5, 0.0], [-0.5, 0.0]]))
    )
    assert chance.tolist() == pytest.approx([0.9, 0.2], abs=0.05)


def test_a_constant_feature_is_never_split():
    z = np.column_stack([np.zeros(100), np.linspace(0, 1, 100)])
    trees = fit_heights(z, z[:, 1], np.full(2, 0.01), SMALL, 0)
    assert (trees.columns == 1).all() and torch.isfinite(trees.leaves).all()


def test_a_value_of_weight_zero_has_no_effect():
    z = np.random.default_rng(0).uniform(-1, 1, (500, 2))
    y = 10.0 * (z[:, 0] > 0.2)
    wrong = np.arange(500) % 7 == 0
    trees = fit_heights(z, np.where(wrong, 90.0, y), np.full(2, 0.01), SMALL, 0, np.where(wrong, 1e-9, 1.0))
    assert np.abs(trees(torch.from_numpy(z)).numpy() - y).mean() < 0.5


def test_random_thresholds_find_the_step_too():
    z = np.random.default_rng(0).uniform(-1, 1, (2000, 3))
    y = 10.0 * (z[:, 0] > 0.2) + 3 * z[:, 1]
    drawn = fit_heights(z, y, np.full(3, 0.01), replace(SMALL, thresholds=2), seed=0)
    assert np.abs(drawn(torch.from_numpy(z)).numpy() - y).mean() < 0.5
    assert not torch.equal(drawn.offsets, fit_heights(z, y, np.full(3, 0.01), SMALL, seed=0).offsets)
