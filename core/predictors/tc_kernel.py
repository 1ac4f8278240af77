"""Critical temperature: known superconductors are interpolated, and a network says where there is nothing to it.

Tc = g(r) [t v + (1 - t) r]
g  = 1 - (1 - r / r_sure)^2 below r_sure, else 1;    r_sure = r_near + r_far D^2 / (D^2 + D_near^2)
t  = 1 - D^2 / (2 (D^2 + D_trust^2))

v is a kernel regression over the known superconductors (`composition_kernel`), D its distance to the nearest of them, r
what the network says. The regression has seen superconductors only: the network, which has seen other compounds too,
says where there is none (g), and away from all known superconductors it must be surer that there is one (r_sure). Far
from them (D > D_trust) the regression counts half.

The error to expect grows with the distance to what is known; see `ErrorScale`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from core.paths import CHECKPOINTS
from core.predictors import checkpoint
from core.predictors.composition_kernel import CompositionKernel, KernelShape
from core.predictors.interface import Estimate, Predictor
from core.references import unpack_compositions

ARCHITECTURE = "tc-kernel-v2"


@dataclass(frozen=True)
class Mixture:
    """The numbers of the equations above: r_near, r_far in K; D_near, D_trust in the kernel's distance."""

    sure_near_K: float = 0.3
    sure_far_K: float = 4.0
    near_distance: float = 0.05
    trust_distance: float = 0.15


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


class TcKernel(nn.Module):
    """Predictor of the critical temperature in K (never negative), and of its error.

    familiar_distance : beyond which it extrapolates; 95 in 100 compositions of systems held out were nearer
    """

    def __init__(
        self,
        name: str,
        network: nn.Module,
        kernel: CompositionKernel,
        mixture: Mixture,
        error_scale: ErrorScale,
        familiar_distance: float,
    ):
        super().__init__()
        self.name, self.network, self.kernel, self.mixture = name, network, kernel, mixture
        self.error_scale, self.familiar_distance = error_scale, familiar_distance
        self.register_buffer("known_elements", network.known_elements.clone(), persistent=False)

    def forward(self, composition: torch.Tensor) -> torch.Tensor:
        """Compositions (batch, 118) -> Tc in K (batch,)."""
        return self.estimate(composition).value

    def estimate(self, composition: torch.Tensor) -> Estimate:
        """Compositions (batch, 118) -> Tc and the mean absolute error to expect of it, both in K, and the distance.

        The distance is D less what D is at a known composition.
        """
        by_network = self.network(composition)
        by_kernel, distance = self.kernel(composition)
        square = distance.square()
        trust = 1 - square / (2 * (square + self.mixture.trust_distance**2))
        gate = 1 - torch.relu(1 - by_network / self.sure_K(square)).square()
        tc = torch.relu(gate * (trust * by_kernel + (1 - trust) * by_network))
        return Estimate(tc, self.error_scale(tc, distance), distance - self.kernel.shape.soft)

    def sure_K(self, square: torch.Tensor) -> torch.Tensor:
        """D^2 (batch,) -> r_sure in K (batch,), above which the network counts as sure of a superconductor."""
        m = self.mixture
        return m.sure_near_K + m.sure_far_K * square / (square + m.near_distance**2)


def load_tc_kernel(name: str, network: Predictor, folder: Path = CHECKPOINTS) -> TcKernel:
    """The predictor that was fitted, on top of this network. Raises CheckpointError if it belongs to another one."""
    tensors, card = checkpoint.load(name, ARCHITECTURE, folder)
    if checkpoint.read_card(network.name, folder)["sha256"] != card["network_sha256"]:
        raise checkpoint.CheckpointError(
            f"{name} was fitted on other weights of {network.name}. Restore checkpoints/ from the repository, or fit "
            f"it again: python -m core train {name}."
        )
    points = torch.from_numpy(unpack_compositions(tensors))
    shape = KernelShape(**card["settings"]["kernel"])
    kernel = CompositionKernel(shape, points, tensors["weights"], float(tensors["mean"]))
    mixture, error_scale = Mixture(**card["settings"]["mixture"]), ErrorScale(**card["error_scale"])
    familiar = float(card["familiar_distance"])
    return TcKernel(name, network, kernel, mixture, error_scale, familiar).eval().requires_grad_(False)
