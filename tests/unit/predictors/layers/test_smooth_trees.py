"""Smooth trees: their equation, their slope, and that boosting finds what is there."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch

from core.predictors.layers.smooth_trees import ROWS, SmoothTrees, pack_trees, shares, unpack_trees
from core.training.smooth_trees import BoostingSettings, fit_chances, fit_heights

SMALL = BoostingSettings(trees=60, depth=3, learning_rate=0.3, share_of_features=1.0, ridge=0.1, bins=16)


def some_trees(trees: int = 5, depth: int = 3, features: int = 4) -> SmoothTrees:
    random = torch.Generator().manual_seed(0)
    columns = torch.randint(features, (trees, depth), generator=random)
    thresholds = torch.randn(trees, depth, generator=random)
    leaves = torch.randn(trees, 2**depth, generator=random)
    return SmoothTrees.asking(columns, thresholds, torch.full((features,), 0.5), leaves, 1.5).double()


def test_the_value_is_the_equation():
    trees, z = some_trees(), torch.randn(7, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    leaves = trees.leaves.flatten(1)
    for row, value in zip(z, trees(z), strict=True):
        expected = trees.bias
        for t in range(len(leaves)):
            q = [torch.sigmoid(row[c] * s + o) for c, s, o in zip(
                trees.columns[t], trees.sharpness[t], trees.offsets[t], strict=True)]  # fmt: skip
            for leaf, answers in enumerate(product((0, 1), repeat=3)):
                share = np.prod([float(p if yes else 1 - p) for p, yes in zip(q, answers, strict=True)])
                expected += share * float(leaves[t, leaf])
        assert float(value) == pytest.approx(expected)


def test_shares_sum_to_one():
    q = torch.rand(3, 4, 6)
    assert torch.allclose(shares(q).sum(1), torch.ones(3, 6))


def test_slope_against_finite_differences():
    z = torch.randn(3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(2), requires_grad=True)
    assert torch.autograd.gradcheck(some_trees(), (z,))


def test_more_rows_than_are_taken_at_once_are_so_many_alone():
    z = torch.randn(2 * ROWS + 3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    z.requires_grad_(True)
    trees = some_trees()
    (slope,) = torch.autograd.grad(trees(z).sum(), z)
    for i in (0, ROWS, len(z) - 1):
        (alone,) = torch.autograd.grad(trees(z[i : i + 1]).sum(), z)
        assert torch.allclose(trees(z[i : i + 1]), trees(z)[i])
        assert torch.allclose(alone[i], slope[i])


def test_they_are_stored_and_read_again():
    trees, z = some_trees().float(), torch.randn(7, 4)
    again = unpack_trees(pack_trees(trees, "height"), "height", trees.bias)
    assert torch.equal(again(z), trees(z))


def test_boosting_finds_a_step_and_a_slope():
    z = np.random.default_rng(0).uniform(-1, 1, (2000, 3))
    y = 10.0 * (z[:, 0] > 0.2) + 3 * z[:, 1]
    trees = fit_heights(z, y, np.full(3, 0.01), SMALL, seed=0)
    said = trees(torch.from_numpy(z)).numpy()
    assert np.abs(said - y).mean() < 0.5
    assert np.array_equal(said, fit_heights(z, y, np.full(3, 0.01), SMALL, seed=0)(torch.from_numpy(z)).numpy())


def test_chances_are_log_odds():
    random = np.random.default_rng(0)
    z = random.uniform(-1, 1, (4000, 2))
    real = random.random(4000) < np.where(z[:, 0] > 0, 0.9, 0.2)
    settings = BoostingSettings(trees=40, depth=1, learning_rate=0.3, share_of_features=1.0, bins=16)
    chance = torch.sigmoid(fit_chances(z, real, np.full(2, 0.01), settings, 0)(torch.tensor([[0.5, 0.0], [-0.5, 0.0]])))
    assert chance.tolist() == pytest.approx([0.9, 0.2], abs=0.05)


def test_a_feature_that_never_varies_asks_nothing():
    z = np.column_stack([np.zeros(100), np.linspace(0, 1, 100)])
    trees = fit_heights(z, z[:, 1], np.full(2, 0.01), SMALL, 0)
    assert (trees.columns == 1).all() and torch.isfinite(trees.leaves).all()


def test_a_share_of_what_they_say():
    trees, z = some_trees().float(), torch.randn(7, 4)
    assert torch.allclose(trees.times(0.8)(z), 0.8 * trees(z), atol=1e-6)


def test_a_value_that_is_not_trusted_changes_nothing():
    z = np.random.default_rng(0).uniform(-1, 1, (500, 2))
    y = 10.0 * (z[:, 0] > 0.2)
    wrong = np.arange(500) % 7 == 0
    trees = fit_heights(z, np.where(wrong, 90.0, y), np.full(2, 0.01), SMALL, 0, np.where(wrong, 1e-9, 1.0))
    assert np.abs(trees(torch.from_numpy(z)).numpy() - y).mean() < 0.5


def test_thresholds_drawn_at_random_find_the_step_too():
    z = np.random.default_rng(0).uniform(-1, 1, (2000, 3))
    y = 10.0 * (z[:, 0] > 0.2) + 3 * z[:, 1]
    drawn = fit_heights(z, y, np.full(3, 0.01), replace(SMALL, thresholds=2), seed=0)
    assert np.abs(drawn(torch.from_numpy(z)).numpy() - y).mean() < 0.5
    assert not torch.equal(drawn.offsets, fit_heights(z, y, np.full(3, 0.01), SMALL, seed=0).offsets)
