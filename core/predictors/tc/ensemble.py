"""Critical temperature: several say how high, known superconductors correct them nearby, trees say whether at all.

Tc = g v,    v = max(0, h + k)
g  = sigmoid(steepness (s - sure + by_height ln(1 + v / height_K)))

h : the mean of sets of `SmoothTrees` and of networks (`composition_attention`) that have learnt how high Tc is, for a
    superconductor; they carry over to new chemical systems, and err in different ways
k : kernel regression (`composition_kernel`) of what h leaves of the known superconductors: it interpolates doping
    series, and fades away from what is known
s : `SmoothTrees` for the logarithm of the odds that there is superconductivity; besides the features of the others
    they see D, the kernel's distance to the nearest known superconductor. Where Tc would be high, smaller odds will
    do: most compounds that do not superconduct look like low ones

The error to expect grows with the distance to what is known; see `ErrorScale`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from core.paths import CHECKPOINTS
from core.predictors import checkpoint
from core.predictors.interface import Estimate
from core.predictors.layers.composition_attention import AttentionSize, CompositionAttention, unpack_networks
from core.predictors.layers.composition_kernel import CompositionKernel, KernelShape
from core.predictors.layers.smooth_trees import SmoothTrees, unpack_trees
from core.reference_data.references import unpack_compositions

ARCHITECTURE = "tc-ensemble-v3"


@dataclass(frozen=True)
class Gate:
    """The numbers of the equation for g above; height_K in K."""

    sure: float = 0.5
    by_height: float = 1.5
    height_K: float = 10.0
    steepness: float = 3.0

    def __call__(self, log_odds: torch.Tensor, height: torch.Tensor) -> torch.Tensor:
        """s (n,), v (n,) in K -> g (n,), from 0 to 1."""
        wanted = self.sure - self.by_height * torch.log1p(height / self.height_K)
        return torch.sigmoid(self.steepness * (log_odds - wanted))


@dataclass(frozen=True)
class ErrorScale:
    """Mean absolute error to expect of a Tc at distance D from what is known:

    b = floor_K + Tc [relative + near D^2 / (D^2 + near_distance^2) + far D^2]

    fitted as the scale of Laplace's distribution on predictions of chemical systems that were held out: half of the
    errors are below ln(2) b, nine in ten below ln(10) b, the standard deviation is sqrt(2) b.
    """

    floor_K: float
    relative: float
    near: float
    near_distance: float
    far: float

    def __call__(self, tc, distance):
        """Tc in K and D, arrays or tensors of one shape -> b in K."""
        square = distance**2
        return self.floor_K + tc * (
            self.relative + self.near * square / (square + self.near_distance**2) + self.far * square
        )


class TcEnsemble(nn.Module):
    """Predictor of the critical temperature in K (never negative), and of its error.

    members : the same with one set of the trees, or one network, for h each, to be climbed in turn; none if there is
        only one
    known_elements : (118,) bool
    familiar_distance : beyond which it extrapolates; 95 in 100 compositions of systems held out were nearer
    """

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
        alone = [([trees], []) for trees in heights] + [([], [network]) for network in networks]
        if len(alone) > 1:
            rest = kernel, chance, gate, known_elements, error_scale, familiar_distance
            self.members = nn.ModuleList(TcEnsemble(name, *each, *rest) for each in alone)

    def forward(self, composition: torch.Tensor) -> torch.Tensor:
        """Compositions (batch, 118) -> Tc in K (batch,)."""
        return self.estimate(composition).value

    def estimate(self, composition: torch.Tensor) -> Estimate:
        """Compositions (batch, 118) -> Tc and the mean absolute error to expect of it, both in K, and the distance.

        The distance is D less what D is at a known composition.
        """
        described = self.kernel.described(composition)
        left, distance = self.kernel.at(described)
        log_odds = self.chance(torch.cat([described, distance[:, None]], dim=1))
        # The kernel may be on another device than the trees, see `CompositionKernel`.
        left, distance = left.to(composition), distance.to(composition)
        height = torch.relu(self.said(composition, described) + left)
        tc = self.gate(log_odds.to(composition), height) * height
        return Estimate(tc, self.error_scale(tc, distance), distance - self.kernel.shape.soft)

    def said(self, composition: torch.Tensor, described: torch.Tensor) -> torch.Tensor:
        """h (batch,) in K of compositions (batch, 118), whose features are `described`."""
        by_trees = [trees(described).to(composition) for trees in self.heights]
        said = by_trees + [network(composition).squeeze(1) for network in self.networks]
        return sum(said) / len(said)


def load_tc_ensemble(name: str, folder: Path = CHECKPOINTS) -> TcEnsemble:
    """The predictor as it was fitted. Raises CheckpointError."""
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
