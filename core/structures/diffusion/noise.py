"""Noise in crystals, and what a network has to predict of it, at the steps of one schedule.

Lattice and types follow the cosine schedule, x_t = sqrt(abar_t) x_0 + sqrt(1 - abar_t) z, and the network predicts z.
Coordinates are x_0 + sigma_t z; the network predicts the score over its root mean square, without the mean over the
atoms: the density does not depend on the origin, so that the exact score has none, and leaving it out of the target
takes away noise that no network can predict. After Jiao et al. 2023 (DiffCSP, arXiv:2309.04475).
"""

from __future__ import annotations

from typing import NamedTuple

import torch

from core.generation.diffusion.noise_schedule import cosine_schedule
from core.structures.diffusion.coordinate_noise import score, score_rms, sigmas
from core.structures.diffusion.crystals import Crystals, centred
from core.structures.diffusion.network import Noise


class NoiseTables(NamedTuple):
    """Numbers of each step (1000,), float32 on one device.

    kept, added : sqrt(abar) and sqrt(1 - abar)
    sigma : width of the noise in coordinates; rms : root mean square of their score
    """

    kept: torch.Tensor
    added: torch.Tensor
    sigma: torch.Tensor
    rms: torch.Tensor


def noise_tables(device: torch.device) -> NoiseTables:
    """The tables of the published schedule."""
    signal = cosine_schedule().signal
    columns = (signal**0.5, (1 - signal) ** 0.5, sigmas(), score_rms())
    return NoiseTables(*(torch.from_numpy(column).float().to(device) for column in columns))


class Drawn(NamedTuple):
    """What is drawn to put noise into b crystals of at most s atoms.

    step : (b,) int64; known : (b,) 1 for crystals whose types get no noise, else 0
    lattice (b, 6), positions (b, s, 3), types (b, s, 100) : normal numbers
    """

    step: torch.Tensor
    known: torch.Tensor
    lattice: torch.Tensor
    positions: torch.Tensor
    types: torch.Tensor

    def part(self, rows: slice, size: int) -> Drawn:
        """What is drawn for some crystals, padded to `size` atoms instead."""
        numbers = self.step[rows], self.known[rows], self.lattice[rows]
        return Drawn(*numbers, self.positions[rows, :size], self.types[rows, :size])


def with_noise(crystals: Crystals, drawn: Drawn, tables: NoiseTables) -> tuple[Crystals, Noise]:
    """Crystals with noise, and the noise as a network should predict it."""
    kept, added, sigma, rms = (table[drawn.step][:, None] for table in tables)
    free = (1 - drawn.known)[:, None, None]
    types = (kept[:, None] * crystals.types + added[:, None] * drawn.types) * free + crystals.types * (1 - free)
    displacement = sigma[:, None] * drawn.positions
    target = score(displacement, sigma[:, None].expand_as(displacement)) / rms[:, None]
    noisy = Crystals(
        types,
        (crystals.positions + displacement) % 1.0,
        kept * crystals.lattice + added * drawn.lattice,
        crystals.atoms,
    )
    return noisy, Noise(drawn.lattice, centred(target, crystals.real), drawn.types)
