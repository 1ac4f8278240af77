"""Boosted trees whose branches are smooth: regression trees that have a gradient.

f(z) = b + sum_t sum_leaf v_t,leaf prod_k (q or 1 - q),    q_tk = sigmoid((z_c - a_tk) / w_c),  c = c_tk

Every tree asks the same question of all branches of one level ("oblivious" trees, Prokhorenkova et al. 2018,
arXiv:1706.09516), so that a tree of depth d has d questions and 2^d leaves; w_c is the width of a step in feature c
("soft" trees, Irsoy et al. 2012).
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn
from torch.autograd.function import once_differentiable

ROWS = 64  # compositions at once


class SmoothTrees(nn.Module):
    """columns (trees, d): what each level asks; sharpness 1 / w and offsets -a / w (trees, d) of its answer.

    leaves (trees, 2^m, 2^(d - m)) : values, for the answers to the first m = d // 2 questions (the first is the highest
    bit) and to the others; bias : b. Both in the unit of the value
    """

    def __init__(
        self, columns: torch.Tensor, sharpness: torch.Tensor, offsets: torch.Tensor, leaves: torch.Tensor, bias: float
    ):
        super().__init__()
        self.bias = bias
        self.register_buffer("columns", columns.long(), persistent=False)
        self.register_buffer("sharpness", sharpness.float(), persistent=False)
        self.register_buffer("offsets", offsets.float(), persistent=False)
        self.register_buffer("leaves", leaves.float(), persistent=False)

    @classmethod
    def asking(
        cls, columns: torch.Tensor, thresholds: torch.Tensor, widths: torch.Tensor, leaves: torch.Tensor, bias: float
    ) -> SmoothTrees:
        """From a (trees, d), w of each feature (f,) and the values of all leaves (trees, 2^d)."""
        sharpness = 1 / widths[columns.long()]
        first = thresholds.shape[1] // 2
        return cls(columns, sharpness, -thresholds * sharpness, leaves.view(len(leaves), 2**first, -1), bias)

    def times(self, share: float) -> SmoothTrees:
        """Trees that say so much of what these say."""
        return SmoothTrees(self.columns, self.sharpness, self.offsets, share * self.leaves, share * self.bias)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Features (n, f) -> values (n,), in the type and on the device of the trees."""
        z = features.to(self.leaves)
        return self.bias + _Answers.apply(z, self.columns, self.sharpness, self.offsets, self.leaves)


class _Answers(torch.autograd.Function):
    """The sum over the trees (n,) of features (n, f); its slope comes with it.

    Automatic differentiation would keep every share of every leaf; here they live for ROWS compositions, and in the
    processor's cache.
    """

    @staticmethod
    def forward(ctx, features: torch.Tensor, *trees: torch.Tensor) -> torch.Tensor:
        wanted = ctx.needs_input_grad[0]
        parts = [_sum_and_slope(part, *trees, wanted) for part in features.split(_at_once(features))]
        value, slope = (torch.cat(column) for column in zip(*parts, strict=True))
        ctx.save_for_backward(slope)
        return value

    @staticmethod
    @once_differentiable
    def backward(ctx, of_value: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        (slope,) = ctx.saved_tensors
        return of_value[:, None] * slope, None, None, None, None


def _at_once(features: torch.Tensor) -> int:
    """How many rows to take at a time."""
    return ROWS if features.device.type == "cpu" else max(len(features), 1)


def _sum_and_slope(
    features: torch.Tensor,
    columns: torch.Tensor,
    sharpness: torch.Tensor,
    offsets: torch.Tensor,
    leaves: torch.Tensor,
    wanted: bool,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Features (n, f) -> sum over the trees (n,), slope (n, f); of the slope no column if it is not wanted."""
    # Trees before compositions: every step works on whole rows of n numbers.
    asked = features.T.contiguous().index_select(0, columns.flatten()).view(*columns.shape, -1)
    q = torch.addcmul(offsets[..., None], asked, sharpness[..., None]).sigmoid_()
    first, second = q.split(_halves(leaves), dim=1)
    of_first, of_second = _shares_so_far(first), _shares_so_far(second)
    inner = torch.bmm(leaves, of_second[-1])
    value = (of_first[-1] * inner).sum((0, 1))
    if not wanted:
        return value, features[:, :0]
    outer = torch.bmm(leaves.transpose(1, 2), of_first[-1])
    with_q = torch.cat([_slopes(first, of_first, inner), _slopes(second, of_second, outer)], dim=1)
    with_asked = torch.addcmul(q, q, q, value=-1).mul_(sharpness[..., None]).mul_(with_q)  # dq / dz = q (1 - q) / w
    slope = features.new_zeros(features.T.shape).index_add_(0, columns.flatten(), with_asked.flatten(0, 1))
    return value, slope.T


def _halves(leaves: torch.Tensor) -> list[int]:
    """How many questions the leaves (trees, 2^m, 2^(d - m)) have first, m, and second."""
    return [size.bit_length() - 1 for size in leaves.shape[1:]]


def _slopes(q: torch.Tensor, so_far: list[torch.Tensor], weights: torch.Tensor) -> torch.Tensor:
    """Slopes (trees, d, n) with the answers q of sum(weights * shares(q)); weights (trees, 2^d, n).

    From the last question to the first: `weights` shrinks to what the answers up to there would give.
    """
    found = torch.empty_like(q)
    for level in reversed(range(q.shape[1])):
        no, yes = weights.unflatten(1, (-1, 2)).unbind(2)
        more = yes - no
        torch.sum(so_far[level] * more, dim=1, out=found[:, level])
        weights = torch.addcmul(no, q[:, level : level + 1], more)
    return found


def pack_trees(trees: SmoothTrees, name: str) -> dict[str, torch.Tensor]:
    """Tensors to be stored, under names that begin with `name`; the bias belongs into the card."""
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


def shares(q: torch.Tensor) -> torch.Tensor:
    """q (trees, d, n): the answers -> (trees, 2^d, n): how much of each composition is in each leaf; they sum to 1."""
    return _shares_so_far(q)[-1]


def _shares_so_far(q: torch.Tensor) -> list[torch.Tensor]:
    """The shares (trees, 2^k, n) after no question, after the first, ..., after all d."""
    found = [q.new_ones(len(q), 1, q.shape[-1])]
    for level in range(q.shape[1]):
        split = q.new_empty(len(q), 2**level, 2, q.shape[-1])
        torch.mul(found[-1], q[:, level : level + 1], out=split[:, :, 1])
        torch.sub(found[-1], split[:, :, 1], out=split[:, :, 0])
        found.append(split.flatten(1, 2))
    return found
