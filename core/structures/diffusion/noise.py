"""Noise in crystals, and what a network has to predict of it, at the steps of one schedule.

The lattice follows the cosine schedule, x_t = sqrt(abar_t) x_0 + sqrt(1 - abar_t) z. DiffCSP predicts z; here it is
the velocity v = sqrt(abar_t) z - sqrt(1 - abar_t) x_0 (Salimans and Ho 2022, arXiv:2202.00512), from which
x_0 = sqrt(abar_t) x_t - sqrt(1 - abar_t) v: where x_t is almost only noise, an error in z is many times larger in x_0.

Types are hidden instead of blurred (Austin et al. 2021, arXiv:2107.03006, "absorbing state"; MatterGen,
doi:10.1038/s41586-025-08628-5): at step t each atom is hidden with the probability (t + 1) / 1000, and the network
predicts its type from those that are not. Numbers of DiffCSP around a one-hot vector tell the type of every atom at
about the same step, each atom for itself: a small network then makes crystals of too many elements.

Coordinates are x_0 + sigma_t z; the network predicts the score over its root mean square, without the mean over the
atoms: the density does not depend on the origin, so that the exact score has none, and leaving it out of the target
takes away noise that no network can predict. After Jiao et al. 2023 (DiffCSP, arXiv:2309.04475).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

from core.generation.diffusion.noise_schedule import STEPS, cosine_schedule
from core.structures.diffusion.coordinate_noise import score, score_rms, sigmas
from core.structures.diffusion.crystals import Crystals, centred


class NoiseTables(NamedTuple):
    """Numbers of each step (1000,), float32 on one device.

    hidden : probability that the type of an atom is hidden
    kept, added : sqrt(abar) and sqrt(1 - abar)
    sigma : width of the noise in coordinates; rms : root mean square of their score
    """

    kept: torch.Tensor
    added: torch.Tensor
    sigma: torch.Tensor
    rms: torch.Tensor
    hidden: torch.Tensor


def noise_tables(device: torch.device) -> NoiseTables:
    """The tables of the published schedule."""
    signal = cosine_schedule().signal
    columns = (signal**0.5, (1 - signal) ** 0.5, sigmas(), score_rms(), hidden_shares())
    return NoiseTables(*(torch.from_numpy(column).float().to(device) for column in columns))


def hidden_shares() -> np.ndarray:
    """Probability (1000,) that the type of an atom is hidden at each step; 1 at the last one."""
    return np.arange(1, STEPS + 1) / STEPS


class Drawn(NamedTuple):
    """What is drawn to put noise into b crystals of at most s atoms.

    step : (b,) int64; known : (b,) 1 for crystals whose types are not hidden, else 0
    lattice (b, 6), positions (b, s, 3) : normal numbers; types (b, s) : numbers between 0 and 1
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
    """What a network should predict, see `Prediction`.

    types : (b, s, 100) 1 at the type of the atom
    hidden : (b, s) 1 for an atom whose type is to be predicted, else 0
    """

    lattice: torch.Tensor
    positions: torch.Tensor
    types: torch.Tensor
    hidden: torch.Tensor


def hidden_atoms(crystals: Crystals, drawn: Drawn, tables: NoiseTables) -> torch.Tensor:
    """(b, s) 1 for an atom whose type is hidden, else 0."""
    hidden = (drawn.types < tables.hidden[drawn.step][:, None]).to(crystals.positions.dtype)
    return hidden * (1 - drawn.known)[:, None] * crystals.real


def with_noise(crystals: Crystals, drawn: Drawn, tables: NoiseTables) -> tuple[Crystals, Target]:
    """Crystals with noise, and what a network should predict."""
    kept, added, sigma, rms, _ = (table[drawn.step][:, None] for table in tables)
    hidden = hidden_atoms(crystals, drawn, tables)
    displacement = sigma[:, None] * drawn.positions
    target = score(displacement, sigma[:, None].expand_as(displacement)) / rms[:, None]
    noisy = Crystals(
        crystals.types * (1 - hidden)[..., None],
        (crystals.positions + displacement) % 1.0,
        kept * crystals.lattice + added * drawn.lattice,
        crystals.atoms,
    )
    velocity = kept * drawn.lattice - added * crystals.lattice
    return noisy, Target(velocity, centred(target, crystals.real), crystals.types, hidden)
