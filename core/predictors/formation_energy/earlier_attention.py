"""The first version of formation-energy-ensemble, in use until the weights of the second version are trained."""

from __future__ import annotations

import copy
from pathlib import Path

import torch
from torch import nn

from core.paths import CHECKPOINTS
from core.predictors import checkpoint
from core.predictors.ensemble import Ensemble, SpreadScale
from core.predictors.info import Role
from core.predictors.interface import NetworkPredictor, Predictor
from core.predictors.layers.composition_attention import AttentionSize, CompositionAttention
from core.predictors.layers.composition_attention_bfloat16 import networks_for_ranking

ARCHITECTURE = "formation-energy-ensemble-v1"


class EarlierAttention(NetworkPredictor):
    """One network: predictor of the formation energy in eV/atom, on the references of the Materials Project.

    known_elements : (118,) bool
    """

    role = Role.FORMATION_ENERGY

    def __init__(self, name: str, size: AttentionSize, known_elements: torch.Tensor):
        super().__init__()
        self.name = name
        self.network = CompositionAttention(size)
        self.register_buffer("known_elements", known_elements.clone(), persistent=False)

    def forward(self, composition: torch.Tensor) -> torch.Tensor:
        """Compositions (batch, 118) -> formation energy in eV/atom (batch,)."""
        return self.network(composition).squeeze(1)

    def capturable(self, max_elements: int) -> EarlierAttention:
        """The same network with a table of `max_elements` tokens per composition."""
        twin = copy.copy(self)
        twin._modules = {"network": self.network.with_capacity(max_elements)}
        return twin

    def for_ranking(self) -> Predictor:
        """The network in bfloat16, on a processor that computes it faster."""
        (network,) = networks_for_ranking([self.network])
        return self if network is self.network else EarlierForRanking(self, network)


class EarlierForRanking(Predictor):
    """A network in another precision, without gradients."""

    role = Role.FORMATION_ENERGY

    def __init__(self, predictor: EarlierAttention, network: nn.Module):
        self.name, self.known_elements, self.network = predictor.name, predictor.known_elements, network

    def __call__(self, composition: torch.Tensor) -> torch.Tensor:
        """Compositions (batch, 118) -> formation energy in eV/atom (batch,)."""
        return self.network(composition).squeeze(1)


def load_earlier_ensemble(name: str, folder: Path = CHECKPOINTS) -> Ensemble:
    """The trained ensemble, in evaluation mode, without gradients to its weights. Raises CheckpointError."""
    tensors, card = checkpoint.load(name, ARCHITECTURE, folder)
    known = checkpoint.known_mask(card)
    members = [EarlierAttention(name, AttentionSize(), known) for _ in range(card["settings"]["members"])]
    scale = card.get("error_scale")
    predictor = Ensemble(name, members, scale and SpreadScale(**scale))
    checkpoint.load_into(predictor.networks, tensors, name)
    return predictor.eval().requires_grad_(False)
