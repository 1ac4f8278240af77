"""Fit how high Tc is, for a superconductor: trees and networks, corrected by known superconductors nearby."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch

from core.chemistry import elements
from core.chemistry.families import HYDRIDE, families
from core.predictors.interface import predict_in_batches
from core.predictors.layers.composition_attention import CompositionAttention
from core.predictors.layers.composition_kernel import CompositionKernel, KernelShape
from core.predictors.layers.smooth_trees import SmoothTrees
from core.predictors.tc.ensemble import Gate
from core.training import kernel_regression, smooth_trees
from core.training.smooth_trees import BoostingSettings
from core.training.tc_network import NetworkSettings

# Sets of trees that err differently: the fewer features, or the fewer thresholds, a tree may choose from, the less it
# follows what is common among them.
HEIGHTS = (
    BoostingSettings(),
    BoostingSettings(trees=900, learning_rate=0.06, share_of_features=0.08),
    BoostingSettings(learning_rate=0.09, share_of_features=0.15, thresholds=3),
)


@dataclass(frozen=True)
class TcEnsembleSettings:
    """What can be set about this fit; all of it goes into the card.

    heights : of each set of trees that says how high; networks : of each network that does; the mean of all counts
    chance : of the trees that say whether at all
    root_width : of a step in the root of a fraction; other_width : in the other features, in their spreads
    distance_width : in the distance to the nearest known superconductor
    share : of what the trees say that is kept: they learnt from the same rows as the regression of what they leave, and
        leave less of these than of others
    ridge : of the kernel regression; k of a composition with itself is nearly 1
    surprise_K : a row counts half if all others contradict it by so much; in the kernel regression hydrides count in
        full: it is the pressure, which no composition knows, that sets them apart
    """

    heights: tuple[BoostingSettings, ...] = HEIGHTS
    networks: tuple[NetworkSettings, ...] = (NetworkSettings(),)
    chance: BoostingSettings = field(default_factory=lambda: BoostingSettings(trees=500, learning_rate=0.3, ridge=0.3))
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
        """As they were when this checkpoint was fitted."""
        kinds = {"chance": BoostingSettings, "kernel": KernelShape, "gate": Gate}
        given = {key: kinds[key](**value) if key in kinds else value for key, value in card["settings"].items()}
        several = {"heights": BoostingSettings, "networks": NetworkSettings}
        return cls(**given | {key: tuple(kind(**each) for each in given[key]) for key, kind in several.items()})


# Compositions (n, 118), Tc (n,) in K, trust (n,) -> the networks that have learnt from these.
Networks = Callable[[np.ndarray, np.ndarray, np.ndarray], list[CompositionAttention]]


@dataclass(frozen=True)
class Regression:
    """How high Tc is, for a superconductor: trees and networks, and the kernel regression of what they leave."""

    heights: list[SmoothTrees]
    networks: list[CompositionAttention]
    kernel: CompositionKernel
    widths: np.ndarray

    @classmethod
    def fit(
        cls, x: np.ndarray, y: np.ndarray, settings: TcEnsembleSettings, seed: int, networks: Networks
    ) -> Regression:
        """Compositions (n, 118), Tc (n,) in K."""
        described = kernel_regression.described(x)
        seen = described.numpy()
        widths = np.full(seen.shape[1], settings.root_width)
        others = slice(elements.N_ELEMENTS, None)
        widths[others] = settings.other_width * seen[:, others].std(0).clip(1e-9)
        trust = _trust(x, y, settings)
        heights = [
            smooth_trees.fit_heights(seen, y, widths, each, seed + i, trust).times(settings.share)
            for i, each in enumerate(settings.heights)
        ]
        tuned = networks(x, y, trust)
        left = y - _said(heights, tuned, x, described)
        certain = np.where(families(x) == HYDRIDE, 1.0, trust)
        return cls(heights, tuned, kernel_regression.fit(x, left, settings.ridge / certain, settings.kernel), widths)

    def __call__(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Compositions (n, 118) -> Tc in K, never negative, and D (n,)."""
        described = self.kernel.described(torch.from_numpy(x))
        left, distance = self.kernel.at(described)
        said = _said(self.heights, self.networks, x, described)
        return np.maximum(said + left.numpy(), 0), distance.numpy()


def _said(
    heights: list[SmoothTrees], networks: list[CompositionAttention], x: np.ndarray, described: torch.Tensor
) -> np.ndarray:
    """h (n,) in K, as in `TcEnsemble.said`."""
    by_networks = [predict_in_batches(network, torch.from_numpy(x).float())[:, 0] for network in networks]
    return np.mean([trees(described).double().numpy() for trees in heights] + by_networks, axis=0)


def _trust(x: np.ndarray, y: np.ndarray, settings: TcEnsembleSettings) -> np.ndarray:
    """Weight (n,) of each row, from 0 to 1: 1 / (1 + (error when left out / surprise_K)^2)."""
    error = kernel_regression.errors_left_out(x, y, settings.ridge, settings.kernel)
    return 1 / (1 + (error / settings.surprise_K) ** 2)
