"""Boosted trees by LightGBM: a step is learnt, and the fit is the same for the same seed."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from core.training.boosted_trees import fit

SHAPE = SimpleNamespace(leaves=4, learning_rate=0.3, least_in_leaf=5, share_of_features=1.0, share_of_rows=0.8)


def test_a_step_is_learnt():
    x = np.random.default_rng(0).uniform(-1, 1, (400, 2))
    y = np.where(x[:, 0] > 0.2, 10.0, 2.0)
    trees = fit("regression", x, y, 60, SHAPE, seed=0)
    assert np.allclose(trees.predict(np.array([[0.6, 0.0], [-0.5, 0.9]])), [10, 2], atol=0.1)
    assert trees.num_trees() == 60


def test_the_seed_decides():
    x = np.random.default_rng(1).uniform(-1, 1, (200, 3))
    y = np.sin(3 * x[:, 0]) + x[:, 1]
    one, same, other = (fit("regression", x, y, 20, SHAPE, seed).predict(x) for seed in (3, 3, 4))
    assert np.array_equal(one, same) and not np.array_equal(one, other)
