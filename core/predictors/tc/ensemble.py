"""Critical temperature by an ensemble: regression of Tc, a kernel correction near known superconductors, and a gate.

Tc = g v,    v = max(0, h + k)
g  = sigmoid(steepness (s - sure + by_height ln(1 + v / height_K)))

h : mean of sets of `SmoothTrees` and of networks (`composition_attention`) trained on Tc of superconductors; they
    generalise to new chemical systems, and their errors differ
k : kernel regression (`composition_kernel`) of the residuals of h on the known superconductors: it interpolates doping
    series, and decays with the distance to them
s : `SmoothTrees` for the log-odds of superconductivity, on the same features and D, the kernel's distance to the
    nearest known superconductor. A high v needs smaller odds: most compounds that do not superconduct resemble
    superconductors of low Tc

The expected error grows with the distance to the known superconductors; see `ErrorScale`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn

from core.paths import CHECKPOINTS
from core.predictors import checkpoint
from core.predictors.info import Role
from core.predictors.interface import Estimate, NetworkPredictor, Predictor
from core.predictors.layers.composition_attention import AttentionSize, CompositionAttention, unpack_networks
from core.predictors.layers.composition_attention_bfloat16 import networks_for_ranking
from core.predictors.layers.composition_kernel import CompositionKernel, KernelShape
from core.predictors.layers.smooth_trees import SmoothTrees, unpack_trees
from core.predictors.packed_compositions import unpack_compositions

ARCHITECTURE = "tc-ensemble-v3"


@dataclass(frozen=True)
class Gate:
    """The parameters of the equation for g above; height_K in K."""

    sure: float = 0.5
    by_height: float = 1.5
    height_K: float = 10.0
    steepness: float = 3.0

    def __call__(self, log_odds: torch.Tensor, height: torch.Tensor) -> torch.Tensor:
        """s (n,), v (n,) in K -> g (n,), from 0 to 1."""
        required = self.sure - self.by_height * torch.log1p(height / self.height_K)
        return torch.sigmoid(self.steepness * (log_odds - required))


@dataclass(frozen=True)
class ErrorScale:
    """Expected absolute error of a Tc at distance D from the known superconductors:

    b = floor_K + Tc [relative + near D^2 / (D^2 + near_distance^2) + far D^2]

    Fitted as the scale of Laplace's distribution on held-out chemical systems: 50% of the errors are below ln(2) b, 90%
    below ln(10) b, and the standard deviation is sqrt(2) b.
    """

    floor_K: float
    relative: float
    near: float
    near_distance: float
    far: float

    def __call__(self, tc: Any, distance: Any) -> Any:
        """Tc in K and D -> b in K, all numbers, arrays or tensors of one shape."""
        square = distance**2
        return self.floor_K + tc * (
            self.relative + self.near * square / (square + self.near_distance**2) + self.far * square
        )


class TcEnsemble(NetworkPredictor):
    """Predictor of the critical temperature in K (never negative), and of its error.

    heights, networks : the parts of h
    kernel : k, and the distance D
    chance : s
    gate : the parameters of g
    known_elements : (118,) bool
    familiar_distance : distance beyond which the predictor extrapolates; 95% of the compositions of held-out chemical
        systems are nearer
    """

    role = Role.TC
    gives_error = True

    def __init__(
        self,
        name: str,
        heights: Sequence[SmoothTrees],
        networks: Sequence[CompositionAttention],
        kernel: CompositionKernel,
        chance: SmoothTrees,
        gate: Gate,
        known_elements: torch.Tensor,
        error_scale: ErrorScale,
        familiar_distance: float,
    ):
        super().__init__()
        self.name, self.kernel, self.chance, self.gate = name, kernel, chance, gate
        self.heights, self.networks = nn.ModuleList(heights), nn.ModuleList(networks)
        self.error_scale, self.familiar_distance = error_scale, familiar_distance
        self.register_buffer("known_elements", known_elements.clone(), persistent=False)
        parts = [([trees], []) for trees in heights] + [([], [network]) for network in networks]
        rest = kernel, chance, gate, known_elements, error_scale, familiar_distance
        self.parts = nn.ModuleList(TcEnsemble(name, *each, *rest) for each in parts if len(parts) > 1)

    def members(self) -> Sequence[Predictor]:
        """One predictor for each set of trees and each network, in which h is that part alone."""
        return cast(list[TcEnsemble], [*self.parts]) or [self]

    def capturable(self, max_elements: int) -> TcEnsemble:
        """The ensemble with the networks' forms of fixed shapes; trees and kernel have fixed shapes."""
        heights = cast(list[SmoothTrees], [*self.heights])
        networks = [cast(CompositionAttention, each).with_capacity(max_elements) for each in self.networks]
        familiar = cast(float, self.familiar_distance)
        rest = self.kernel, self.chance, self.gate, self.known_elements, self.error_scale, familiar
        return TcEnsemble(self.name, heights, networks, *rest).train(self.training)

    def forward(self, composition: torch.Tensor) -> torch.Tensor:
        """Compositions (batch, 118) -> Tc in K (batch,)."""
        return self.estimate(composition).value

    def estimate(self, composition: torch.Tensor) -> Estimate:
        """Compositions (batch, 118) -> Tc and its expected absolute error, both in K, and the distance.

        The distance is D minus its value at a known composition.
        """
        features = self.kernel.features(composition)
        correction, distance = self.kernel.at(features)
        log_odds = self.chance(torch.cat([features, distance[:, None]], dim=1))
        # The kernel may be on another device than the trees, see `CompositionKernel`.
        correction, distance = correction.to(composition), distance.to(composition)
        height = torch.relu(self.mean_height(composition, features) + correction)
        tc = self.gate(log_odds.to(composition), height) * height
        return Estimate(tc, self.error_scale(tc, distance), distance - self.kernel.shape.soft)

    def for_ranking(self) -> TcEnsembleForRanking:
        """The ensemble with the kernel in float32 and, on a processor that supports it, the networks in bfloat16."""
        return TcEnsembleForRanking(self)

    def mean_height(self, composition: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
        """h (batch,) in K of compositions (batch, 118) with these features (batch, f)."""
        by_trees = [trees(features).to(composition) for trees in self.heights]
        heights = by_trees + [network(composition).squeeze(1) for network in self.networks]
        return sum(heights[1:], heights[0]) / len(heights)


class TcEnsembleForRanking(Predictor):
    """See `TcEnsemble.for_ranking`. A single composition costs as much as with the ensemble; thousands cost half."""

    role = Role.TC
    gives_error = True

    def __init__(self, ensemble: TcEnsemble):
        self.ensemble, self.name = ensemble, ensemble.name
        self.known_elements, self.familiar_distance = ensemble.known_elements, ensemble.familiar_distance
        self.networks = networks_for_ranking(cast(list[CompositionAttention], [*ensemble.networks]))

    def __call__(self, composition: torch.Tensor) -> torch.Tensor:
        """Compositions (batch, 118) -> Tc in K (batch,)."""
        return self.estimate(composition).value

    @torch.no_grad()
    def estimate(self, composition: torch.Tensor) -> Estimate:
        """See `TcEnsemble.estimate`."""
        own = self.ensemble
        features = own.kernel.features(composition)
        correction, distance = (each.to(composition) for each in own.kernel.at_in_float32(features))
        short = features.to(composition)
        heights = [trees(short) for trees in own.heights] + [
            network(composition).squeeze(1) for network in self.networks
        ]
        height = torch.relu(sum(heights[1:], heights[0]) / len(heights) + correction)
        tc = own.gate(own.chance(torch.cat([short, distance[:, None]], dim=1)), height) * height
        return Estimate(tc, own.error_scale(tc, distance), distance - own.kernel.shape.soft)


def load_tc_ensemble(name: str, folder: Path = CHECKPOINTS) -> TcEnsemble:
    """The trained ensemble, in evaluation mode, without gradients to its weights. Raises CheckpointError."""
    tensors, card = checkpoint.load(name, ARCHITECTURE, folder)
    points = torch.from_numpy(unpack_compositions(tensors))
    kernel = CompositionKernel(KernelShape(**card["settings"]["kernel"]), points, tensors["weights"])
    trees = {part: unpack_trees(tensors, part, bias) for part, bias in card["bias"].items()}
    heights = [trees[f"height{i}"] for i in range(len(card["settings"]["heights"]))]
    sizes = [AttentionSize(trace=each["trace"]) for each in card["settings"]["networks"]]
    networks = unpack_networks(tensors, "network", sizes, name)
    gate, error_scale = Gate(**card["settings"]["gate"]), ErrorScale(**card["error_scale"])
    known, familiar = checkpoint.known_mask(card), float(card["familiar_distance"])
    predictor = TcEnsemble(name, heights, networks, kernel, trees["chance"], gate, known, error_scale, familiar)
    return predictor.eval().requires_grad_(False)
