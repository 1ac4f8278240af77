"""Critical temperature by an ensemble: regression of Tc, a kernel correction near known superconductors, and a gate.

Tc = g v,    v = max(0, h + k)
g  = sigmoid(steepness (s - sure + by_height ln(1 + v / height_K)))

h : mean of sets of `SmoothTrees` and of networks (`composition_attention`) trained on Tc of superconductors; they
    generalise to new chemical systems, and their errors differ
k : kernel regression (`composition_kernel`) of the residuals of h on the known superconductors: it interpolates doping
    series, and decays with the distance to them
s : `SmoothTrees` for the log-odds of superconductivity, on the features of h's trees (those of the kernel and
    `ElementStatistics`) and D, the kernel's distance to the nearest known superconductor. A high v needs smaller
    odds: most compounds that do not superconduct resemble superconductors of low Tc

The expected error grows with the distance to the known superconductors, with the disagreement of the parts of h, and
with what the gate takes away; see `ErrorScale`. s also gives a probability of superconductivity; see `Probability`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn

from core.paths import CHECKPOINTS
from core.predictors import checkpoint
from core.predictors.features.element_statistics import ElementStatistics
from core.predictors.info import Role
from core.predictors.interface import Estimate, NetworkPredictor, Predictor
from core.predictors.layers.composition_attention import AttentionSize, CompositionAttention, unpack_networks
from core.predictors.layers.composition_attention_bfloat16 import networks_for_ranking
from core.predictors.layers.composition_kernel import CompositionKernel, KernelShape
from core.predictors.layers.smooth_trees import SmoothTrees, unpack_trees
from core.predictors.packed_compositions import unpack_compositions

ARCHITECTURE = "tc-ensemble-v5"
LEAST_VARIANCE_K2 = 1e-4  # of the parts of h: the root of a variance of 0 has no gradient


@dataclass(frozen=True)
class Gate:
    """The parameters of the equation for g above; height_K in K.

    Chosen on the validation part: a small error of the gated Tc of superconductors at a higher precision with the COD
    than with a steepness of 4. MAE, R2, precision and recall 3.60 K, 0.942, 0.860 and 0.937 instead of 3.61 K, 0.942,
    0.850 and 0.937; without the gate 3.51 K and 0.945. A steepness of 8 brings 0.0001 of R2.
    """

    sure: float = 0.5
    by_height: float = 3.0
    height_K: float = 20.0
    steepness: float = 6.0

    def __call__(self, log_odds: torch.Tensor, height: torch.Tensor) -> torch.Tensor:
        """s (n,), v (n,) in K -> g (n,), from 0 to 1."""
        required = self.sure - self.by_height * torch.log1p(height / self.height_K)
        return torch.sigmoid(self.steepness * (log_odds - required))


@dataclass(frozen=True)
class Probability:
    """Probability that a compound of a chemical system outside the training data superconducts:

    p = sigmoid(offset + slope s)

    Logistic regression on the log-odds s (Platt 1999) of held-out chemical systems of SuperCon and of the COD; it holds
    for a compound drawn from both.
    """

    offset: float
    slope: float

    def __call__(self, log_odds: torch.Tensor) -> torch.Tensor:
        """s (n,) -> p (n,)."""
        return torch.sigmoid(self.offset + self.slope * log_odds)


@dataclass(frozen=True)
class ErrorScale:
    """Expected absolute error of a Tc:

    b = floor_K + sigmoid(s - sure_s) [v (relative + near D^2 / (D^2 + near_distance^2)) + gated (v - Tc) + spread d]

    D is the distance from the known superconductors, v the Tc before the gate, d the standard deviation between the
    parts of h. A compound that the gate wrongly calls no superconductor has an error of the order of v. Fitted as the
    scale of Laplace's distribution on held-out chemical systems: 50% of the errors are below ln(2) b, 90% below ln(10)
    b, and the standard deviation is sqrt(2) b.

    sure_s : log-odds below which fewer than 1% of the compounds superconduct; there b decays to floor_K
    """

    floor_K: float
    relative: float
    near: float
    near_distance: float
    gated: float
    spread: float
    sure_s: float

    def __call__(
        self,
        tc: torch.Tensor,
        height: torch.Tensor,
        spread: torch.Tensor,
        log_odds: torch.Tensor,
        distance: torch.Tensor,
    ) -> torch.Tensor:
        """Tc, v and d in K, s and D, all (n,) -> b (n,) in K."""
        square = distance.square()
        relative = self.relative + self.near * square / (square + self.near_distance**2)
        doubt = torch.sigmoid(log_odds - self.sure_s)
        return self.floor_K + doubt * (height * relative + self.gated * (height - tc) + self.spread * spread)


@dataclass(frozen=True)
class Reliability:
    """What is fitted on chemical systems outside the training data.

    error : of the ensemble; error_of_part : of one part of h alone, which has no spread
    familiar_distance : distance beyond which the predictor extrapolates
    """

    error: ErrorScale
    error_of_part: ErrorScale
    probability: Probability
    familiar_distance: float

    @classmethod
    def from_card(cls, card: Mapping[str, Any]) -> Reliability:
        """The entry "reliability" of the card of a checkpoint."""
        stored = card["reliability"]
        scales = {name: ErrorScale(**stored[name]) for name in ("error", "error_of_part")}
        return cls(
            **scales, probability=Probability(**stored["probability"]), familiar_distance=stored["familiar_distance"]
        )

    def of_part(self) -> Reliability:
        """The reliability of one part of h alone."""
        return replace(self, error=self.error_of_part)


class TcEnsemble(NetworkPredictor):
    """Predictor of the critical temperature in K (never negative), and of its error.

    heights, networks : the parts of h
    statistics : the features of the trees beside those of the kernel
    kernel : k, and the distance D
    chance : s
    gate : the parameters of g
    known_elements : (118,) bool
    reliability : expected error, probability of superconductivity, and the distance beyond which it extrapolates
    """

    role = Role.TC
    gives_error = True

    def __init__(
        self,
        name: str,
        heights: Sequence[SmoothTrees],
        networks: Sequence[CompositionAttention],
        statistics: ElementStatistics,
        kernel: CompositionKernel,
        chance: SmoothTrees,
        gate: Gate,
        known_elements: torch.Tensor,
        reliability: Reliability,
    ):
        super().__init__()
        self.name, self.statistics, self.kernel, self.chance, self.gate = name, statistics, kernel, chance, gate
        self.heights, self.networks = nn.ModuleList(heights), nn.ModuleList(networks)
        self.reliability, self.familiar_distance = reliability, reliability.familiar_distance
        self.register_buffer("known_elements", known_elements.clone(), persistent=False)
        parts = [([trees], []) for trees in heights] + [([], [network]) for network in networks]
        rest = statistics, kernel, chance, gate, known_elements, reliability.of_part()
        self.parts = nn.ModuleList(TcEnsemble(name, *each, *rest) for each in parts if len(parts) > 1)

    def members(self) -> Sequence[Predictor]:
        """One predictor for each set of trees and each network, in which h is that part alone."""
        return cast(list[TcEnsemble], [*self.parts]) or [self]

    def capturable(self, max_elements: int) -> TcEnsemble:
        """The ensemble with the networks' forms of fixed shapes; trees and kernel have fixed shapes."""
        heights = cast(list[SmoothTrees], [*self.heights])
        networks = [cast(CompositionAttention, each).with_capacity(max_elements) for each in self.networks]
        rest = self.statistics, self.kernel, self.chance, self.gate, self.known_elements, self.reliability
        return TcEnsemble(self.name, heights, networks, *rest).train(self.training)

    def forward(self, composition: torch.Tensor) -> torch.Tensor:
        """Compositions (batch, 118) -> Tc in K (batch,)."""
        return self.estimate(composition).value

    def estimate(self, composition: torch.Tensor) -> Estimate:
        """Compositions (batch, 118) -> Tc and its expected absolute error, both in K, the distance and the probability.

        The distance is D minus its value at a known composition.
        """
        features = self.kernel.features(composition)
        correction, distance = self.kernel.at(features)
        features = self.for_trees(composition, features)
        log_odds = self.chance(torch.cat([features, distance[:, None]], dim=1))
        # The kernel may be on another device than the trees, see `CompositionKernel`.
        correction, distance = correction.to(composition), distance.to(composition)
        return self.estimate_of(self.each_height(composition, features), correction, distance, log_odds.to(composition))

    def estimate_of(
        self, heights: torch.Tensor, correction: torch.Tensor, distance: torch.Tensor, log_odds: torch.Tensor
    ) -> Estimate:
        """`estimate` from the parts of h (parts, batch) and k (batch,) in K, D (batch,) and s (batch,)."""
        mean = heights.mean(0)
        spread = ((heights - mean).square().mean(0) + LEAST_VARIANCE_K2).sqrt()
        height = torch.relu(mean + correction)
        tc = self.gate(log_odds, height) * height
        error = self.reliability.error(tc, height, spread, log_odds, distance)
        return Estimate(tc, error, distance - self.kernel.shape.soft, self.reliability.probability(log_odds))

    def for_ranking(self) -> TcEnsembleForRanking:
        """The ensemble with the kernel in float32 and, on a processor that supports it, the networks in bfloat16."""
        return TcEnsembleForRanking(self)

    def for_preselection(self) -> TcEnsembleForPreselection | None:
        """With one set of trees as h, in a quarter of the time of `for_ranking`; None without trees or networks."""
        return TcEnsembleForPreselection(self) if len(self.heights) and len(self.networks) else None

    def for_trees(self, composition: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
        """Compositions (batch, 118) and their features for the kernel (batch, f) -> those for the trees (batch, F)."""
        return torch.cat([features, self.statistics(composition).to(features)], dim=1)

    def each_height(self, composition: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
        """The parts of h (parts, batch) in K of compositions (batch, 118) with features for the trees (batch, F)."""
        by_trees = [trees(features).to(composition) for trees in self.heights]
        return torch.stack(by_trees + [network(composition).squeeze(1) for network in self.networks])


class _WithoutGradient(Predictor):
    """The ensemble with the kernel in float32, and with some sets of trees and networks in place of all."""

    role = Role.TC
    gives_error = True

    def __init__(self, ensemble: TcEnsemble, heights: Sequence[nn.Module], networks: Sequence[nn.Module]):
        self.ensemble, self.name, self.heights, self.networks = ensemble, ensemble.name, heights, networks
        self.known_elements, self.familiar_distance = ensemble.known_elements, ensemble.familiar_distance

    def __call__(self, composition: torch.Tensor) -> torch.Tensor:
        """Compositions (batch, 118) -> Tc in K (batch,)."""
        return self.estimate(composition).value

    @torch.no_grad()
    def estimate(self, composition: torch.Tensor) -> Estimate:
        """See `TcEnsemble.estimate`."""
        own = self.ensemble
        features = own.kernel.features(composition)
        correction, distance = (each.to(composition) for each in own.kernel.at_in_float32(features))
        short = own.for_trees(composition, features.to(composition))
        heights = [trees(short) for trees in self.heights] + [
            network(composition).squeeze(1) for network in self.networks
        ]
        log_odds = own.chance(torch.cat([short, distance[:, None]], dim=1))
        return own.estimate_of(torch.stack(heights), correction, distance, log_odds)


class TcEnsembleForRanking(_WithoutGradient):
    """See `TcEnsemble.for_ranking`. A single composition costs as much as with the ensemble; thousands cost half."""

    def __init__(self, ensemble: TcEnsemble):
        networks = networks_for_ranking(cast(list[CompositionAttention], [*ensemble.networks]))
        super().__init__(ensemble, [*ensemble.heights], networks)


class TcEnsembleForPreselection(_WithoutGradient):
    """See `TcEnsemble.for_preselection`: the set of trees that is computed fastest, the kernel and the gate."""

    def __init__(self, ensemble: TcEnsemble):
        fastest = min(cast(list[SmoothTrees], [*ensemble.heights]), key=lambda trees: trees.distinct_splits)
        super().__init__(ensemble, [fastest], [])


def load_tc_ensemble(name: str, folder: Path = CHECKPOINTS) -> TcEnsemble:
    """The trained ensemble, in evaluation mode, without gradients to its weights. Raises CheckpointError."""
    tensors, card = checkpoint.load(name, ARCHITECTURE, folder)
    points = torch.from_numpy(unpack_compositions(tensors))
    kernel = CompositionKernel(KernelShape(**card["settings"]["kernel"]), points, tensors["weights"])
    trees = {part: unpack_trees(tensors, part, bias) for part, bias in card["bias"].items()}
    heights = [trees[f"height{i}"] for i in range(len(card["settings"]["heights"]))]
    sizes = [AttentionSize(trace=each["trace"]) for each in card["settings"]["networks"]]
    networks = unpack_networks(tensors, "network", sizes, name)
    statistics = ElementStatistics(tensors["properties"])
    gate, known = Gate(**card["settings"]["gate"]), checkpoint.known_mask(card)
    reliability = Reliability.from_card(card)
    predictor = TcEnsemble(name, heights, networks, statistics, kernel, trees["chance"], gate, known, reliability)
    return predictor.eval().requires_grad_(False)
