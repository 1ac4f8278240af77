"""x_const, masks and normalisation (KIAGO eq. 3-8, 12, 15)."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.generation.gradient.simplex_map import SimplexMap

DOUBLE = torch.float64


def constraints(fixed: dict[int, float], allowed: list[int], n: int = 118) -> SimplexMap:
    x_const, mask = torch.zeros(n, dtype=DOUBLE), torch.zeros(n, dtype=torch.bool)
    for index, value in fixed.items():
        x_const[index] = value
    mask[allowed] = True
    return SimplexMap(x_const, mask)


def test_by_hand():
    # x_const = (0.4, 0, 0, 0); M_elem = (0, 1, 1, 0); x_base = (9, 1, 3, 5): sigma = (0, 1/4, 3/4, 0)
    c = constraints({0: 0.4}, [1, 2], n=4)
    x = c.compose(torch.tensor([[9.0, 1.0, 3.0, 5.0]], dtype=DOUBLE))
    assert x[0].tolist() == pytest.approx([0.4, 0.15, 0.45, 0.0], abs=1e-15)


def test_relu_removes_negative_ratios():
    c = constraints({}, [0, 1, 2], n=3)
    x = c.compose(torch.tensor([[2.0, -1.0, 2.0]], dtype=DOUBLE))
    assert x[0].tolist() == [0.5, 0.0, 0.5]


def test_random_x_base_gives_sum_one_and_the_exact_fixed_part():
    torch.manual_seed(0)
    c = constraints({7: 0.25, 25: 0.25}, list(range(30, 90)))
    x = c.compose(torch.randn(200, 118, dtype=DOUBLE))
    assert torch.allclose(x.sum(1), torch.ones(200, dtype=DOUBLE), atol=1e-12)
    assert torch.equal(x[:, 7], torch.full((200,), 0.25, dtype=DOUBLE))
    assert (x >= 0).all() and not x[:, :7].any() and not x[:, 95:].any()


def test_max_mask_counts_the_fixed_part():
    c = constraints({7: 0.25, 25: 0.25}, list(range(30, 90)))
    x_base = torch.rand(20, 118, dtype=DOUBLE)
    mask = c.max_mask(x_base, max_elements=5)
    x = c.compose(x_base, mask)
    assert ((x > 0).sum(1) == 5).all()
    # These are the three largest allowed ratios.
    largest = (x_base * c.allowed).topk(3, dim=1).indices
    assert torch.equal(mask.nonzero()[:, 1].view(20, 3), largest.sort(dim=1).values)


def test_dead_candidates_are_detected():
    c = constraints({0: 0.5}, [1, 2], n=3)
    base = torch.tensor([[1.0, 1, 0], [1, -1, -2], [1, float("nan"), 1], [1, float("inf"), 1]], dtype=DOUBLE)
    assert c.alive(base).tolist() == [True, False, False, False]


def test_gradient_of_the_map_against_finite_differences():
    torch.manual_seed(1)
    c = constraints({3: 0.3}, [0, 1, 2, 4, 5], n=6)
    base = (torch.rand(4, 6, dtype=DOUBLE) + 0.1).requires_grad_()
    assert torch.autograd.gradcheck(lambda b: c.compose(b), base)


def test_infeasible_constraints_are_rejected():
    with pytest.raises(ValueError, match="less than 1"):
        constraints({0: 0.6, 1: 0.4}, [2])
    with pytest.raises(ValueError, match="no element"):
        constraints({0: 0.6}, [])


def test_a_floor_is_kept_and_may_be_exceeded():
    # x_const = (0.4, 0, 0), H stays in M_elem; x_base = (1, 3, 0): sigma = (1/4, 3/4, 0), x = 0.4 + 0.6 / 4
    c = constraints({0: 0.4}, [0, 1, 2], n=3)
    x = c.compose(torch.tensor([[1.0, 3.0, 0.0], [-1.0, 1.0, 1.0]], dtype=DOUBLE))
    assert x[0].tolist() == pytest.approx([0.55, 0.45, 0.0], abs=1e-15)
    assert x[1].tolist() == pytest.approx([0.40, 0.30, 0.3], abs=1e-15)
    assert c.floors.tolist() == [0.4, 0.0, 0.0] and not c.kept.any()


def test_elements_with_a_floor_count_towards_max_elements():
    torch.manual_seed(2)
    c = constraints({0: 0.4, 7: 0.1}, [0, *range(30, 90)])
    x_base = torch.rand(20, 118, dtype=DOUBLE)
    x = c.compose(x_base, c.max_mask(x_base, 3))
    assert ((x > 0).sum(1) == 3).all() and (x[:, 0] > 0.4).all()


# Substitution at several sites: one free part for each oxidation state of the replacements.


def two_parts() -> SimplexMap:
    """A is fixed at 0.4, B and C share 0.5, C and D share 0.1: C may be in both parts."""
    allowed = torch.tensor([0, 1, 1, 0, 0, 0, 1, 1], dtype=torch.bool)
    return SimplexMap(torch.tensor([0.4, 0, 0, 0], dtype=DOUBLE), allowed, torch.tensor([0.5, 0.1], dtype=DOUBLE))


def test_two_parts_by_hand():
    # B, C in part 1: 1/5 and 4/5 of 0.5; C, D in part 2: half of 0.1 each; C has 0.4 + 0.05
    base = torch.tensor([[9.0, 1, 4, 9, 9, 9, 2, 2]], dtype=DOUBLE)
    assert two_parts().compose(base)[0].tolist() == pytest.approx([0.4, 0.1, 0.45, 0.05], abs=1e-12)
    assert two_parts().parts(base)[0, 1].tolist() == pytest.approx([0, 0, 0.05, 0.05], abs=1e-12)


def test_one_dead_part_kills_a_candidate_and_every_part_keeps_its_largest_ratio():
    c = two_parts()
    base = torch.tensor([[0.0, 1, 4, 0, 0, 0, -2, -2], [0, 1, 4, 0, 0, 0, 2, 3]], dtype=DOUBLE)
    assert c.alive(base).tolist() == [False, True]
    mask = c.max_mask(base, 3)  # A and two more: the largest of each part, C and D
    assert mask[1].nonzero().flatten().tolist() == [2, 7]
    assert c.compose(base, mask)[1].tolist() == pytest.approx([0.4, 0, 0.5, 0.1], abs=1e-12)


def test_gradient_of_two_parts_against_finite_differences():
    torch.manual_seed(3)
    base = (torch.rand(3, 8, dtype=DOUBLE) + 0.1).requires_grad_()
    assert torch.autograd.gradcheck(lambda b: two_parts().compose(b), base)


def test_the_parts_and_x_const_must_sum_to_one():
    with pytest.raises(ValueError, match="not to 1"):
        SimplexMap(torch.tensor([0.4, 0.0]), torch.tensor([False, True, False, True]), torch.tensor([0.5, 0.2]))
    with pytest.raises(ValueError, match="in one of the parts"):
        SimplexMap(torch.tensor([0.4, 0.0]), torch.tensor([False, True, False, False]), torch.tensor([0.5, 0.1]))


@settings(deadline=None, max_examples=100, derandomize=True)
@given(st.integers(0, 2**31), st.integers(1, 3))
def test_random_constraints_are_satisfied(seed, parts):
    """In single precision, as in the optimiser: fixed fractions exact, floors to 1e-7, sums to 1e-6."""
    torch.manual_seed(seed)
    shares = torch.distributions.Dirichlet(torch.ones(parts + 2)).sample()
    fixed, allowed = torch.zeros(30), torch.rand(parts, 30) < 0.3
    allowed[:, :3] = False
    allowed[:, 5] = True
    fixed[1] = shares[0]
    if parts == 1:
        fixed[5] = shares[1]  # a floor
    rooms = None if parts == 1 else shares[2:] / shares[2:].sum() * (1 - shares[0])
    c = SimplexMap(fixed, allowed.flatten(), rooms)
    x_base = torch.randn(20, parts * 30)
    x = c.compose(x_base, c.max_mask(x_base, 2 + 2 * parts))[c.alive(x_base)]
    assert (x.sum(1) - 1).abs().max() < 1e-6 and (x >= 0).all()
    assert (x[:, 1] == fixed[1]).all() and (x[:, 5] >= fixed[5] - 1e-7).all()
    assert not x[:, ~(allowed.any(0) | (fixed > 0))].any() and ((x > 0).sum(1) <= 2 + 2 * parts).all()
    if rooms is not None:
        added = c.parts(x_base, None)[c.alive(x_base)].sum(2)
        assert (added - rooms).abs().max() < 1e-6
