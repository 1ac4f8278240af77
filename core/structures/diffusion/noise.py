"""Noise in crystals, and what a network has to predict of it, at the steps of one schedule.

Lattice and types follow the cosine schedule, x_t = sqrt(abar_t) x_0 + sqrt(1 - abar_t) z. DiffCSP predicts z for both.
A small network must then carry 100 noisy numbers through each atom, and where x_t is almost only noise, an error in z
is many times larger in x_0. Two predictions here are equivalent to z for an exact network: of the types, the
probabilities of x_0, whose mean is what the reverse chain needs; of the lattice, the velocity
v = sqrt(abar_t) z - sqrt(1 - abar_t) x_0 (Salimans and Ho 2022, arXiv:2202.00512), from which
x_0 = sqrt(abar_t) x_t - sqrt(1 - abar_t) v.

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


class Target(NamedTuple):
    """What a network should predict, see `Prediction`; types (b, s, 100) are 1 at the type of the atom."""

    lattice: torch.Tensor
    positions: torch.Tensor
    types: torch.Tensor


def with_noise(crystals: Crystals, drawn: Drawn, tables: NoiseTables) -> tuple[Crystals, Target]:
    """Crystals with noise, and what a network should predict."""
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
    velocity = kept * drawn.lattice - added * crystals.lattice
    return noisy, Target(velocity, centred(target, crystals.real), crystals.types)
