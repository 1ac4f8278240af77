"""The checkpoints of the noise predictor, one for each class of superconductors."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from core.generation.diffusion.network import UNet, UNetSize
from core.paths import CHECKPOINTS
from core.predictors import checkpoint

ARCHITECTURE = "superdiff-unet-groupnorm-v1"


def load_noise_predictor(name: str, folder: Path = CHECKPOINTS) -> UNet:
    """The trained network, ready for evaluation. Raises CheckpointError as `checkpoint.load` does."""
    tensors, card = checkpoint.load(name, ARCHITECTURE, folder)
    with checkpoint.refusing_what_does_not_fit(name):
        size = card["settings"]["size"]
        network = UNet(replace(UNetSize(**size), multipliers=tuple(size["multipliers"])))
    checkpoint.load_into(network, tensors, name)
    return network.eval().requires_grad_(False)
