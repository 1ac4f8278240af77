"""Formal oxidation states of copper; expected values by hand."""

from __future__ import annotations

import pytest
import torch

from core.chemistry import composition, elements
from core.predictors.features.copper_valence import CHARGES, COPPER_SHARE, LARGEST_STATE, charges, copper_valence

COPPER = elements.element("Cu").index


def valence(formula: str) -> torch.Tensor:
    return copper_valence(torch.from_numpy(composition.compositions([formula])), charges(), COPPER)[0]


@pytest.mark.parametrize(
    ("formula", "state"),
    [("La2CuO4", 2.0), ("La1.85Sr0.15CuO4", 2.15), ("YBa2Cu3O7", 7 / 3), ("Nd1.85Ce0.15CuO4", 1.85)],
)
def test_copper_shares_the_remaining_charge(formula, state):
    amount = composition.compositions([formula])[0, COPPER]
    counts = amount / (amount + COPPER_SHARE)
    found, how_much, total = valence(formula).tolist()
    assert how_much == pytest.approx(counts)
    assert found == pytest.approx(LARGEST_STATE * torch.tanh(torch.tensor(state * counts**2 / LARGEST_STATE)).item())
    assert total == pytest.approx((2 - state) * amount)  # copper counts as 2+ in the sum over all


def test_without_copper_there_is_no_state():
    found, how_much, total = valence("MgB2").tolist()
    assert (found, how_much) == (0.0, 0.0) and total == pytest.approx((2 + 2 * 3) / 3)


def test_the_features_are_smooth_as_copper_vanishes():
    x = torch.from_numpy(composition.compositions(["MgO"])).requires_grad_()
    (slope,) = torch.autograd.grad(copper_valence(x, charges(), COPPER)[:, 0].sum(), x)
    assert torch.isfinite(slope).all()
    trace = x.detach().clone()
    trace[0, COPPER] = 1e-6
    assert float(copper_valence(trace / trace.sum(), charges(), COPPER)[0, 0]) == pytest.approx(0, abs=1e-6)


def test_every_charge_belongs_to_one_element():
    named = " ".join(CHARGES.values()).split()
    assert len(named) == len(set(named)) and all(elements.is_element(symbol) for symbol in named)
    assert charges()[elements.element("O").index] == -2
