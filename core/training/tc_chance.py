"""Fit the classifier of `tc-ensemble`: trees for the log-odds of superconductivity."""

from __future__ import annotations

import numpy as np
import torch

from core.predictors.layers.smooth_trees import SmoothTrees
from core.training import kernel_regression, smooth_trees
from core.training.tc_regression import Regression, TcEnsembleSettings, features_for_trees


def fit_chance(
    x: np.ndarray, n_superconductors: int, regression: Regression, settings: TcEnsembleSettings, seed: int
) -> SmoothTrees:
    """Trees for the log-odds of a superconductor; the first rows of x (n, 118) are superconductors."""
    features = features_for_trees(x, regression.statistics)
    points = settings.kernel.coordinates(kernel_regression.features_of(x))
    distance = kernel_regression.nearest_other(points, n_superconductors, settings.kernel)
    widths = np.append(regression.widths, settings.distance_width)
    return smooth_trees.fit_log_odds(
        np.column_stack([features.numpy(), distance]),
        np.arange(len(x)) < n_superconductors,
        widths,
        settings.chance,
        seed,
    )


def log_odds(chance: SmoothTrees, features: torch.Tensor, distance: torch.Tensor) -> np.ndarray:
    """s (n,) in float64 of features (n, F) at distances D (n,)."""
    return chance(torch.cat([features, distance[:, None]], dim=1)).double().numpy()
