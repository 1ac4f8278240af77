"""ElemNet without its inactive units: the same function for every batch."""

import pytest
import torch

from core.predictors.formation_energy.elemnet import FormationEnergyElemNet, load_elemnet
from core.predictors.formation_energy.elemnet_pruned import PrunedElemNet
from core.predictors.registry import load_predictor
from core.reference_data.references import load_references


@pytest.fixture(scope="module")
def plain() -> FormationEnergyElemNet:
    return load_elemnet()


@pytest.fixture(scope="module")
def pruned() -> PrunedElemNet:
    return load_predictor("formation-energy")


def known(predictor, n: int) -> torch.Tensor:
    """n known superconductors of elements that the predictor knows, (n, 118), at equal intervals of the table."""
    x = torch.from_numpy(load_references().known_compositions).float()
    x = x[(x[:, ~predictor.known_elements] == 0).all(1)]
    return x[:: len(x) // n][:n]


def value_and_gradient(predictor, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    x = x.clone().requires_grad_(True)
    value = predictor(x)
    return value.detach(), torch.autograd.grad(value.sum(), x)[0]


@pytest.mark.parametrize("n", [1, 7, 200])
def test_values_and_gradients_agree_with_the_full_network(plain, pruned, n):
    assert isinstance(pruned, PrunedElemNet)
    x = known(plain, n)
    for found, expected in zip(value_and_gradient(pruned, x), value_and_gradient(plain, x), strict=True):
        assert torch.allclose(found, expected, atol=1e-4, rtol=1e-5)


def test_gradient_against_finite_differences(plain):
    pruned, x = PrunedElemNet(plain).double(), known(plain, 3).double()
    _, gradient = value_and_gradient(pruned, x)
    step = 1e-7
    for column in x.sum(0).topk(4).indices.tolist():
        moved = torch.zeros_like(x)
        moved[:, column] = step
        difference = (pruned(x + moved) - pruned(x - moved)) / (2 * step)
        assert torch.allclose(difference, gradient[:, column], rtol=1e-4, atol=1e-6)


def test_a_row_of_nan_does_not_change_the_others(plain, pruned):
    x = known(plain, 20)
    broken = x.clone()
    broken[3] = torch.nan
    expected, found = value_and_gradient(pruned, x), value_and_gradient(pruned, broken)
    assert torch.isnan(found[0][3])  # which the optimiser detects
    others = [i for i in range(len(x)) if i != 3]
    for before, after in zip(expected, found, strict=True):
        assert torch.allclose(after[others], before[others], atol=1e-5)


def test_an_empty_batch(pruned):
    assert pruned(torch.zeros(0, 118)).shape == (0,)
