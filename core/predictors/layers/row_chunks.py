"""A function of independent rows, computed for some rows at a time together with its gradient, to bound the memory."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.autograd.function import once_differentiable


def in_chunks(function: Callable[[torch.Tensor], torch.Tensor], inputs: torch.Tensor, rows: int) -> torch.Tensor:
    """function(inputs) (batch, 1) of inputs (batch, f), `rows` rows at a time; differentiable once, in the inputs only.

    function : (n, f) -> (n, 1), each row from the same row of its input, for any n
    """
    if len(inputs) <= rows:
        return function(inputs)
    return _InChunks.apply(inputs, function, rows)


class _InChunks(torch.autograd.Function):
    @staticmethod
    def forward(ctx, inputs: torch.Tensor, function: Callable[[torch.Tensor], torch.Tensor], rows: int) -> torch.Tensor:
        if not ctx.needs_input_grad[0]:
            return torch.cat([function(part) for part in inputs.split(rows)])
        values, gradients = [], []
        for part in inputs.split(rows):
            part = part.detach().requires_grad_()
            with torch.enable_grad():
                value = function(part)
                gradients += torch.autograd.grad(value.sum(), part)
            values.append(value.detach())
        ctx.save_for_backward(torch.cat(gradients))
        return torch.cat(values)

    @staticmethod
    @once_differentiable
    def backward(ctx, of_values: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        (gradient,) = ctx.saved_tensors
        return of_values * gradient, None, None
