"""Fit the regression of Tc for superconductors: trees and networks, corrected by kernel regression."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
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
    BoostingSettings(share_of_features=0.2),
    BoostingSettings(learning_rate=0.09, share_of_features=0.15, thresholds=3),
)
NETWORKS = tuple(NetworkSettings(member=member) for member in range(3))
CHANCE = BoostingSettings(trees=1000, learning_rate=0.18, share_of_features=0.15, ridge=1.0)


@dataclass(frozen=True)
class TcEnsembleSettings:
    """Settings of the fit; all of them are written to the card.

    heights : of each set of trees for Tc; networks : of each network for Tc; their mean is h
    chance : of the trees for the log-odds of superconductivity
    root_width : of a split on the root of a fraction; other_width : on the other features, in standard deviations
    distance_width : of a split on the distance to the nearest known superconductor
    share : factor on the trees, below 1 because the kernel regression is fitted to their residuals on their own
        training set, which are smaller than on other compositions
    ridge : of the kernel regression, relative to the diagonal of K, which is nearly 1
    surprise_K : leave-one-out error at which a row has half its weight; in the kernel regression hydrides keep their
        full weight, because their Tc depends on the pressure, which the composition does not contain
    """

    heights: tuple[BoostingSettings, ...] = HEIGHTS
    networks: tuple[NetworkSettings, ...] = NETWORKS
    chance: BoostingSettings = CHANCE
    root_width: float = 0.006
    other_width: float = 0.03
    distance_width: float = 0.01
    share: float = 0.85
    kernel: KernelShape = field(default_factory=KernelShape)
    ridge: float = 0.05
    surprise_K: float = 15.0
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
        trust = _trust(x, y, settings)
        heights = [
            smooth_trees.fit_heights(inputs, y, widths, each, seed + i, trust).times(settings.share)
            for i, each in enumerate(settings.heights)
        ]
        tuned = networks(x, y, trust)
        residuals = y - _each_height(heights, tuned, x, features).mean(0)
        kernel_trust = np.where(families(x) == HYDRIDE, 1.0, trust)
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


def _trust(x: np.ndarray, y: np.ndarray, settings: TcEnsembleSettings) -> np.ndarray:
    """Weight (n,) of each row, from 0 to 1: 1 / (1 + (leave-one-out error / surprise_K)^2)."""
    error = kernel_regression.errors_left_out(x, y, settings.ridge, settings.kernel)
    return 1 / (1 + (error / settings.surprise_K) ** 2)
