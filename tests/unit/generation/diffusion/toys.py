"""Small predictors and networks for tests of the sampler."""

from __future__ import annotations

import torch
from torch import nn

from core.generation.diffusion.guidance import Guidance
from core.generation.diffusion.network import N_POSITIONS, UNet, UNetSize
from core.generation.diffusion.noise_schedule import cosine_schedule
from core.predictors.info import Role
from core.predictors.interface import Predictor

SMALL = UNetSize(width=8, multipliers=(1, 2), heads=2, head_width=4, groups=4)


class Quadratic(Predictor):
    """A smooth function of the composition, with all elements known."""

    def __init__(self, role: Role, seed: int, scale: float):
        generator = torch.Generator().manual_seed(seed)
        self.name, self.role, self.known_elements = "quadratic", role, torch.ones(118, dtype=torch.bool)
        self.linear = scale * torch.randn(118, generator=generator)
        self.square = scale * torch.randn(118, generator=generator)

    def __call__(self, composition):
        return composition @ self.linear + composition.square() @ self.square

    def to(self, device):
        return self


TC = Quadratic(Role.TC, 1, 100.0)
ENERGY = Quadratic(Role.FORMATION_ENERGY, 2, 1.0)
GUIDANCE = Guidance(torch.ones(118, dtype=torch.bool), 4.0)


class ExactNoise(nn.Module):
    """The best prediction of the noise for a distribution of equally likely compositions (n, 96)."""

    def __init__(self, amounts: torch.Tensor):
        super().__init__()
        self.amounts = amounts.double().view(-1, N_POSITIONS)
        self.signal = torch.from_numpy(cosine_schedule().signal)

    def forward(self, x, step):
        signal = self.signal[step][:, None]
        distance = x.double()[:, None] - signal.sqrt()[:, None] * self.amounts
        chance = (-distance.square().sum(2) / (2 * (1 - signal))).softmax(1)
        return ((x.double() - signal.sqrt() * (chance @ self.amounts)) / (1 - signal).sqrt()).float()


def untrained() -> UNet:
    """A small network with random weights."""
    torch.manual_seed(0)
    return UNet(SMALL).eval()


def amounts_of(**amounts: float) -> torch.Tensor:
    """Amounts by symbol as a vector (96,)."""
    from core.generation.diffusion.amounts import amount_vector

    vector = torch.from_numpy(amount_vector(amounts))
    assert len(vector) == N_POSITIONS
    return vector
