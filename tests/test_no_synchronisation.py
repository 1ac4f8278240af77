"""The mode finds every kind of synchronising call; predictors of the optimiser have none in their capturable form."""

import pytest
import torch

from core.chemistry import composition, elements
from core.predictors.info import Role
from core.predictors.registry import load_as_trained, load_predictor, predictors
from tests.no_synchronisation import Synchronises, no_synchronisation

FORMULAS = ["Fe", "NaCl", "YBa2Cu3O7", "La1.85Sr0.15CuO4", "BaSrCaYLaFeCoAsO"]
MOST = 9  # elements of a formula
NAMES = [info.name for info in predictors() if info.role is not Role.CONTROL]
X = torch.tensor([0.0, 1.0, 2.0])

SYNCHRONISING = {
    "item": lambda: X.sum().item(),
    "float": lambda: float(X[0]),
    "bool": lambda: bool(X[0] > 0),
    "if": lambda: 1 if X.sum() > 2 else 0,
    "tolist": lambda: X.tolist(),
    "numpy": lambda: X.numpy(),
    "cpu": lambda: X.cpu(),
    "nonzero": lambda: X.nonzero(),
    "where": lambda: torch.where(X > 0),
    "boolean index": lambda: X[X > 0],
    "boolean assignment": lambda: X.clone().__setitem__(X > 0, X[:2]),
    "masked_select": lambda: X.masked_select(X > 0),
    "unique": lambda: X.unique(),
    "bincount": lambda: X.long().bincount(),
    "repeats": lambda: X.repeat_interleave(torch.ones_like(X).long()),
    "equal": lambda: torch.equal(X, X),
    "constant": lambda: X + torch.tensor([1.0, 2.0, 3.0]),
    "another device": lambda: X.to("meta"),
    "copy to another device": lambda: torch.empty(3, device="meta").copy_(X),
}
HARMLESS = {
    "where with values": lambda: torch.where(X > 0, X, 0.0),
    "masked_fill": lambda: X.masked_fill(X > 0, 1.0),
    "index": lambda: X[torch.zeros_like(X).long()],
    "topk": lambda: X.topk(2),
    "amax": lambda: X.amax(),
    "same device": lambda: X.to("cpu"),
    "another dtype": lambda: X.double(),
    "new": lambda: X.new_zeros(3),
    "random": lambda: torch.randn(3),
}


@pytest.mark.parametrize("call", SYNCHRONISING)
def test_synchronising_calls_are_found(call):
    with pytest.raises(Synchronises), no_synchronisation():
        SYNCHRONISING[call]()
    assert torch.equal(X, X)  # the mode has ended


@pytest.mark.parametrize("call", HARMLESS)
def test_other_calls_are_not(call):
    with no_synchronisation():
        HARMLESS[call]()


def test_backward_passes_are_seen():
    class Reads(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return 2 * x

        @staticmethod
        def backward(ctx, gradient):
            return gradient * gradient.max().item()

    x = X.clone().requires_grad_()
    with pytest.raises(Synchronises), no_synchronisation():
        Reads.apply(x).sum().backward()


def value_and_gradient(predictor, x, of):
    x = x.clone().requires_grad_()
    value = of(predictor, x)
    return value.detach(), torch.autograd.grad(value.sum(), x)[0]


OF = {"value": lambda predictor, x: predictor(x), "error": lambda predictor, x: sum_of_estimate(predictor.estimate(x))}


def sum_of_estimate(estimate) -> torch.Tensor:
    return estimate.value if estimate.error is None else estimate.value - 0.5 * estimate.error


@pytest.mark.parametrize("of", OF)
@pytest.mark.parametrize("load", [load_predictor, load_as_trained])
@pytest.mark.parametrize("name", NAMES)
def test_no_predictor_synchronises_in_its_capturable_form(name, load, of):
    """Values and gradients are those of the predictor. Empty tokens are there: the capacity is above every formula."""
    predictor = load(name)
    x = torch.from_numpy(composition.compositions(FORMULAS)).float()
    for plain, form in zip(predictor.members(), predictor.capturable(MOST + 3).members(), strict=True):
        expected, slope = value_and_gradient(plain, x, OF[of])
        with no_synchronisation():
            value, gradient = value_and_gradient(form, x, OF[of])
        assert torch.allclose(value, expected, rtol=1e-5, atol=1e-5)
        assert torch.allclose(gradient, slope, rtol=1e-4, atol=1e-5 * float(slope.abs().max()))


@pytest.mark.parametrize("name", NAMES)
def test_no_predictor_synchronises_in_bfloat16(name):
    x = torch.from_numpy(composition.compositions(FORMULAS)).float()
    form = load_predictor(name).capturable(MOST).in_bfloat16()
    with no_synchronisation():
        value, gradient = value_and_gradient(form, x, OF["value"])
    assert torch.isfinite(value).all() and torch.isfinite(gradient).all()


@pytest.mark.parametrize("name", NAMES)
def test_no_predictor_synchronises_in_its_form_for_tf32(name):
    x = torch.from_numpy(composition.compositions(FORMULAS)).float()
    predictor = load_predictor(name)
    expected, slope = value_and_gradient(predictor.members()[0], x, OF["value"])
    with no_synchronisation():
        value, gradient = value_and_gradient(predictor.in_tf32().members()[0].capturable(MOST), x, OF["value"])
    assert torch.allclose(value, expected, rtol=1e-4, atol=1e-4)
    assert torch.allclose(gradient, slope, rtol=1e-3, atol=1e-4 * float(slope.abs().max()))


@pytest.mark.parametrize("name", NAMES)
def test_every_predictor_runs_on_another_device_as_a_whole(name):
    """On the meta device, which has shapes and no values: an operation that needs values, or a table left on the CPU,
    raises; and the code of a GPU is run, not that of a CPU."""
    form = load_predictor(name).capturable(MOST).to(torch.device("meta"))
    x = torch.zeros(5000, elements.N_ELEMENTS, device="meta", requires_grad=True)
    for of in OF.values():
        (gradient,) = torch.autograd.grad(of(form, x).sum(), x)
        assert gradient.shape == x.shape and gradient.device.type == "meta"
