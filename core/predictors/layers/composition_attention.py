"""A network with attention over the elements of a composition, smooth where the fraction of an element goes to 0.

Every element is a token: an embedding of its properties and a learned vector, plus an encoding of its fraction and of
the logarithm of its fraction. The attention weight of element j has a factor x_j^p, with p > 1 learned for each head,
and the output is computed from the sum of the tokens weighted by their fractions. Therefore a trace of 1e-6 of an
element has no effect, and omitting absent elements gives the same result as a fraction of 0.

Compositions with the same number of elements are computed together, without padding. CUDA graphs need fixed shapes:
with a capacity, every composition is a table of that many tokens, of which those of absent elements have no effect.

After CrabNet (Wang et al. 2021, doi:10.1038/s41524-021-00545-1) and Roost (Goodall and Lee 2020,
doi:10.1038/s41467-020-19964-7); the fraction in the attention weights is Roost's.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from core.chemistry import elements
from core.predictors import checkpoint
from core.predictors.features.element_features import element_features
from core.predictors.layers.row_chunks import in_chunks

LEAST_FRACTION = 1e-6  # below it the encoding of a fraction is constant
ABSENT = -1e30  # bias of an absent element: its attention weight is exactly 0, and the softmax of none is finite
TOKENS_AT_ONCE = 131072  # with a capacity: about 2 GB with the gradient, for a width of 128


@dataclass(frozen=True)
class AttentionSize:
    """Size of the network.

    waves : number of sines and cosines of the fraction, and of its logarithm
    trace : fraction far below which the other elements do not attend to an element, for any score; 0: no limit
    """

    width: int = 128
    layers: int = 3
    heads: int = 4
    waves: int = 16
    trace: float = 0.0


class CompositionAttention(nn.Module):
    """The network: fractions (batch, 118) -> (batch, outputs).

    capacity : number of tokens of each composition; None: as many as it has elements
    bfloat16_layers : whether the products of the layers are computed in bfloat16 on a CPU, for training. The residual
        stream, the encoding and the output stay in float32: an energy of 3 eV/atom is a multiple of 0.016 in bfloat16
    dropout : share of the hidden units of each feed-forward part that a step of a training leaves out
    """

    features: torch.Tensor
    waves: torch.Tensor
    capacity: int | None = None
    bfloat16_layers: bool = False
    dropout: float = 0.0

    def __init__(self, size: AttentionSize, outputs: int = 1):
        super().__init__()
        self.size, self.outputs = size, outputs
        features = element_features()
        self.register_buffer("features", features, persistent=False)
        self.register_buffer("waves", torch.arange(1, size.waves + 1) * math.pi, persistent=False)
        self.properties = nn.Linear(features.shape[1], size.width)
        self.vectors = nn.Embedding(elements.N_ELEMENTS, size.width)
        nn.init.normal_(self.vectors.weight, std=0.3)
        self.amount = nn.Linear(4 * size.waves + 1, size.width)
        self.layers = nn.ModuleList(_Layer(size) for _ in range(size.layers))
        self.norm = nn.LayerNorm(size.width)
        self.head = nn.Sequential(
            nn.Linear(size.width, 2 * size.width), nn.SiLU(), nn.Linear(2 * size.width, size.width), nn.SiLU(),
            nn.Linear(size.width, outputs),
        )  # fmt: skip

    def with_capacity(self, capacity: int | None) -> CompositionAttention:
        """The same network, sharing its weights, that reads the `capacity` largest fractions of each composition.

        Its shapes are fixed and no operation waits for the device, so it can be captured in a CUDA graph. None: all
        fractions, in other shapes for each batch. Raises ValueError for a capacity below 1.
        """
        if capacity is not None and capacity < 1:
            raise ValueError(f"a capacity of {capacity} elements; at least 1 is required")
        twin = copy.copy(self)
        twin.capacity = None if capacity is None else min(capacity, elements.N_ELEMENTS)
        return twin

    def forward(self, composition: torch.Tensor) -> torch.Tensor:
        """Fractions (batch, 118), rows summing to 1 -> (batch, outputs)."""
        capacity = self.capacity
        if capacity is None:
            return self._of_tokens(*_Groups.of(composition))
        trained = torch.is_grad_enabled() and self.vectors.weight.requires_grad
        if trained or self.outputs > 1:
            return self._of_tokens(*_Groups.padded(composition, capacity))
        rows = max(TOKENS_AT_ONCE // capacity, 1)
        return in_chunks(lambda part: self._of_tokens(*_Groups.padded(part, capacity)), composition, rows)

    def _of_tokens(self, groups: _Groups, place: torch.Tensor, fraction: torch.Tensor) -> torch.Tensor:
        """Groups, element (t,) and fraction (t,) of each token -> (batch, outputs)."""
        tokens = self._vectors(place) + self.amount(self.encoded(fraction))
        logarithm = fraction.clamp_min(torch.finfo(fraction.dtype).tiny).log()[:, None]
        damping = self.size.trace and -functional.softplus(2 * (math.log(self.size.trace) - logarithm))
        if self.capacity is not None:
            damping = damping + ABSENT * (fraction.detach() == 0)[:, None]
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bfloat16_layers):
            for layer in self.layers:
                tokens = layer(tokens, logarithm, damping, groups, self.dropout)
        return self.head(groups.summed(self.norm(tokens) * fraction[:, None]))

    def _vectors(self, place: torch.Tensor) -> torch.Tensor:
        """Elements (t,) -> their vectors (t, width)."""
        vectors = self.vectors.weight + self.properties(self.features)
        if place.device.type == "cpu" or not vectors.requires_grad:
            return vectors[place]
        # On a GPU the gradient of a selection is added in an order that changes; that of a product is not.
        return functional.linear(torch.eye(len(vectors), device=place.device).to(vectors)[place], vectors.T)

    def encoded(self, fraction: torch.Tensor) -> torch.Tensor:
        """Fractions (t,) -> (t, 4 waves + 1): the fraction, sines and cosines of it and of its logarithm."""
        # From 0 (at LEAST_FRACTION) to 1: 1% and 2% are as far apart as 20% and 40%.
        log = 1 - fraction.clamp_min(LEAST_FRACTION).log() / math.log(LEAST_FRACTION)
        angles = torch.cat([fraction[:, None] * self.waves, log[:, None] * self.waves], dim=1)
        return torch.cat([fraction[:, None], angles.sin(), angles.cos()], dim=1)


@dataclass(frozen=True)
class _Groups:
    """The batch grouped by number of elements, with one token per element present, so that no padding is needed.

    Compositions with the same number of elements are consecutive, in ascending order of that number, so that the tokens
    of a group form a table (compositions, elements). With padding the batch is one group, in its own order.

    sizes : number of compositions and of elements of each group
    position : (batch,) index of each composition in this order; None: the order of the batch
    """

    sizes: tuple[tuple[int, int], ...]
    position: torch.Tensor | None

    @classmethod
    def of(cls, composition: torch.Tensor) -> tuple[_Groups, torch.Tensor, torch.Tensor]:
        """Fractions (batch, 118) -> the groups, element (t,) and fraction (t,) of each token."""
        present = composition.detach() != 0  # NaN counts as present
        count = present.sum(1)
        order = count.argsort(stable=True)
        row, place = present[order].nonzero(as_tuple=True)
        sizes = tuple((n, k) for k, n in enumerate(count.bincount().tolist()) if n)
        return cls(sizes, order.argsort()), place, composition[order[row], place]

    @classmethod
    def padded(cls, composition: torch.Tensor, capacity: int) -> tuple[_Groups, torch.Tensor, torch.Tensor]:
        """As `of`, with a token for each of the largest fractions (batch, capacity), absent elements included."""
        place = composition.detach().topk(capacity, dim=1, sorted=False).indices
        fraction = composition.gather(1, place)
        # The gradient of an absent element is 0, as it is if the element has no token.
        fraction = torch.where(fraction.detach() != 0, fraction, 0.0)
        return cls(((len(composition), capacity),), None), place.flatten(), fraction.flatten()

    def tables(self, *tokens: torch.Tensor) -> Iterator[list[torch.Tensor]]:
        """Tokens (t, ...) -> views (compositions, elements, ...) of each group that has elements."""
        begin = 0
        for n, k in self.sizes:
            if k:
                yield [each[begin : begin + n * k].unflatten(0, (n, k)) for each in tokens]
            begin += n * k

    def summed(self, tokens: torch.Tensor) -> torch.Tensor:
        """Tokens (t, c) -> their sum over the elements of each composition (batch, c)."""
        if self.position is None:
            ((n, k),) = self.sizes
            return tokens.unflatten(0, (n, k)).sum(1)
        nothing = tokens.new_zeros(sum(n for n, k in self.sizes if not k), tokens.shape[1])
        return torch.cat([nothing, *(table.sum(1) for (table,) in self.tables(tokens))])[self.position]


class _Attention(torch.autograd.Function):
    """Queries, keys and values (t, 3 width), biases of the attended elements (t, heads) -> attention output (t, width).

    The backward pass is written by hand: automatic differentiation would keep a table per group and operation.
    """

    @staticmethod
    def forward(ctx, projected: torch.Tensor, bias: torch.Tensor, groups: _Groups) -> torch.Tensor:
        heads, width = bias.shape[1], projected.shape[1] // 3
        mixed, kept = projected.new_empty(len(projected), width), []
        for table, biases, out in groups.tables(projected, bias, mixed):
            n, k = biases.shape[:2]
            table = table.unflatten(2, (3, heads, -1)).permute(2, 0, 3, 1, 4).reshape(3, n * heads, k, width // heads)
            query, key, value = table
            scores = torch.baddbmm(biases.mT.reshape(-1, 1, k), query, key.mT, alpha=key.shape[2] ** -0.5)
            weight = scores.softmax(2)
            out.unflatten(2, (heads, -1)).copy_(torch.bmm(weight, value).unflatten(0, (n, heads)).transpose(1, 2))
            kept += [table, weight]
        ctx.save_for_backward(*kept)
        ctx.groups, ctx.heads = groups, heads
        return mixed

    @staticmethod
    @once_differentiable
    def backward(ctx, of_mixed: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, None]:
        of_projected = of_mixed.new_empty(len(of_mixed), 3 * of_mixed.shape[1])
        of_bias = of_mixed.new_empty(len(of_mixed), ctx.heads)
        tables = ctx.groups.tables(of_mixed, of_projected, of_bias)
        for (out, of_table, of_biases), kept, weight in zip(
            tables, ctx.saved_tensors[::2], ctx.saved_tensors[1::2], strict=True
        ):
            (query, key, value), each = kept, (out.shape[0], ctx.heads)
            out = out.unflatten(2, (ctx.heads, -1)).transpose(1, 2).flatten(0, 1)
            of_weight = torch.bmm(out, value.mT).mul_(weight)
            of_scores = of_weight.addcmul_(weight, of_weight.sum(2, keepdim=True), value=-1)
            of_biases.copy_(of_scores.sum(1).unflatten(0, each).mT)
            of_scores *= key.shape[2] ** -0.5
            gradients = torch.empty_like(kept)
            torch.bmm(of_scores, key, out=gradients[0])
            torch.bmm(of_scores.mT, query, out=gradients[1])
            torch.bmm(weight.mT, out, out=gradients[2])
            of_table.unflatten(2, (3, ctx.heads, -1)).copy_(gradients.unflatten(1, each).permute(1, 3, 0, 2, 4))
        return of_projected, of_bias, None


class _Layer(nn.Module):
    """A transformer layer: attention and a feed-forward part, each after a layer norm."""

    def __init__(self, size: AttentionSize):
        super().__init__()
        self.heads = size.heads
        self.norm1, self.norm2 = nn.LayerNorm(size.width), nn.LayerNorm(size.width)
        self.query_key_value = nn.Linear(size.width, 3 * size.width)
        self.power = nn.Parameter(torch.full((size.heads,), -2.0))  # p = 1 + softplus(power), initially 1.13
        self.out = nn.Linear(size.width, size.width)
        self.feed = nn.Sequential(
            nn.Linear(size.width, 2 * size.width), nn.SiLU(), nn.Linear(2 * size.width, size.width)
        )

    def forward(
        self,
        tokens: torch.Tensor,
        logarithm: torch.Tensor,
        damping: torch.Tensor | float,
        groups: _Groups,
        dropout: float = 0.0,
    ) -> torch.Tensor:
        """tokens (t, width), logarithms (t, 1) of the fractions x and of x^2 / (x^2 + trace^2) -> tokens (t, width)."""
        # exp(score + p log x) = x^p exp(score): the weight of an element goes to zero with its fraction, and p > 1
        # keeps the gradient finite there.
        bias = (1 + functional.softplus(self.power)) * logarithm + damping
        mixed = _Attention.apply(self.query_key_value(self.norm1(tokens)), bias, groups)
        tokens = tokens + self.out(mixed)
        widen, activation, narrow = self.feed
        hidden = activation(widen(self.norm2(tokens)))
        return tokens + narrow(functional.dropout(hidden, dropout, self.training) if dropout else hidden)


def pack_networks(networks: Sequence[CompositionAttention], name: str) -> dict[str, torch.Tensor]:
    """Tensors to store, in 16 bits, under `name` and the number of the network."""
    packed = {}
    for i, network in enumerate(networks):
        stored = checkpoint.to_storage(network.state_dict())
        packed |= {f"{name}{i}.{key}": value for key, value in stored.items()}
    return packed


def unpack_networks(
    tensors: Mapping[str, torch.Tensor], name: str, sizes: Sequence[AttentionSize], checkpoint_name: str
) -> list[CompositionAttention]:
    """The inverse of `pack_networks`, in evaluation mode. Raises CheckpointError if the tensors do not fit `sizes`."""
    networks = [CompositionAttention(size) for size in sizes]
    for i, network in enumerate(networks):
        own = f"{name}{i}."
        stored = {key.removeprefix(own): value for key, value in tensors.items() if key.startswith(own)}
        checkpoint.load_into(network, stored, checkpoint_name)
        network.eval().requires_grad_(False)
    return networks
