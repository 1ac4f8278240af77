"""Boosted trees with smooth splits: regression trees that have a gradient.

f(z) = b + sum_t sum_leaf v_t,leaf prod_k (q or 1 - q),    q_tk = sigmoid((z_c - a_tk) / w_c),  c = c_tk

All nodes of one level have the same split ("oblivious" trees, Prokhorenkova et al. 2018, arXiv:1706.09516), so a tree
of depth d has d splits and 2^d leaves; w_c is the width of a split on feature c ("soft" trees, Irsoy et al. 2012).
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn
from torch.autograd.function import once_differentiable

ROWS = 64  # compositions at a time on a CPU, with the gradient
VALUE_ROWS = 128  # without the gradient
ROWS_ON_GPU = 4096  # about 1 GB for 900 trees of depth 6


class SmoothTrees(nn.Module):
    """A sum of trees with smooth splits.

    columns (trees, d) : feature index of each level; sharpness 1 / w and offsets -a / w (trees, d) of its split
    leaves (trees, 2^m, 2^(d - m)) : values, by the outcomes of the first m = d // 2 splits (the first is the highest
        bit) and of the others
    bias : b. Leaves and bias are in the unit of the value
    """

    columns: torch.Tensor
    sharpness: torch.Tensor
    offsets: torch.Tensor
    leaves: torch.Tensor

    def __init__(
        self, columns: torch.Tensor, sharpness: torch.Tensor, offsets: torch.Tensor, leaves: torch.Tensor, bias: float
    ):
        super().__init__()
        self.bias = bias
        self._splits: tuple[torch.Tensor, ...] | None = None
        self.register_buffer("columns", columns.long(), persistent=False)
        self.register_buffer("sharpness", sharpness.float(), persistent=False)
        self.register_buffer("offsets", offsets.float(), persistent=False)
        self.register_buffer("leaves", leaves.float(), persistent=False)

    @classmethod
    def from_splits(
        cls, columns: torch.Tensor, thresholds: torch.Tensor, widths: torch.Tensor, leaves: torch.Tensor, bias: float
    ) -> SmoothTrees:
        """From thresholds a (trees, d), widths w of each feature (f,) and the values of all leaves (trees, 2^d)."""
        sharpness = 1 / widths[columns.long()]
        first = thresholds.shape[1] // 2
        return cls(columns, sharpness, -thresholds * sharpness, leaves.view(len(leaves), 2**first, -1), bias)

    def times(self, factor: float) -> SmoothTrees:
        """A copy whose values are multiplied by `factor`."""
        return SmoothTrees(self.columns, self.sharpness, self.offsets, factor * self.leaves, factor * self.bias)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Features (n, f) -> values (n,), in the dtype and on the device of the trees."""
        z = features.to(self.leaves)
        if z.is_cpu and not (torch.is_grad_enabled() and z.requires_grad):
            return self.bias + self._values(z)
        return self.bias + _SumOfTrees.apply(z, self.columns, self.sharpness, self.offsets, self.leaves)

    def _values(self, features: torch.Tensor) -> torch.Tensor:
        """Features (n, f) -> the sum over the trees (n,), on a CPU without a gradient.

        Boosting draws thresholds from few values, so that most splits occur in several trees: each is computed once.
        """
        columns, sharpness, offsets, place = self._distinct
        sums = []
        for part in features.split(VALUE_ROWS):
            inputs = part.T.contiguous().index_select(0, columns)
            outcomes = torch.addcmul(offsets, inputs, sharpness).sigmoid_()
            q = outcomes.index_select(0, place).view(*self.columns.shape, -1)
            first, second = q.split(_depths(self.leaves), dim=1)
            values = torch.bmm(self.leaves, _weights_by_level(second)[-1])
            for level in reversed(range(first.shape[1])):  # the expected value of each node of the level above
                no, yes = values.unflatten(1, (-1, 2)).unbind(2)
                values = torch.lerp(no, yes, first[:, level : level + 1])
            sums.append(values.sum((0, 1)))
        return torch.cat(sums) if sums else features.new_zeros(0)

    @property
    def distinct_splits(self) -> int:
        """Number of splits that differ, on which the time without a gradient depends."""
        return len(self._every_split().unique(dim=0))

    def _every_split(self) -> torch.Tensor:
        """Column, sharpness and offset of every split (trees * d, 3) in float64, on the CPU."""
        parts = [each.cpu().double() for each in (self.columns, self.sharpness, self.offsets)]
        return torch.stack(parts, -1).flatten(0, 1)

    @property
    def _distinct(self) -> tuple[torch.Tensor, ...]:
        """Column (u,), sharpness and offset (u, 1) of each distinct split, and the index (trees * d,) of each split."""
        if self._splits is None or self._splits[1].dtype != self.leaves.dtype:
            splits, place = self._every_split().unique(dim=0, return_inverse=True)
            numbers = splits[:, 1:].to(self.leaves)
            self._splits = splits[:, 0].long(), numbers[:, :1].contiguous(), numbers[:, 1:].contiguous(), place
        return self._splits


class _SumOfTrees(torch.autograd.Function):
    """Features (n, f) -> the sum over the trees (n,), computed together with its gradient.

    Automatic differentiation would keep the weights of all leaves; here they exist for ROWS compositions at a time, in
    the CPU's cache.
    """

    @staticmethod
    def forward(ctx, features: torch.Tensor, *trees: torch.Tensor) -> torch.Tensor:
        needed = ctx.needs_input_grad[0]
        parts = [_sum_and_gradient(part, *trees, needed) for part in features.split(_batch_size(features))]
        value, gradient = (torch.cat(column) for column in zip(*parts, strict=True))
        ctx.save_for_backward(gradient)
        return value

    @staticmethod
    @once_differentiable
    def backward(ctx, of_value: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        (gradient,) = ctx.saved_tensors
        return of_value[:, None] * gradient, None, None, None, None


def _batch_size(features: torch.Tensor) -> int:
    return ROWS if features.device.type == "cpu" else ROWS_ON_GPU


def _sum_and_gradient(
    features: torch.Tensor,
    columns: torch.Tensor,
    sharpness: torch.Tensor,
    offsets: torch.Tensor,
    leaves: torch.Tensor,
    gradient_needed: bool,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Features (n, f) -> sum over the trees (n,), gradient (n, f), which has no columns if it is not needed."""
    # The compositions are the last dimension: every operation works on contiguous rows of n numbers.
    inputs = features.T.contiguous().index_select(0, columns.flatten()).view(*columns.shape, -1)
    q = torch.addcmul(offsets[..., None], inputs, sharpness[..., None]).sigmoid_()
    first, second = q.split(_depths(leaves), dim=1)
    of_first, of_second = _weights_by_level(first), _weights_by_level(second)
    inner = torch.bmm(leaves, of_second[-1])
    value = (of_first[-1] * inner).sum((0, 1))
    if not gradient_needed:
        return value, features[:, :0]
    outer = torch.bmm(leaves.transpose(1, 2), of_first[-1])
    in_q = torch.cat([_gradients(first, of_first, inner), _gradients(second, of_second, outer)], dim=1)
    in_inputs = torch.addcmul(q, q, q, value=-1).mul_(sharpness[..., None]).mul_(in_q)  # dq / dz = q (1 - q) / w
    return value, _summed_by_column(in_inputs.flatten(0, 1), columns.flatten(), features.shape[1]).T


def _summed_by_column(values: torch.Tensor, columns: torch.Tensor, count: int) -> torch.Tensor:
    """Values (s, n), the column of each split (s,) -> their sums over the splits on each column (count, n)."""
    if values.device.type == "cpu":
        return values.new_zeros(count, values.shape[1]).index_add_(0, columns, values)
    # On a GPU index_add_ adds in an order that changes from call to call.
    splits = values.new_zeros(count, len(columns)).scatter_(0, columns[None], 1.0)
    return splits @ values


def _depths(leaves: torch.Tensor) -> list[int]:
    """m and d - m of leaves (trees, 2^m, 2^(d - m))."""
    return [size.bit_length() - 1 for size in leaves.shape[1:]]


def _gradients(q: torch.Tensor, by_level: list[torch.Tensor], values: torch.Tensor) -> torch.Tensor:
    """Gradient (trees, d, n) in q of sum(values * leaf_weights(q)); values (trees, 2^d, n).

    From the last split to the first: `values` becomes the expected value of each node of the level above.
    """
    gradient = torch.empty_like(q)
    for level in reversed(range(q.shape[1])):
        no, yes = values.unflatten(1, (-1, 2)).unbind(2)
        difference = yes - no
        torch.sum(by_level[level] * difference, dim=1, out=gradient[:, level])
        values = torch.addcmul(no, q[:, level : level + 1], difference)
    return gradient


def pack_trees(trees: SmoothTrees, name: str) -> dict[str, torch.Tensor]:
    """Tensors to store, under names that begin with `name`; the bias is stored on the card."""
    tensors = {
        "columns": trees.columns.to(torch.int16),
        "sharpness": trees.sharpness,
        "offsets": trees.offsets,
        "leaves": trees.leaves,
    }
    return {f"{name}.{key}": value for key, value in tensors.items()}


def unpack_trees(tensors: Mapping[str, torch.Tensor], name: str, bias: float) -> SmoothTrees:
    """The inverse of `pack_trees`."""
    return SmoothTrees(*(tensors[f"{name}.{key}"] for key in ("columns", "sharpness", "offsets", "leaves")), bias)


def leaf_weights(q: torch.Tensor) -> torch.Tensor:
    """Split outcomes q (trees, d, n) -> weight (trees, 2^d, n) of each leaf for each composition; they sum to 1."""
    return _weights_by_level(q)[-1]


def _weights_by_level(q: torch.Tensor) -> list[torch.Tensor]:
    """The weights (trees, 2^k, n) of the nodes of levels k = 0, 1, ..., d."""
    by_level = [q.new_ones(len(q), 1, q.shape[-1])]
    for level in range(q.shape[1]):
        split = q.new_empty(len(q), 2**level, 2, q.shape[-1])
        torch.mul(by_level[-1], q[:, level : level + 1], out=split[:, :, 1])
        torch.sub(by_level[-1], split[:, :, 1], out=split[:, :, 0])
        by_level.append(split.flatten(1, 2))
    return by_level
