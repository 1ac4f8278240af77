"""ElemNet without its idle units: the same function, whoever else is in the batch."""

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
def lean() -> PrunedElemNet:
    return load_predictor("formation-energy")


def known(predictor, n: int) -> torch.Tensor:
    """Every so many-th known superconductor of elements that the predictor knows, (n, 118)."""
    x = torch.from_numpy(load_references().known_compositions).float()
    x = x[(x[:, ~predictor.known_elements] == 0).all(1)]
    return x[:: len(x) // n][:n]


def value_and_slope(predictor, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    x = x.clone().requires_grad_(True)
    value = predictor(x)
    return value.detach(), torch.autograd.grad(value.sum(), x)[0]


@pytest.mark.parametrize("n", [1, 7, 200])
def test_values_and_slopes_are_those_of_the_whole_network(plain, lean, n):
    assert isinstance(lean, PrunedElemNet)
    x = known(plain, n)
    for found, expected in zip(value_and_slope(lean, x), value_and_slope(plain, x), strict=True):
        assert torch.allclose(found, expected, atol=1e-4, rtol=1e-5)


def test_slope_against_finite_differences(plain):
    lean, x = PrunedElemNet(plain).double(), known(plain, 3).double()
    _, slope = value_and_slope(lean, x)
    step = 1e-7
    for column in x.sum(0).topk(4).indices.tolist():
        moved = torch.zeros_like(x)
        moved[:, column] = step
        difference = (lean(x + moved) - lean(x - moved)) / (2 * step)
        assert torch.allclose(difference, slope[:, column], rtol=1e-4, atol=1e-6)


def test_what_is_no_number_harms_no_other(plain, lean):
    x = known(plain, 20)
    broken = x.clone()
    broken[3] = torch.nan
    expected, found = value_and_slope(lean, x), value_and_slope(lean, broken)
    assert torch.isnan(found[0][3])  # by which the optimiser knows it
    others = [i for i in range(len(x)) if i != 3]
    for before, after in zip(expected, found, strict=True):
        assert torch.allclose(after[others], before[others], atol=1e-5)


def test_a_batch_of_nothing(lean):
    assert lean(torch.zeros(0, 118)).shape == (0,)
