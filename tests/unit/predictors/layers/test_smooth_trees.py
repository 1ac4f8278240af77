"""Smooth trees: their equation and their gradient."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch

from core.predictors.layers.smooth_trees import ROWS, SmoothTrees, leaf_weights, pack_trees, unpack_trees


def some_trees(trees: int = 5, depth: int = 3, features: int = 4) -> SmoothTrees:
    random = torch.Generator().manual_seed(0)
    columns = torch.randint(features, (trees, depth), generator=random)
    thresholds = torch.randn(trees, depth, generator=random)
    leaves = torch.randn(trees, 2**depth, generator=random)
    return SmoothTrees.from_splits(columns, thresholds, torch.full((features,), 0.5), leaves, 1.5).double()


def test_the_value_agrees_with_the_equation():
    trees, z = some_trees(), torch.randn(7, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    leaves = trees.leaves.flatten(1)
    for row, value in zip(z, trees(z), strict=True):
        expected = trees.bias
        for t in range(len(leaves)):
            q = [torch.sigmoid(row[c] * s + o) for c, s, o in zip(
                trees.columns[t], trees.sharpness[t], trees.offsets[t], strict=True)]  # fmt: skip
            for leaf, answers in enumerate(product((0, 1), repeat=3)):
                share = np.prod([float(p if yes else 1 - p) for p, yes in zip(q, answers, strict=True)])
                expected += share * float(leaves[t, leaf])
        assert float(value) == pytest.approx(expected)


def test_leaf_weights_sum_to_one():
    q = torch.rand(3, 4, 6)
    assert torch.allclose(leaf_weights(q).sum(1), torch.ones(3, 6))


def test_gradient_against_finite_differences():
    z = torch.randn(3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(2), requires_grad=True)
    assert torch.autograd.gradcheck(some_trees(), (z,))


def test_a_row_does_not_depend_on_the_size_of_the_batch():
    z = torch.randn(2 * ROWS + 3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    z.requires_grad_(True)
    trees = some_trees()
    (gradient,) = torch.autograd.grad(trees(z).sum(), z)
    for i in (0, ROWS, len(z) - 1):
        (alone,) = torch.autograd.grad(trees(z[i : i + 1]).sum(), z)
        assert torch.allclose(trees(z[i : i + 1]), trees(z)[i])
        assert torch.allclose(alone[i], gradient[i])


def test_trees_are_the_same_after_storing():
    trees, z = some_trees().float(), torch.randn(7, 4)
    again = unpack_trees(pack_trees(trees, "height"), "height", trees.bias)
    assert torch.equal(again(z), trees(z))


def test_a_multiple_of_the_trees():
    trees, z = some_trees().float(), torch.randn(7, 4)
    assert torch.allclose(trees.times(0.8)(z), 0.8 * trees(z), atol=1e-6)


def test_the_value_without_a_gradient_is_that_with_it():
    """Computed from the distinct splits alone."""
    random = torch.Generator().manual_seed(2)
    columns = torch.randint(0, 3, (40, 6), generator=random)
    thresholds = torch.randint(-2, 3, (40, 6), generator=random).double()
    leaves = torch.randn(40, 64, generator=random, dtype=torch.float64)
    trees = SmoothTrees.from_splits(columns, thresholds, torch.ones(3, dtype=torch.float64), leaves, 0.5).double()
    x = torch.randn(300, 3, generator=random, dtype=torch.float64)
    assert len(trees._distinct[0]) <= 15
    assert torch.allclose(trees(x), trees(x.clone().requires_grad_(True)).detach(), atol=1e-10)
