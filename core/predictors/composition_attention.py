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
from collections.abc import Mapping, Sequence
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
    """How large the network is.

    waves : sines and cosines of the fraction, and as many of its logarithm
    trace : fraction far below which the others do not notice an element, however much they would heed it
    """

    width: int = 128
    layers: int = 3
    heads: int = 4
    waves: int = 16
    trace: float = 0.0


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
        seats, place = _Seats.of(composition)
        fraction = composition[seats.row, place]
        vectors = self.vectors.weight + self.properties(self.facts)
        tokens = vectors[place] + self.amount(self.encoded(fraction))
        least = torch.finfo(fraction.dtype).tiny
        logarithm = seats.filled(fraction.clamp_min(least).log()[:, None], math.log(least)).squeeze(2)
        noticed = self.size.trace and -functional.softplus(2 * (math.log(self.size.trace) - logarithm))
        for layer in self.layers:
            tokens = layer(tokens, logarithm, noticed, seats)
        return self.head(seats.filled(self.norm(tokens) * fraction[:, None]).sum(1))

    def encoded(self, fraction: torch.Tensor) -> torch.Tensor:
        """Fractions (t,) -> (t, 4 waves + 1): the fraction, sines and cosines of it and of its logarithm."""
        # From 0 (at LEAST_FRACTION) to 1, so that 1% and 2% are as far apart as 20% and 40%.
        log = 1 - fraction.clamp_min(LEAST_FRACTION).log() / math.log(LEAST_FRACTION)
        angles = torch.cat([fraction[:, None] * self.waves, log[:, None] * self.waves], dim=1)
        return torch.cat([fraction[:, None], angles.sin(), angles.cos()], dim=1)


@dataclass(frozen=True)
class _Seats:
    """Where the tokens, one for each element present, lie in a table of `shape` (batch, k): k is the most elements.

    All but attention works on the tokens alone: most compositions have fewer elements than the largest of the batch.

    row : (t,) composition of each token; seat : (t,) its place in the flattened table
    """

    row: torch.Tensor
    seat: torch.Tensor
    shape: tuple[int, int]

    @classmethod
    def of(cls, composition: torch.Tensor) -> tuple[_Seats, torch.Tensor]:
        """Fractions (batch, 118) -> the seats and the element (t,) of each token."""
        present = composition.detach() != 0  # what is not a number is not absent either
        row, place = present.nonzero(as_tuple=True)
        so_far = present.cumsum(1)
        most = max(1, int(so_far[:, -1].max())) if len(present) else 1
        return cls(row, row * most + so_far[row, place] - 1, (len(present), most)), place

    def filled(self, tokens: torch.Tensor, empty: float = 0.0) -> torch.Tensor:
        """Tokens (..., t, c) -> (..., batch, k, c), with `empty` where nobody sits."""
        table = tokens.new_full((*tokens.shape[:-2], self.shape[0] * self.shape[1], tokens.shape[-1]), empty)
        return table.index_copy(-2, self.seat, tokens).unflatten(-2, self.shape)

    def taken(self, table: torch.Tensor) -> torch.Tensor:
        """The inverse: (..., batch, k, c) -> tokens (..., t, c)."""
        return table.flatten(-3, -2).index_select(-2, self.seat)


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

    def forward(
        self, tokens: torch.Tensor, logarithm: torch.Tensor, noticed: torch.Tensor | float, seats: _Seats
    ) -> torch.Tensor:
        """tokens (t, width), logarithms (batch, k) of the fractions x and of x^2 / (x^2 + trace^2) -> tokens."""
        # Heads before compositions: the products then read the tables as they lie.
        each = (3, self.heads, tokens.shape[1] // self.heads)
        asked = self.query_key_value(self.norm1(tokens)).unflatten(1, each).permute(1, 2, 0, 3)
        query, key, value = seats.filled(asked).flatten(1, 2)
        # exp(score + p log x) = x^p exp(score): the weight of an element that leaves goes to zero with it, and p > 1
        # keeps the slope finite there.
        bias = (1 + functional.softplus(self.power))[:, None, None] * logarithm + noticed
        scores = query @ key.transpose(1, 2) / query.shape[2] ** 0.5 + bias.flatten(0, 1)[:, None]
        mixed = seats.taken((scores.softmax(2) @ value).unflatten(0, bias.shape[:2]))
        tokens = tokens + self.out(mixed.transpose(0, 1).flatten(1))
        return tokens + self.feed(self.norm2(tokens))


def pack_networks(networks: Sequence[CompositionAttention], name: str) -> dict[str, torch.Tensor]:
    """Tensors to be stored, in 16 bits, under `name` and the number of the network."""
    packed = {}
    for i, network in enumerate(networks):
        stored = checkpoint.to_storage(network.state_dict())
        packed |= {f"{name}{i}.{key}": value for key, value in stored.items()}
    return packed


def unpack_networks(
    tensors: Mapping[str, torch.Tensor], name: str, sizes: Sequence[AttentionSize], checkpoint_name: str
) -> list[CompositionAttention]:
    """The inverse of `pack_networks`. Raises CheckpointError if the tensors are of other networks."""
    networks = [CompositionAttention(size) for size in sizes]
    for i, network in enumerate(networks):
        own = f"{name}{i}."
        stored = {key.removeprefix(own): value for key, value in tensors.items() if key.startswith(own)}
        checkpoint.load_into(network, stored, checkpoint_name)
        network.eval().requires_grad_(False)
    return networks


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
