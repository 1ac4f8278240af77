"""Fit `SmoothTrees` by gradient boosting (Friedman 2001): each tree is fitted to the residuals of those before it.

The splits of a tree are chosen as for sharp trees, on histograms of the features; the leaf values follow from ridge
regression on the leaf weights of the smooth splits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from core.predictors.layers.smooth_trees import SmoothTrees, leaf_weights

Derivatives = Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor]]


@dataclass(frozen=True)
class BoostingSettings:
    """Settings of the boosting.

    ridge : regularisation, as a number of zeros added to each leaf
    bins : number of bins of a histogram, at most 255
    thresholds : number of thresholds of each feature that are tried at each level, drawn at random (as in "extremely
        randomised" trees, Geurts et al. 2006, doi:10.1007/s10994-006-6226-1); None: all
    """

    trees: int = 600
    depth: int = 6
    learning_rate: float = 0.08
    share_of_features: float = 0.3
    share_of_rows: float = 0.8
    ridge: float = 3.0
    bins: int = 48
    thresholds: int | None = None


def fit_heights(
    features: np.ndarray,
    values: np.ndarray,
    widths: np.ndarray,
    settings: BoostingSettings,
    seed: int,
    trust: np.ndarray | None = None,
) -> SmoothTrees:
    """Least squares. features (n, f), values (n,), widths (f,) of the splits -> trees for the values, in their unit.

    trust : (n,) weight of each value; None: 1
    """
    trust = np.ones(len(values)) if trust is None else trust
    y, weight = torch.from_numpy(values).float(), torch.from_numpy(trust).float()
    bias = float(np.average(values, weights=trust))
    return _boost(features, widths, settings, seed, bias, lambda now: (weight * (now - y), weight))


def fit_log_odds(
    features: np.ndarray, real: np.ndarray, widths: np.ndarray, settings: BoostingSettings, seed: int
) -> SmoothTrees:
    """Logistic regression. features (n, f), real (n,) bool -> trees for the log-odds of `real`."""
    y = torch.from_numpy(real).float()
    share = float(y.mean())

    def derivatives(now: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        chance = torch.sigmoid(now)
        return chance - y, (chance * (1 - chance)).clamp_min(1e-4)

    return _boost(features, widths, settings, seed, float(np.log(share / (1 - share))), derivatives)


def _boost(
    features: np.ndarray,
    widths: np.ndarray,
    settings: BoostingSettings,
    seed: int,
    bias: float,
    derivatives: Derivatives,
) -> SmoothTrees:
    """derivatives : current values (n,) -> first and second derivative (n,) of the loss"""
    random = np.random.default_rng(seed)
    edges, bins = _binned(features, settings.bins)
    usable = np.flatnonzero([len(edge) > 0 for edge in edges])
    n_columns = max(1, int(settings.share_of_features * len(usable)))
    z = torch.from_numpy(np.ascontiguousarray(features.T)).float()
    width = torch.from_numpy(widths).float()
    now = torch.full((len(features),), bias)
    # Allocated at once: small tensors kept between large temporary ones fragment the heap, by 7 MB a tree.
    every_column = torch.empty(settings.trees, settings.depth, dtype=torch.long)
    every_threshold = torch.empty(settings.trees, settings.depth, dtype=torch.float64)
    every_leaf = torch.empty(settings.trees, 2**settings.depth)
    for tree in range(settings.trees):
        first, second = derivatives(now)
        rows = np.flatnonzero(random.random(len(features)) < settings.share_of_rows)
        chosen = np.sort(random.choice(usable, n_columns, replace=False))
        columns, thresholds = _splits(
            bins[chosen][:, rows],
            [edges[c] for c in chosen],
            -first.numpy()[rows],
            second.numpy()[rows],
            settings,
            random,
        )
        columns = torch.from_numpy(chosen[columns])
        q = torch.sigmoid((z[columns] - torch.from_numpy(thresholds).float()[:, None]) / width[columns][:, None])
        inside = leaf_weights(q[None])[0]
        leaves = settings.learning_rate * _leaves(inside[:, rows], first[rows], second[rows], settings.ridge)
        now += leaves @ inside
        every_column[tree], every_threshold[tree], every_leaf[tree] = columns, torch.from_numpy(thresholds), leaves
    return SmoothTrees.from_splits(every_column, every_threshold, width, every_leaf, bias)


def _binned(features: np.ndarray, bins: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Thresholds of each feature, midway between occurring values, and the bin of each value (f, n)."""
    edges = []
    for column in features.T:
        present = np.unique(column)
        middle = (present[1:] + present[:-1]) / 2
        if len(middle) >= bins:
            wanted = np.quantile(column, np.linspace(0, 1, bins + 1)[1:-1])
            middle = middle[np.unique(np.searchsorted(middle, wanted).clip(0, len(middle) - 1))]
        edges.append(middle)
    bin_of = [np.searchsorted(edge, column) for edge, column in zip(edges, features.T, strict=True)]
    return edges, np.array(bin_of, dtype=np.int64)


def _splits(
    bins: np.ndarray,
    edges: list[np.ndarray],
    pull: np.ndarray,
    weight: np.ndarray,
    settings: BoostingSettings,
    random: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Per level, the column and threshold that reduce the loss most over all nodes: (depth,) and (depth,).

    bins : (columns, n); pull, weight : (n,) minus the first and the second derivative of the loss
    """
    n_columns, n = bins.shape
    offset = np.arange(n_columns)[:, None]
    leaf, leaves = np.zeros(n, dtype=np.int64), 1
    splits = []
    for _ in range(settings.depth):
        cell = ((offset * leaves + leaf) * settings.bins + bins).ravel()
        below, size = (
            np.bincount(cell, np.broadcast_to(values, bins.shape).ravel(), n_columns * leaves * settings.bins)
            .reshape(n_columns, leaves, settings.bins)
            .cumsum(2)
            for values in (pull, weight)
        )
        above, rest = below[:, :, -1:] - below, size[:, :, -1:] - size
        gain = (below**2 / (size + settings.ridge) + above**2 / (rest + settings.ridge)).sum(1)
        column, edge = np.unravel_index(np.where(_tried(edges, settings, random), gain, -1).argmax(), gain.shape)
        splits.append((column, edges[column][edge]))
        leaf, leaves = 2 * leaf + (bins[column] > edge), 2 * leaves
    columns, thresholds = zip(*splits, strict=True)
    return np.array(columns), np.array(thresholds)


def _tried(edges: list[np.ndarray], settings: BoostingSettings, random: np.random.Generator) -> np.ndarray:
    """(columns, bins) bool: the thresholds that are tried."""
    there = np.array([np.arange(settings.bins) < len(edge) for edge in edges])
    if settings.thresholds is None:
        return there
    lot = np.where(there, random.random(there.shape), np.inf)
    return there & (lot.argsort(1).argsort(1) < settings.thresholds)


def _leaves(inside: torch.Tensor, first: torch.Tensor, second: torch.Tensor, ridge: float) -> torch.Tensor:
    """Newton step: leaf weights (leaves, n), derivatives (n,) -> values of the leaves."""
    curvature = (inside * second) @ inside.T
    curvature.diagonal().add_(ridge)
    return -torch.linalg.solve(curvature, inside @ first)
