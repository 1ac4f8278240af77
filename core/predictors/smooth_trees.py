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
        # Trees before compositions: every step works on whole rows of n numbers.
        asked = features.to(self.leaves).T.index_select(0, self.columns.flatten()).view(*self.columns.shape, -1)
        q = torch.sigmoid(asked * self.sharpness[..., None] + self.offsets[..., None])
        first = self.leaves.shape[1].bit_length() - 1
        inner = torch.bmm(self.leaves, shares(q[:, first:]))
        return self.bias + (shares(q[:, :first]) * inner).sum((0, 1))


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
    found = q.new_ones(len(q), 1, q.shape[-1])
    for level in range(q.shape[1]):
        yes = found * q[:, level : level + 1]
        found = torch.stack([found - yes, yes], dim=2).flatten(1, 2)
    return found
