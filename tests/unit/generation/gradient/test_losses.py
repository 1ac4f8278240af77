"""Objective and integer loss (KIAGO eq. 9-11, 13)."""

import pytest
import torch

from core.generation.gradient.losses import grid_distance, integer_loss, objective

DOUBLE = torch.float64
CA_SR_O = torch.tensor([[0.23, 0.27, 0.50]], dtype=DOUBLE)


def sizes(*values: int) -> torch.Tensor:
    return torch.tensor(values, dtype=DOUBLE)


def test_figure_2_of_the_paper():
    # Ca0.23 Sr0.27 O0.50 with N = 4: 0.02 + 0.02 + 0.00 = 0.04
    assert grid_distance(CA_SR_O, sizes(4)).item() == pytest.approx(0.04, abs=1e-12)


def test_squared_form_by_hand():
    assert grid_distance(CA_SR_O, sizes(4), "squared").item() == pytest.approx(2 * 0.02**2, abs=1e-12)


def test_the_lowest_loss_over_all_sizes_counts():
    # 0.23, 0.27: N = 2 costs 0.23 + 0.23, N = 4 costs 0.04, N = 100 nothing
    assert grid_distance(CA_SR_O, sizes(2, 4, 100))[0].tolist() == pytest.approx([0.46, 0.04, 0.0], abs=1e-12)
    assert integer_loss(CA_SR_O, sizes(2, 4)).item() == pytest.approx(0.04, abs=1e-12)


def test_grid_distance_matches_brute_force():
    torch.manual_seed(0)
    x = torch.rand(5, 6, dtype=DOUBLE)
    x = x / x.sum(1, keepdim=True)
    for n in (1, 3, 7, 25):
        grid = torch.arange(n + 1, dtype=DOUBLE) / n
        expected = (x[:, :, None] - grid).abs().amin(2).sum(1)
        assert torch.allclose(grid_distance(x, sizes(n))[:, 0], expected, atol=1e-12)


@pytest.mark.parametrize("form", ["absolute", "squared"])
def test_gradient_against_finite_differences(form):
    x = torch.tensor([[0.11, 0.34, 0.55]], dtype=DOUBLE, requires_grad=True)
    assert torch.autograd.gradcheck(lambda v: integer_loss(v, sizes(3, 4, 5), form), x)


def test_objective():
    tc, energy = torch.tensor([20.0, 0.0]), torch.tensor([-1.5, 0.5])
    assert objective(tc, energy, 4.0).tolist() == [-26.0, 2.0]


def test_two_exempt_elements_cost_nothing():
    """Figure 3 of GDMCD: 0.23 and 0.27 are a and b, 0.50 is on the grid of N = 4. One exempt element leaves 0.02."""
    assert grid_distance(CA_SR_O, sizes(4), exempt=2).item() == pytest.approx(0.0, abs=1e-12)
    assert grid_distance(CA_SR_O, sizes(4), exempt=1).item() == pytest.approx(0.02, abs=1e-12)
    assert grid_distance(CA_SR_O, sizes(4), exempt=9).item() == 0.0


def test_the_hinge_is_zero_above_the_target():
    tc, energy = torch.tensor([20.0, 299.0, 310.0]), torch.tensor([-1.5, 0.0, 0.5])
    assert objective(tc, energy, 4.0, target=300.0).tolist() == [274.0, 1.0, 2.0]
