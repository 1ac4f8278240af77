"""A small network with random weights, everywhere, and crystals with noise."""

from dataclasses import asdict

import pytest
import torch

from core.predictors import checkpoint
from core.structures.diffusion.crystals import Crystals, one_hot
from core.structures.diffusion.lattice_numbers import LatticeScale
from core.structures.diffusion.network import CrystalNet, CrystalNetSize
from core.structures.diffusion.weights import ARCHITECTURE

SCALE = LatticeScale((1.2, 1.2, 1.3, 0.0, 0.0, 0.1), (0.2, 0.3, 0.3, 0.1, 0.1, 0.1))
SMALL = CrystalNetSize(width=16, layers=2, frequencies=4, radial=4, encoding=8, adapter_width=8)


def network_of(size: CrystalNetSize, seed: int = 0) -> CrystalNet:
    """A network without any weights at zero."""
    torch.manual_seed(seed)
    network = CrystalNet(SCALE, size).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return network


def noisy_crystals(*atoms: int, seed: int = 0) -> Crystals:
    """Crystals of which about half of the types are hidden."""
    generator = torch.Generator().manual_seed(seed)
    b, s = len(atoms), max(atoms)
    types = one_hot(torch.randint(0, 90, (b, s), generator=generator))
    types = types * (torch.rand(b, s, 1, generator=generator) < 0.5)
    positions, lattice = torch.rand(b, s, 3, generator=generator), torch.randn(b, 6, generator=generator)
    return Crystals(types, positions, lattice, torch.tensor(atoms))


@pytest.fixture(scope="module")
def network():
    return network_of(SMALL)


def stored(folder, name, size=SMALL):
    """A checkpoint of a network with random weights, which makes crystals of two or three atoms."""
    card = {
        "architecture": ARCHITECTURE,
        "settings": {"size": asdict(size)},
        "lattice": asdict(SCALE),
        "sizes": [0, 0, 2, 1],
    }
    checkpoint.save(name, checkpoint.to_storage(network_of(size).state_dict()), card, folder)
