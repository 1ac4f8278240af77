"""The checkpoints of the networks of crystals: without a condition, and with an adapter for Tc."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.paths import CHECKPOINTS
from core.predictors import checkpoint
from core.structures.diffusion.lattice_numbers import LatticeScale
from core.structures.diffusion.network import CrystalNet, CrystalNetSize

ARCHITECTURE = "crystal-cspnet-v1"


@dataclass(frozen=True)
class CrystalModel:
    """A network ready for evaluation, with its card.

    sizes : number of training structures with 0, 1, 2 ... atoms, from which the sizes of samples are drawn
    """

    network: CrystalNet
    sizes: tuple[int, ...]
    card: dict[str, Any]


def load_crystal_network(name: str, folder: Path = CHECKPOINTS) -> CrystalModel:
    """The trained network. Raises CheckpointError as `checkpoint.load` does."""
    tensors, card = checkpoint.load(name, ARCHITECTURE, folder)
    with checkpoint.refusing_what_does_not_fit(name):
        scale = LatticeScale(tuple(card["lattice"]["mean"]), tuple(card["lattice"]["deviation"]))
        network = CrystalNet(scale, CrystalNetSize(**card["settings"]["size"]))
        sizes = tuple(int(count) for count in card["sizes"])
    checkpoint.load_into(network, tensors, name)
    return CrystalModel(network.eval().requires_grad_(False), sizes, card)
