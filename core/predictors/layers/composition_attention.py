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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from core.chemistry import elements
from core.paths import CHECKPOINTS
from core.predictors import checkpoint
from core.predictors.ensemble import Ensemble, SpreadScale
from core.predictors.features.element_features import element_facts

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
        groups, place, fraction = _Groups.of(composition)
        vectors = self.vectors.weight + self.properties(self.facts)
        tokens = vectors[place] + self.amount(self.encoded(fraction))
        logarithm = fraction.clamp_min(torch.finfo(fraction.dtype).tiny).log()[:, None]
        noticed = self.size.trace and -functional.softplus(2 * (math.log(self.size.trace) - logarithm))
        for layer in self.layers:
            tokens = layer(tokens, logarithm, noticed, groups)
        return self.head(groups.summed(self.norm(tokens) * fraction[:, None]))

    def encoded(self, fraction: torch.Tensor) -> torch.Tensor:
        """Fractions (t,) -> (t, 4 waves + 1): the fraction, sines and cosines of it and of its logarithm."""
        # From 0 (at LEAST_FRACTION) to 1, so that 1% and 2% are as far apart as 20% and 40%.
        log = 1 - fraction.clamp_min(LEAST_FRACTION).log() / math.log(LEAST_FRACTION)
        angles = torch.cat([fraction[:, None] * self.waves, log[:, None] * self.waves], dim=1)
        return torch.cat([fraction[:, None], angles.sin(), angles.cos()], dim=1)


@dataclass(frozen=True)
class _Groups:
    """Which tokens, one for each element present, are of one composition: nothing is computed for absent elements.

    Compositions with equally many elements lie one behind the other, the fewest first, so that the tokens of each such
    group are a table (compositions, elements).

    sizes : of each group, compositions and elements
    position : (batch,) where each composition lies
    """

    sizes: tuple[tuple[int, int], ...]
    position: torch.Tensor

    @classmethod
    def of(cls, composition: torch.Tensor) -> tuple[_Groups, torch.Tensor, torch.Tensor]:
        """Fractions (batch, 118) -> the groups, element (t,) and fraction (t,) of each token."""
        present = composition.detach() != 0  # what is not a number is not absent either
        count = present.sum(1)
        order = count.argsort(stable=True)
        row, place = present[order].nonzero(as_tuple=True)
        sizes = tuple((n, k) for k, n in enumerate(count.bincount().tolist()) if n)
        return cls(sizes, order.argsort()), place, composition[order[row], place]

    def tables(self, *tokens: torch.Tensor) -> Iterator[list[torch.Tensor]]:
        """Tokens (t, ...) -> of each group that has elements, views (compositions, elements, ...)."""
        begin = 0
        for n, k in self.sizes:
            if k:
                yield [each[begin : begin + n * k].unflatten(0, (n, k)) for each in tokens]
            begin += n * k

    def summed(self, tokens: torch.Tensor) -> torch.Tensor:
        """Tokens (t, c) -> their sum over the elements of each composition (batch, c)."""
        nothing = tokens.new_zeros(sum(n for n, k in self.sizes if not k), tokens.shape[1])
        return torch.cat([nothing, *(table.sum(1) for (table,) in self.tables(tokens))])[self.position]


class _Attention(torch.autograd.Function):
    """Queries, keys and values (t, 3 width), biases of the elements attended to (t, heads) -> their mixture (t, width).

    The slope is written out: automatic differentiation would keep a table of every group for each of its operations.
    """

    @staticmethod
    def forward(ctx, asked: torch.Tensor, bias: torch.Tensor, groups: _Groups) -> torch.Tensor:
        heads, mixed, kept = bias.shape[1], asked.new_empty(len(asked), asked.shape[1] // 3), []
        for table, of_table, out in groups.tables(asked, bias, mixed):
            n, k = of_table.shape[:2]
            table = table.unflatten(2, (3, heads, -1)).permute(2, 0, 3, 1, 4).reshape(3, n * heads, k, -1)
            query, key, value = table
            scores = torch.baddbmm(of_table.mT.reshape(-1, 1, k), query, key.mT, alpha=key.shape[2] ** -0.5)
            weight = scores.softmax(2)
            out.unflatten(2, (heads, -1)).copy_(torch.bmm(weight, value).unflatten(0, (n, heads)).transpose(1, 2))
            kept += [table, weight]
        ctx.save_for_backward(*kept)
        ctx.groups, ctx.heads = groups, heads
        return mixed

    @staticmethod
    @once_differentiable
    def backward(ctx, of_mixed: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, None]:
        of_asked = of_mixed.new_empty(len(of_mixed), 3 * of_mixed.shape[1])
        of_bias = of_mixed.new_empty(len(of_mixed), ctx.heads)
        tables = ctx.groups.tables(of_mixed, of_asked, of_bias)
        for (out, of_table, of_scored), kept, weight in zip(
            tables, ctx.saved_tensors[::2], ctx.saved_tensors[1::2], strict=True
        ):
            (query, key, value), each = kept, (out.shape[0], ctx.heads)
            out = out.unflatten(2, (ctx.heads, -1)).transpose(1, 2).flatten(0, 1)
            of_weight = torch.bmm(out, value.mT).mul_(weight)
            of_scores = of_weight.addcmul_(weight, of_weight.sum(2, keepdim=True), value=-1)
            of_scored.copy_(of_scores.sum(1).unflatten(0, each).mT)
            of_scores *= key.shape[2] ** -0.5
            slopes = torch.empty_like(kept)
            torch.bmm(of_scores, key, out=slopes[0])
            torch.bmm(of_scores.mT, query, out=slopes[1])
            torch.bmm(weight.mT, out, out=slopes[2])
            of_table.unflatten(2, (3, ctx.heads, -1)).copy_(slopes.unflatten(1, each).permute(1, 3, 0, 2, 4))
        return of_asked, of_bias, None


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
        self, tokens: torch.Tensor, logarithm: torch.Tensor, noticed: torch.Tensor | float, groups: _Groups
    ) -> torch.Tensor:
        """tokens (t, width), logarithms (t, 1) of the fractions x and of x^2 / (x^2 + trace^2) -> tokens (t, width)."""
        # exp(score + p log x) = x^p exp(score): the weight of an element that leaves goes to zero with it, and p > 1
        # keeps the slope finite there.
        bias = (1 + functional.softplus(self.power)) * logarithm + noticed
        mixed = _Attention.apply(self.query_key_value(self.norm1(tokens)), bias, groups)
        tokens = tokens + self.out(mixed)
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
