"""Boosted trees with sharp branches, by LightGBM (Ke et al. 2017), the same for the same seed."""

from __future__ import annotations

from typing import Protocol

import lightgbm
import numpy as np


class TreeShape(Protocol):
    """What the settings of every fit by LightGBM have.

    leaves : of each tree; least_in_leaf : rows of each leaf
    share_of_features, share_of_rows : that each tree draws, from 0 to 1
    """

    @property
    def leaves(self) -> int: ...
    @property
    def learning_rate(self) -> float: ...
    @property
    def least_in_leaf(self) -> int: ...
    @property
    def share_of_features(self) -> float: ...
    @property
    def share_of_rows(self) -> float: ...


def fit(
    objective: str, features: np.ndarray, targets: np.ndarray, trees: int, settings: TreeShape, seed: int
) -> lightgbm.Booster:
    """Fit so many trees to features (n, f) and targets (n,) on one core; objective : a name of LightGBM"""
    parameters = {
        "objective": objective,
        "num_leaves": settings.leaves,
        "learning_rate": settings.learning_rate,
        "min_data_in_leaf": settings.least_in_leaf,
        "feature_fraction": settings.share_of_features,
        "bagging_fraction": settings.share_of_rows,
        "bagging_freq": 1,
        "seed": seed,
        "deterministic": True,
        "num_threads": 1,
        "verbose": -1,
    }
    return lightgbm.train(parameters, lightgbm.Dataset(features, targets), trees)
