"""Networks in bfloat16: several times as fast on a processor with matrix units for it, and accurate to about 0.3%.

This accuracy is sufficient for optimisation steps. Inputs and outputs are float32; all stored values are predicted
again in float32.

With products this fast, the other operations limit the speed. Therefore biases, ReLU and sums are fused with the
product, weights are packed in its layout, and backward passes are written by hand.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.autograd.function import once_differentiable

ROWS = 512  # batch size for which the weights are packed; other sizes work too


def processor_multiplies_bfloat16() -> bool:
    """Whether this processor has matrix units for bfloat16 (AMX). Vector units alone were slower than float32."""
    return torch.backends.mkldnn.is_available() and bool(torch.cpu.get_capabilities().get("amx_bf16", False))


def processor_has_bfloat16() -> bool:
    """Whether this processor has instructions for products in bfloat16: vector (AVX-512) or matrix units (AMX).

    Vector units make large products of a training faster, with gradients.
    """
    found = torch.cpu.get_capabilities()
    return torch.backends.mkldnn.is_available() and any(found.get(key) for key in ("avx512_bf16", "amx_bf16"))


class InBfloat16(nn.Module):
    """A network that computes in bfloat16; its input and output keep their dtype."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """(batch, inputs) -> (batch, outputs) in the dtype of `values`; a row that contains NaN gives NaN."""
        output = self.network(values.to(torch.bfloat16)).to(values.dtype)
        return output + 0 * values.detach().sum(1, keepdim=True)  # the fused ReLU turns NaN into 0


class Product:
    """x W^T + b in bfloat16, and its backward product g W; both fused with the next operation where oneDNN is present.

    linear : W (outputs, inputs) and b (outputs,), or no b
    """

    def __init__(self, linear: nn.Linear):
        weight = linear.weight.detach().to(torch.bfloat16)
        self._bias = None if linear.bias is None else linear.bias.detach().to(torch.bfloat16)
        self._fused = weight.device.type == "cpu" and processor_multiplies_bfloat16()
        self._weight, self._weight_back = self._packed(weight), self._packed(weight.T.contiguous())

    def _packed(self, weight: torch.Tensor) -> torch.Tensor:
        return torch.ops.mkldnn._reorder_linear_weight(weight, ROWS) if self._fused else weight

    def relu(self, values: torch.Tensor) -> torch.Tensor:
        """(batch, inputs) -> ReLU of the product (batch, outputs)."""
        return self._of(values, self._weight, self._bias, "relu")

    def __call__(self, values: torch.Tensor, plus: torch.Tensor | None = None) -> torch.Tensor:
        """(batch, inputs) -> the product (batch, outputs), with `plus` (batch, outputs) added in place."""
        return self._of(values, self._weight, self._bias, "none", plus)

    def back(self, gradient: torch.Tensor, plus: torch.Tensor | None = None) -> torch.Tensor:
        """Gradient in the outputs (batch, outputs) -> in the inputs (batch, inputs), with `plus` added in place."""
        return self._of(gradient, self._weight_back, None, "none", plus)

    def _of(
        self,
        values: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        then: str,
        plus: torch.Tensor | None = None,
    ) -> torch.Tensor:
        if not self._fused:
            product = nn.functional.linear(values, weight, bias)
            return (product if plus is None else product.add_(plus)) if then == "none" else product.relu_()
        if plus is not None:
            return torch.ops.mkldnn._linear_pointwise.binary(values, plus, weight, bias, "add")
        return torch.ops.mkldnn._linear_pointwise(values, weight, bias, then, [], "")


def relu_gradient(gradient: torch.Tensor, outputs: torch.Tensor) -> torch.Tensor:
    """Backward of ReLU, for tensors of one shape in bfloat16: the gradient where the outputs are above 0."""
    # The bits of an output are an integer that is 0 or positive; clamped to 0 or 1 it multiplies the gradient's bits.
    return outputs.view(torch.int16).clamp(max=1).mul_(gradient.view(torch.int16)).view(torch.bfloat16)


class Bfloat16Layers(nn.Module):
    """Linear layers in bfloat16, each followed by a ReLU if `relu`."""

    def __init__(self, layers: Sequence[nn.Linear], relu: bool):
        super().__init__()
        self.products, self.relu = [Product(layer) for layer in layers], relu

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """(batch, inputs) -> (batch, outputs)."""
        return _Layers.apply(values, self.products, self.relu)


class _Layers(torch.autograd.Function):
    @staticmethod
    def forward(ctx, values: torch.Tensor, products: list[Product], relu: bool) -> torch.Tensor:
        outputs = []
        for product in products:
            values = product.relu(values) if relu else product(values)
            outputs.append(values)
        ctx.save_for_backward(*outputs)
        ctx.products, ctx.relu = products, relu
        return values

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        for product, values in zip(ctx.products[::-1], ctx.saved_tensors[::-1], strict=True):
            gradient = product.back(relu_gradient(gradient, values) if ctx.relu else gradient)
        return gradient, None, None


class _Shortcut:
    """A linear layer on every stride-th column and row of maps of this shape (columns, rows, channels)."""

    def __init__(self, linear: nn.Linear, shape: tuple[int, int, int], stride: int):
        self.product, self.shape, self.stride = Product(linear), shape, stride

    def read(self, values: torch.Tensor) -> torch.Tensor:
        """(batch, inputs) -> the part that the layer reads (batch, columns, rows, channels), a view."""
        return values.view(-1, *self.shape)[:, :: self.stride, :: self.stride]


class Bfloat16Block(nn.Module):
    """ReLU(second(ReLU(first(x))) + shortcut(x)), in bfloat16.

    shortcut : a linear layer on a part of x, and that part as (shape, stride): x as a map of this shape (columns, rows,
        channels), every stride-th column and row; None: x itself
    """

    def __init__(
        self,
        first: nn.Linear,
        second: nn.Linear,
        shortcut: tuple[nn.Linear, tuple[int, int, int], int] | None = None,
    ):
        super().__init__()
        self.first, self.second = Product(first), Product(second)
        self.shortcut = None if shortcut is None else _Shortcut(*shortcut)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """(batch, inputs) -> (batch, outputs)."""
        return _Block.apply(values, self)


class _Block(torch.autograd.Function):
    @staticmethod
    def forward(ctx, values: torch.Tensor, block: Bfloat16Block) -> torch.Tensor:
        inner = block.first.relu(values)
        beside = values if block.shortcut is None else block.shortcut.product(block.shortcut.read(values).flatten(1))
        output = block.second(inner, plus=beside).relu_()
        ctx.save_for_backward(inner, output)
        ctx.block = block
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        block, (inner, output) = ctx.block, ctx.saved_tensors
        gradient = relu_gradient(gradient, output)
        of_inner = relu_gradient(block.second.back(gradient), inner)
        if block.shortcut is None:
            return block.first.back(of_inner, plus=gradient), None
        of_values = block.first.back(of_inner)
        read = block.shortcut.read(of_values)
        read += block.shortcut.product.back(gradient).view_as(read)
        return of_values, None
