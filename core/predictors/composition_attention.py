"""Attention over the elements of a composition: a property from the composition alone, smooth where an element leaves.

Every element is a token: its properties and a learned vector, plus an encoding of its fraction and of the fraction's
logarithm. In attention the weight of element j carries a factor x_j^p, p > 1 learned for each head, and the result is
the sum of the tokens weighted by their fractions; so an element of fraction 1e-6 changes nothing, as in nature.
Absent elements are left out of the computation, which is the same as giving them the fraction 0.

After CrabNet (Wang et al. 2021, doi:10.1038/s41524-021-00545-1) and Roost (Goodall and Lee 2020,
doi:10.1038/s41467-020-19964-7); the fraction in the attention weights is Roost's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from core import elements
from core.paths import CHECKPOINTS
from core.predictors import checkpoint
from core.predictors.element_facts import element_facts
from core.predictors.ensemble import Ensemble, SpreadScale

FORMATION_ENERGY = "formation-energy-ensemble-v1"
LEAST_FRACTION = 1e-6  # below it an element's own encoding no longer changes


@dataclass(frozen=True)
class AttentionSize:
    """How large the network is."""

    width: int = 128
    layers: int = 3
    heads: int = 4
    waves: int = 16  # sines and cosines of the fraction, and as many of its logarithm


class CompositionAttention(nn.Module):
    """(batch, 118) fractions -> (batch, outputs)."""

    def __init__(self, size: AttentionSize, outputs: int = 1):
        super().__init__()
        self.size = size
        facts = element_facts()
        self.register_buffer("facts", facts, persistent=False)
        self.register_buffer("waves", torch.arange(1, size.waves + 1) * math.pi, persistent=False)
        self.properties = nn.Linear(facts.shape[1], size.width)
        self.vectors = nn.Embedding(elements.N_ELEMENTS, size.width)
        nn.init.normal_(self.vectors.weight, std=0.3)
        self.amount = nn.Linear(4 * size.waves + 1, size.width)
        self.layers = nn.ModuleList(_Layer(size) for _ in range(size.layers))
        self.norm = nn.LayerNorm(size.width)
        self.head = nn.Sequential(
            nn.Linear(size.width, 2 * size.width), nn.SiLU(), nn.Linear(2 * size.width, size.width), nn.SiLU(),
            nn.Linear(size.width, outputs),
        )  # fmt: skip

    def forward(self, composition: torch.Tensor) -> torch.Tensor:
        """Fractions (batch, 118), rows summing to 1 -> (batch, outputs)."""
        most = max(1, int((composition.detach() > 0).sum(1).max()))
        fraction, place = composition.topk(most, dim=1)
        vectors = self.vectors.weight + self.properties(self.facts)
        tokens = vectors[place] + self.amount(self.encoded(fraction))
        logarithm = fraction.clamp_min(torch.finfo(fraction.dtype).tiny).log()
        for layer in self.layers:
            tokens = layer(tokens, logarithm)
        return self.head((self.norm(tokens) * fraction[:, :, None]).sum(1))

    def encoded(self, fraction: torch.Tensor) -> torch.Tensor:
        """Fractions (batch, k) -> (batch, k, 4 waves + 1): the fraction, sines and cosines of it and of its log."""
        # From 0 (at LEAST_FRACTION) to 1, so that 1% and 2% are as far apart as 20% and 40%.
        log = 1 - fraction.clamp_min(LEAST_FRACTION).log() / math.log(LEAST_FRACTION)
        angles = torch.cat([fraction[:, :, None] * self.waves, log[:, :, None] * self.waves], dim=2)
        return torch.cat([fraction[:, :, None], angles.sin(), angles.cos()], dim=2)


class _Layer(nn.Module):
    """Attention and a feed-forward part, each with its norm before it."""

    def __init__(self, size: AttentionSize):
        super().__init__()
        self.heads = size.heads
        self.norm1, self.norm2 = nn.LayerNorm(size.width), nn.LayerNorm(size.width)
        self.query_key_value = nn.Linear(size.width, 3 * size.width)
        self.power = nn.Parameter(torch.full((size.heads,), -2.0))  # p = 1 + softplus(power), 1.13 at first
        self.out = nn.Linear(size.width, size.width)
        self.feed = nn.Sequential(
            nn.Linear(size.width, 2 * size.width), nn.SiLU(), nn.Linear(2 * size.width, size.width)
        )

    def forward(self, tokens: torch.Tensor, logarithm: torch.Tensor) -> torch.Tensor:
        """tokens (batch, k, width), logarithm of the fractions (batch, k) -> tokens."""
        batch, k, width = tokens.shape
        query, key, value = (
            part.view(batch, k, self.heads, -1).transpose(1, 2)
            for part in self.query_key_value(self.norm1(tokens)).chunk(3, dim=2)
        )
        # exp(score + p log x) = x^p exp(score): the weight of an element that leaves goes to zero with it, and p > 1
        # keeps the slope finite there.
        bias = (1 + functional.softplus(self.power))[None, :, None, None] * logarithm[:, None, None, :]
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias.expand(-1, -1, k, -1))
        tokens = tokens + self.out(mixed.transpose(1, 2).reshape(batch, k, width))
        return tokens + self.feed(self.norm2(tokens))


class FormationEnergyAttention(nn.Module):
    """Predictor of the formation energy in eV/atom, on the reference of the Materials Project."""

    def __init__(self, name: str, size: AttentionSize, known_elements: torch.Tensor):
        super().__init__()
        self.name = name
        self.network = CompositionAttention(size)
        self.register_buffer("known_elements", known_elements.clone(), persistent=False)

    def forward(self, composition: torch.Tensor) -> torch.Tensor:
        """Compositions (batch, 118) -> formation energy in eV/atom (batch,)."""
        return self.network(composition).squeeze(1)


def load_formation_energy(name: str, folder: Path = CHECKPOINTS) -> Ensemble:
    """The trained ensemble, in evaluation mode, without gradients to its weights. Raises CheckpointError."""
    tensors, card = checkpoint.load(name, FORMATION_ENERGY, folder)
    known = checkpoint.known_mask(card)
    members = [FormationEnergyAttention(name, AttentionSize(), known) for _ in range(card["settings"]["members"])]
    scale = card.get("error_scale")
    predictor = Ensemble(name, members, scale and SpreadScale(**scale))
    checkpoint.load_into(predictor.members, tensors, name)
    return predictor.eval().requires_grad_(False)
