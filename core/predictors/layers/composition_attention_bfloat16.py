"""A network with attention over the elements whose linear layers compute in bfloat16, without gradients.

The products of the layers take most of the time, and a processor with vector or matrix units for bfloat16 computes them
about four times as fast as in float32. The residual stream, the layer norms and the attention stay in float32. Equal
tokens, pairs of element and fraction, enter the first layer once for the whole batch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import nn
from torch.nn import functional

from core.predictors.layers.composition_attention import (
    CompositionAttention,
    _Attention,
    _Groups,
    _Layer,
)

ROWS = 512  # compositions at a time: fewer make small products, more leave the cache


def processor_computes_bfloat16() -> bool:
    """Whether this processor has vector or matrix units for products in bfloat16."""
    can = torch.cpu.get_capabilities()
    return torch.backends.mkldnn.is_available() and bool(can.get("avx512_bf16") or can.get("amx_bf16"))


@dataclass(frozen=True)
class _Products:
    """The linear layers of one attention layer in bfloat16."""

    query_key_value: nn.Linear
    out: nn.Linear
    widen: nn.Linear
    narrow: nn.Linear

    @classmethod
    def of(cls, layer: _Layer) -> _Products:
        linear = (layer.query_key_value, layer.out, cast(nn.Linear, layer.feed[0]), cast(nn.Linear, layer.feed[2]))
        return cls(*(_in_bfloat16(each) for each in linear))


class AttentionInBfloat16(nn.Module):
    """`CompositionAttention` for ranking: values differ by about 0.3% of the scale of the outputs."""

    def __init__(self, network: CompositionAttention):
        super().__init__()
        self.network = network
        self.products = [_Products.of(cast(_Layer, layer)) for layer in network.layers]
        with torch.no_grad():
            self.vectors = network.vectors.weight + network.properties(network.features)

    @torch.no_grad()
    def forward(self, composition: torch.Tensor) -> torch.Tensor:
        """Fractions (batch, 118) -> (batch, outputs)."""
        return torch.cat([self._part(part) for part in composition.float().split(ROWS)])

    def _part(self, composition: torch.Tensor) -> torch.Tensor:
        network = self.network
        groups, place, fraction = _Groups.of(composition)
        tokens, same = self._distinct_tokens(place, fraction)
        logarithm = fraction.clamp_min(torch.finfo(fraction.dtype).tiny).log()[:, None]
        trace = network.size.trace
        damping = trace and -functional.softplus(2 * (math.log(trace) - logarithm))
        for layer, products in zip(network.layers, self.products, strict=True):
            layer = cast(_Layer, layer)
            projected = _product(products.query_key_value, layer.norm1(tokens))
            if same is not None:
                projected, tokens, same = projected[same], tokens[same], None
            bias = (1 + functional.softplus(layer.power)) * logarithm + damping
            tokens = tokens + _product(products.out, _Attention.apply(projected, bias, groups))
            widened = functional.silu(_in_bfloat16_product(products.widen, layer.norm2(tokens)))
            tokens = tokens + products.narrow(widened).float()
        return network.head(groups.summed(network.norm(tokens) * fraction[:, None]))

    def _distinct_tokens(self, place: torch.Tensor, fraction: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        """The distinct tokens (u, width) of elements (t,) with fractions (t,), and the index (t,) of each in them."""
        key = 2 * place.double() + fraction.double()  # fractions are at most 1; NaN stays NaN
        _, same, times = key.unique(return_inverse=True, return_counts=True)
        first = same.argsort(stable=True)[times.cumsum(0) - times]
        return self.vectors[place[first]] + self.network.amount(self.network.encoded(fraction[first])), same


def networks_for_ranking(networks: Sequence[CompositionAttention]) -> list[nn.Module]:
    """The networks in bfloat16 on a CPU that computes it faster, otherwise as they are."""
    faster = all(network.features.device.type == "cpu" for network in networks) and processor_computes_bfloat16()
    return [AttentionInBfloat16(network) if faster else network for network in networks]


def _in_bfloat16(linear: nn.Linear) -> nn.Linear:
    """A copy of a linear layer in bfloat16."""
    copy = nn.Linear(linear.in_features, linear.out_features, dtype=torch.bfloat16, device=linear.weight.device)
    copy.load_state_dict(linear.state_dict())
    return copy.requires_grad_(False)


def _in_bfloat16_product(linear: nn.Linear, values: torch.Tensor) -> torch.Tensor:
    return linear(values.to(torch.bfloat16))


def _product(linear: nn.Linear, values: torch.Tensor) -> torch.Tensor:
    """The layer applied to float32 values, as float32."""
    return _in_bfloat16_product(linear, values).float()
