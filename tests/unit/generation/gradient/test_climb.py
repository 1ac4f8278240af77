"""A single composition that climbs an objective, on a paraboloid with a known maximum."""

from __future__ import annotations

import pytest
import torch

from core.generation.gradient.climb import ADAM, GRADIENT, RULES, climb
from core.generation.gradient.simplex_map import SimplexMap

TOP = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
START = torch.tensor([0.2, 0.2, 0.6], dtype=torch.float64)


def free(n: int = 3) -> SimplexMap:
    return SimplexMap(torch.zeros(n, dtype=torch.float64), torch.ones(n, dtype=torch.bool))


def paraboloid(x: torch.Tensor) -> torch.Tensor:
    return (x - TOP).square().sum(1)


@pytest.mark.parametrize("rule", RULES)
def test_the_path_reaches_the_optimum_within_the_simplex(rule):
    path = climb(paraboloid, free(), START, 300, 0.03)[rule]
    assert path.composition[0] == pytest.approx(START) and path.composition[-1] == pytest.approx(TOP, abs=0.01)
    assert path.composition.sum(1) == pytest.approx(torch.ones(301).double()) and path.loss[-1] < 1e-4


def test_the_first_step_of_both_rules_changes_a_ratio_by_the_learning_rate():
    """For the loss 1 - x_0 the gradient in x_base at sum 1 is (x_0 - 1, x_0, x_0)."""
    x = START.clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad((1 - free().compose(x[None])[0, 0]), x)
    assert gradient == pytest.approx(torch.tensor([-0.8, 0.2, 0.2]).double())
    paths = climb(lambda c: 1 - c[:, 0], free(), START, 1, 0.03)
    moved = START - 0.03 / 0.8 * gradient
    assert paths[GRADIENT].composition[1] == pytest.approx(moved / moved.sum())
    moved = START - 0.03 * torch.sign(gradient)
    assert paths[ADAM].composition[1] == pytest.approx(moved / moved.sum(), abs=1e-6)


def test_a_fixed_fraction_stays():
    fixed = torch.tensor([0.0, 0.0, 0.25], dtype=torch.float64)
    simplex = SimplexMap(fixed, torch.tensor([True, True, False]))
    path = climb(paraboloid, simplex, START, 20, 0.03)[ADAM]
    assert (path.composition[:, 2] == 0.25).all()


def test_a_path_ends_where_no_ratio_is_positive():
    """A single allowed element has no gradient; a loss with a push against all ratios makes them negative."""
    simplex = SimplexMap(torch.zeros(3).double(), torch.tensor([True, True, False]))
    cliff = climb(lambda c: 50 * c[:, 0] * c[:, 1], simplex, torch.tensor([0.02, 0.03, 0.95]).double(), 50, 0.5)
    assert len(cliff[GRADIENT].loss) == len(cliff[GRADIENT].composition) <= 51
    assert all(torch.isfinite(path.loss).all() for path in cliff.values())


def test_a_dead_start_is_refused():
    with pytest.raises(ValueError, match="positive"):
        climb(paraboloid, free(), -START, 1, 0.03)
