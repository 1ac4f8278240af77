"""Fit the regression of Tc for superconductors: trees and networks, corrected by kernel regression."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch

from core.chemistry import elements
from core.chemistry.families import HYDRIDE, families
from core.predictors.features.element_statistics import ElementStatistics
from core.predictors.interface import predict_in_batches
from core.predictors.layers.composition_attention import CompositionAttention
from core.predictors.layers.composition_kernel import CompositionKernel, KernelShape
from core.predictors.layers.smooth_trees import SmoothTrees
from core.predictors.tc.ensemble import Gate
from core.training import kernel_regression, smooth_trees
from core.training.element_properties import element_properties
from core.training.smooth_trees import BoostingSettings
from core.training.tc_network import NetworkSettings

# Sets of trees with different errors: a choice from fewer features or fewer thresholds decorrelates the trees.
HEIGHTS = (
    BoostingSettings(trees=800, share_of_features=0.2),
    BoostingSettings(trees=800, learning_rate=0.09, share_of_features=0.15, thresholds=3),
    BoostingSettings(trees=800, learning_rate=0.1, share_of_features=0.15, thresholds=1),
)
NETWORKS = tuple(NetworkSettings(member=member) for member in range(3))
CHANCE = BoostingSettings(trees=1000, learning_rate=0.18, share_of_features=0.15, ridge=1.0)


@dataclass(frozen=True)
class TcEnsembleSettings:
    """Settings of the fit; all of them are written to the card.

    heights : of each set of trees for Tc; networks : of each network for Tc; their mean is h
    chance : of the trees for the log-odds of superconductivity
    root_width : of a split on the root of a fraction; other_width : on the other features, in standard deviations
    heights_width : factor on both in the trees for Tc
    distance_width : of a split on the distance to the nearest known superconductor
    share : factor on the trees, below 1 because the kernel regression is fitted to their residuals on their own
        training set, which are smaller than on other compositions
    ridge : of the kernel regression, relative to the diagonal of K, which is nearly 1
    surprise_K : leave-one-out error at which a row has half its weight; kernel_surprise_K : the same in the kernel
        regression. There hydrides keep their full weight, because their Tc depends on the pressure, which the
        composition does not contain
    surprise_ridge : of the kernel regression whose leave-one-out errors these are; it has no short range

    Kernel and trees were chosen on a sixth of the training data and the validation part, drawn at random, and on whole
    systems without the test part. MAE and R2 there, with 600 trees in two sets, a weight of 0.4 of the trees, a ridge
    of 0.05 and no short range: 3.77 K and 0.9295; with a ridge of 0.01 and the short range 3.66 K and 0.9328; with
    these trees and kernel_surprise_K 3.66 K and 0.9334. On two fifths of the systems 0.868, 0.868 and 0.870. Two more
    networks brought 0.0001; weights averaged over fits of one network, or errors linear from 15 K, nothing.
    """

    heights: tuple[BoostingSettings, ...] = HEIGHTS
    networks: tuple[NetworkSettings, ...] = NETWORKS
    chance: BoostingSettings = CHANCE
    root_width: float = 0.006
    other_width: float = 0.03
    heights_width: float = 0.6
    distance_width: float = 0.01
    share: float = 0.85
    kernel: KernelShape = field(default_factory=lambda: KernelShape(short_range=0.3))
    ridge: float = 0.01
    surprise_K: float = 15.0
    kernel_surprise_K: float = 30.0
    surprise_ridge: float = 0.05
    gate: Gate = field(default_factory=Gate)

    @classmethod
    def from_card(cls, card: dict) -> TcEnsembleSettings:
        """The settings on the card of a checkpoint."""
        stored = card["settings"]
        settings: dict[str, Any] = stored | {
            "heights": tuple(BoostingSettings(**each) for each in stored["heights"]),
            "networks": tuple(NetworkSettings(**each) for each in stored["networks"]),
            "chance": BoostingSettings(**stored["chance"]),
            "kernel": KernelShape(**stored["kernel"]),
            "gate": Gate(**stored["gate"]),
        }
        return cls(**settings)


# Compositions (n, 118), Tc (n,) in K, trust (n,) -> the networks trained on them.
Networks = Callable[[np.ndarray, np.ndarray, np.ndarray], list[CompositionAttention]]


@dataclass(frozen=True)
class Regression:
    """Tc of superconductors: trees and networks, and the kernel regression of their residuals."""

    heights: list[SmoothTrees]
    networks: list[CompositionAttention]
    statistics: ElementStatistics
    kernel: CompositionKernel
    widths: np.ndarray

    @classmethod
    def fit(
        cls, x: np.ndarray, y: np.ndarray, settings: TcEnsembleSettings, seed: int, networks: Networks
    ) -> Regression:
        """Fit to compositions (n, 118), Tc (n,) in K."""
        statistics = ElementStatistics(torch.from_numpy(element_properties()))
        features = features_for_trees(x, statistics)
        inputs = features.numpy()
        widths = np.full(inputs.shape[1], settings.root_width)
        others = slice(elements.N_ELEMENTS, None)
        widths[others] = settings.other_width * inputs[:, others].std(0).clip(1e-9)
        surprise_K = _surprise_K(x, y, settings)
        trust = _trust(surprise_K, settings.surprise_K)
        heights = [
            smooth_trees.fit_heights(inputs, y, settings.heights_width * widths, each, seed + i, trust).times(
                settings.share
            )
            for i, each in enumerate(settings.heights)
        ]
        tuned = networks(x, y, trust)
        residuals = y - _each_height(heights, tuned, x, features).mean(0)
        kernel_trust = np.where(families(x) == HYDRIDE, 1.0, _trust(surprise_K, settings.kernel_surprise_K))
        kernel = kernel_regression.fit(x, residuals, settings.ridge / kernel_trust, settings.kernel)
        return cls(heights, tuned, statistics, kernel, widths)

    def parts(self, x: np.ndarray) -> Parts:
        """The parts of the regression for compositions (n, 118)."""
        correction, distance = self.kernel.at(self.kernel.features(torch.from_numpy(x)))
        features = features_for_trees(x, self.statistics)
        return Parts(_each_height(self.heights, self.networks, x, features), correction.numpy(), features, distance)

    def __call__(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Compositions (n, 118) -> Tc in K, never negative, and D (n,)."""
        parts = self.parts(x)
        return parts.tc_K, parts.distance.numpy()


@dataclass(frozen=True)
class Parts:
    """Parts of the regression for n compositions.

    Those of h (parts, n) and k (n,) in K, features for the trees (n, F), D (n,).
    """

    heights: np.ndarray
    correction: np.ndarray
    features: torch.Tensor
    distance: torch.Tensor

    @property
    def tc_K(self) -> np.ndarray:
        """v (n,) in K, never negative."""
        return np.maximum(self.heights.mean(0) + self.correction, 0)


def features_for_trees(x: np.ndarray, statistics: ElementStatistics) -> torch.Tensor:
    """Compositions (n, 118) -> features (n, F) in float64, as in `TcEnsemble.for_trees`."""
    return torch.cat([kernel_regression.features_of(x), statistics(torch.from_numpy(x))], dim=1)


def _each_height(
    heights: list[SmoothTrees], networks: list[CompositionAttention], x: np.ndarray, features: torch.Tensor
) -> np.ndarray:
    """The parts of h (parts, n) in K, as in `TcEnsemble.each_height`."""
    by_networks = [predict_in_batches(network, torch.from_numpy(x).float())[:, 0] for network in networks]
    return np.array([trees(features).double().numpy() for trees in heights] + by_networks)


def _surprise_K(x: np.ndarray, y: np.ndarray, settings: TcEnsembleSettings) -> np.ndarray:
    """Leave-one-out error (n,) in K of each row by a kernel regression on all others."""
    shape = replace(settings.kernel, short_range=0.0)
    return kernel_regression.errors_left_out(x, y, settings.surprise_ridge, shape)


def _trust(surprise_K: np.ndarray, half_K: float) -> np.ndarray:
    """Weight (n,) of each row, from 0 to 1: 1 / (1 + (leave-one-out error / half_K)^2)."""
    return 1 / (1 + (surprise_K / half_K) ** 2)
