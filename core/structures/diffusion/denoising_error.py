"""How well a structure agrees with what the network of crystals has learned: its error in finding noise in it.

The mean squared errors of the score of the coordinates and of the velocity of the lattice, over noise of several
strengths, bound the likelihood of a structure of this formula up to the weights of the steps (Ho et al. 2020, eq. 12
and 14). The noise is the same for all structures with the same number of atoms, so that their differences are not
noise.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from core.chemistry import elements
from core.chemistry.structure import Structure
from core.structures.diffusion.crystals import N_TYPES, Crystals, one_hot
from core.structures.diffusion.lattice_numbers import niggli, numbers_of
from core.structures.diffusion.network import CrystalNet
from core.structures.diffusion.noise import Drawn, noise_tables, with_noise

STEPS = (20, 60, 100, 150, 200, 250, 300, 350, 400, 450, 500, 550, 600, 700, 800, 900)  # of the noise
MOST_ATOMS = 40  # twice as many as in any structure of the training
ROWS = 64  # structures with noise that are computed together
_SEED = 0


class DenoisingErrors(NamedTuple):
    """Mean squared errors (n,) of n structures; NaN for one that the network cannot read.

    positions : of the score over its root mean square; lattice : of the velocity in standard numbers
    """

    positions: np.ndarray
    lattice: np.ndarray

    @property
    def total(self) -> np.ndarray:
        """The sum, as in the loss of the training with a given formula."""
        return self.positions + self.lattice


@torch.no_grad()
def denoising_errors(network: CrystalNet, structures: Sequence[Structure], device: torch.device) -> DenoisingErrors:
    """The errors of a network in evaluation mode, on the device, for structures with the formulas that they have.

    It cannot read structures of more than MOST_ATOMS atoms, with elements beyond fermium, or without a reduced cell.
    """
    errors = np.full((2, len(structures)), np.nan)
    of_size: dict[int, list[tuple[int, Structure]]] = defaultdict(list)
    for place, structure in enumerate(structures):
        if (reduced := _readable(structure)) is not None:
            of_size[len(reduced.symbols)].append((place, reduced))
    for size, own in of_size.items():
        together = max(ROWS // len(STEPS), 1)
        for first in range(0, len(own), together):
            part = own[first : first + together]
            places = [place for place, _ in part]
            errors[:, places] = _errors(network, [structure for _, structure in part], size, device)
    return DenoisingErrors(*errors)


def _readable(structure: Structure) -> Structure | None:
    """The structure in its reduced cell; None if the network cannot read it."""
    symbols = structure.symbols
    if len(symbols) > MOST_ATOMS or any(elements.element(symbol).index >= N_TYPES for symbol in symbols):
        return None
    try:
        return niggli(structure)
    except (ValueError, np.linalg.LinAlgError):
        return None


def _errors(network: CrystalNet, structures: Sequence[Structure], size: int, device: torch.device) -> np.ndarray:
    """(2, n) mean squared errors of positions and lattice over the steps."""
    n, steps = len(structures), len(STEPS)
    kinds = [[elements.element(symbol).index for symbol in each.symbols] for each in structures]
    atoms = np.full(n, size)
    lattice = network.scale.standard(numbers_of(np.stack([each.lattice for each in structures])), atoms)
    positions = np.stack([each.positions for each in structures])
    crystals = Crystals(
        one_hot(torch.tensor(kinds)).repeat_interleave(steps, 0).to(device),
        torch.from_numpy(positions).float().repeat_interleave(steps, 0).to(device),
        torch.from_numpy(lattice).float().repeat_interleave(steps, 0).to(device),
        torch.full((n * steps,), size, device=device),
    )
    drawn = _noise(size, n, device)
    noisy, target = with_noise(crystals, drawn, noise_tables(device))
    predicted = network(noisy, drawn.step)
    squares = (
        (predicted.positions - target.positions).square().mean((1, 2)),
        (predicted.lattice - target.lattice).square().mean(1),
    )
    return np.stack([each.view(n, steps).mean(1).cpu().double().numpy() for each in squares])


def _noise(size: int, structures: int, device: torch.device) -> Drawn:
    """The same noise at each step for every structure; no type is hidden."""
    steps = len(STEPS)
    random = np.random.default_rng([_SEED, size])
    numbers = random.standard_normal((steps, 6)), random.standard_normal((steps, size, 3))
    lattice, positions = (torch.from_numpy(each).float().to(device) for each in numbers)
    return Drawn(
        torch.tensor(STEPS, device=device).repeat(structures),
        torch.ones(structures * steps, device=device),
        lattice.repeat(structures, 1),
        positions.repeat(structures, 1, 1),
        torch.zeros(structures * steps, size, device=device),
    )
