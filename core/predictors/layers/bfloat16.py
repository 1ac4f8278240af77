"""Networks in bfloat16: where a processor multiplies in it, several times as fast, and right to some 0.3%.

That is enough to say where to climb. What comes in and what goes out is float32, and so is every value that is kept:
it is predicted again by the network as it is.

Where products are this fast, what follows them counts: biases, ReLU and sums are made in the same pass, weights lie
packed as the product wants them, and slopes are written out.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.autograd.function import once_differentiable

ROWS = 512  # of a batch for which the weights are packed; others may come


def processor_multiplies_bfloat16() -> bool:
    """Whether this processor has matrix units for it (AMX). Vector units alone were slower than float32 here."""
    return torch.backends.mkldnn.is_available() and bool(torch.cpu.get_capabilities().get("amx_bf16", False))


class InBfloat16(nn.Module):
    """A network that computes in bfloat16; what it is given and gives back keeps its type."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """(batch, inputs) -> (batch, outputs) in the type of `values`; rows that hold what is no number are none."""
        found = self.network(values.to(torch.bfloat16)).to(values.dtype)
        return found + 0 * values.detach().sum(1, keepdim=True)  # a fused ReLU makes 0 of what is no number


class Product:
    """x W^T + b in bfloat16, and the product g W back; both with what follows in one pass where oneDNN is there."""

    def __init__(self, linear: nn.Linear):
        weight = linear.weight.detach().to(torch.bfloat16)
        self._bias = None if linear.bias is None else linear.bias.detach().to(torch.bfloat16)
        self._fused = weight.device.type == "cpu" and processor_multiplies_bfloat16()
        self._weight, self._weight_back = self._packed(weight), self._packed(weight.T.contiguous())

    def _packed(self, weight: torch.Tensor) -> torch.Tensor:
        return torch.ops.mkldnn._reorder_linear_weight(weight, ROWS) if self._fused else weight

    def relu(self, values: torch.Tensor) -> torch.Tensor:
        """(batch, inputs) -> the positive part of the product (batch, outputs)."""
        return self._of(values, self._weight, self._bias, "relu")

    def __call__(self, values: torch.Tensor, plus: torch.Tensor | None = None) -> torch.Tensor:
        """(batch, inputs) -> the product (batch, outputs), and what is to be added to it."""
        return self._of(values, self._weight, self._bias, "none", plus)

    def back(self, slope: torch.Tensor, plus: torch.Tensor | None = None) -> torch.Tensor:
        """Slope by the outputs (batch, outputs) -> by the inputs (batch, inputs), and what is to be added to it."""
        return self._of(slope, self._weight_back, None, "none", plus)

    def _of(
        self,
        values: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        then: str,
        plus: torch.Tensor | None = None,
    ) -> torch.Tensor:
        if not self._fused:
            found = nn.functional.linear(values, weight, bias)
            return (found if plus is None else found.add_(plus)) if then == "none" else found.relu_()
        if plus is not None:
            return torch.ops.mkldnn._linear_pointwise.binary(values, plus, weight, bias, "add")
        return torch.ops.mkldnn._linear_pointwise(values, weight, bias, then, [], "")


def where_positive(slope: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """The slope of ReLU: `slope` where `values`, that came out of it, is above 0, else 0; both in bfloat16."""
    # Bits of a positive number are a positive integer, so that 0 or 1 times the bits of the slope is what is wanted.
    return values.view(torch.int16).clamp(max=1).mul_(slope.view(torch.int16)).view(torch.bfloat16)


class Bfloat16Layers(nn.Module):
    """Linear layers of bfloat16; `relu`: each followed by one."""

    def __init__(self, layers: Sequence[nn.Linear], relu: bool):
        super().__init__()
        self.products, self.relu = [Product(layer) for layer in layers], relu

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """(batch, inputs) -> (batch, outputs)."""
        return _Layers.apply(values, self.products, self.relu)


class _Layers(torch.autograd.Function):
    @staticmethod
    def forward(ctx, values: torch.Tensor, products: list[Product], relu: bool) -> torch.Tensor:
        seen = []
        for product in products:
            values = product.relu(values) if relu else product(values)
            seen.append(values)
        ctx.save_for_backward(*seen)
        ctx.products, ctx.relu = products, relu
        return values

    @staticmethod
    @once_differentiable
    def backward(ctx, slope: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        for product, values in zip(ctx.products[::-1], ctx.saved_tensors[::-1], strict=True):
            slope = product.back(where_positive(slope, values) if ctx.relu else slope)
        return slope, None, None


class Bfloat16Block(nn.Module):
    """ReLU(second(ReLU(first(x))) + shortcut(x)), of bfloat16.

    shortcut : a linear layer on a part of x, and that part as (shape, stride): of x as a table of this shape (columns,
        rows, channels) every so manieth column and row; None: x itself
    """

    def __init__(
        self,
        first: nn.Linear,
        second: nn.Linear,
        shortcut: tuple[nn.Linear, tuple[int, int, int], int] | None = None,
    ):
        super().__init__()
        self.first, self.second = Product(first), Product(second)
        self.shortcut = shortcut and Product(shortcut[0])
        self.part = shortcut and shortcut[1:]

    def read(self, values: torch.Tensor) -> torch.Tensor:
        """(batch, inputs) -> the part of it that the shortcut reads (batch, columns, rows, channels), a view."""
        shape, stride = self.part
        return values.view(-1, *shape)[:, ::stride, ::stride]

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """(batch, inputs) -> (batch, outputs)."""
        return _Block.apply(values, self)


class _Block(torch.autograd.Function):
    @staticmethod
    def forward(ctx, values: torch.Tensor, block: Bfloat16Block) -> torch.Tensor:
        inner = block.first.relu(values)
        beside = values if block.shortcut is None else block.shortcut(block.read(values).flatten(1))
        found = block.second(inner, plus=beside).relu_()
        ctx.save_for_backward(inner, found)
        ctx.block = block
        return found

    @staticmethod
    @once_differentiable
    def backward(ctx, slope: torch.Tensor) -> tuple[torch.Tensor, None]:
        block, (inner, found) = ctx.block, ctx.saved_tensors
        slope = where_positive(slope, found)
        of_inner = where_positive(block.second.back(slope), inner)
        if block.shortcut is None:
            return block.first.back(of_inner, plus=slope), None
        of_values = block.first.back(of_inner)
        read = block.read(of_values)
        read += block.shortcut.back(slope).view_as(read)
        return of_values, None
