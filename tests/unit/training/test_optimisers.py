"""Schedules and optimisers against torch's own."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from core.training.optimisers import ADAMW, CONSTANT, NADAM, ONE_CYCLE, ScheduledOptimiser, TabulatedAdamW, rates_of
from tests.no_synchronisation import no_synchronisation

STEPS = 40


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1))


def gradients(model: nn.Module, seed: int) -> None:
    random = torch.Generator().manual_seed(seed)
    for parameter in model.parameters():
        parameter.grad = torch.randn(parameter.shape, generator=random)


@pytest.mark.parametrize("steps", [1, 4, 7, 100, 1001])
def test_one_cycle_is_that_of_torch(steps):
    optimiser = torch.optim.AdamW(network().parameters(), 0.03)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.03, steps, pct_start=0.15)
    for rate, beta1 in rates_of(ONE_CYCLE, 0.03, steps):
        (group,) = optimiser.param_groups
        assert (rate, beta1) == (group["lr"], group["betas"][0])
        optimiser.step()
        schedule.step()


@pytest.mark.parametrize("captured", [False, True])
def test_adamw_is_that_of_torch(captured):
    one, other = network(), network()
    rates = rates_of(ONE_CYCLE, 0.03, STEPS)
    ours = ScheduledOptimiser(ADAMW, one.parameters(), rates, 0.1, captured)
    optimiser = torch.optim.AdamW(other.parameters(), 0.03, weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.03, STEPS, pct_start=0.15)
    for step in range(STEPS):
        for model in (one, other):
            gradients(model, step)
        ours.step()
        optimiser.step()
        schedule.step()
    for a, b in zip(one.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=2e-5 * captured, atol=2e-6 * captured)


def test_nadam_is_that_of_torch():
    one, other = network(), network()
    ours = ScheduledOptimiser(NADAM, one.parameters(), rates_of(CONSTANT, 0.01, STEPS), 0.0, captured=False)
    optimiser = torch.optim.NAdam(other.parameters(), 0.01)
    for step in range(STEPS):
        for model in (one, other):
            gradients(model, step)
        ours.step()
        optimiser.step()
    assert all(torch.equal(*pair) for pair in zip(one.parameters(), other.parameters(), strict=True))


def test_a_step_by_the_table_does_not_synchronise_and_resumes():
    rates, model = rates_of(ONE_CYCLE, 0.03, STEPS), network()
    optimiser = ScheduledOptimiser(ADAMW, model.parameters(), rates, 0.1, captured=True)
    gradients(model, 0)
    with no_synchronisation():
        optimiser.step()
    twin = copy.deepcopy(model)
    resumed = ScheduledOptimiser(ADAMW, twin.parameters(), rates, 0.1, captured=True)
    resumed.inner.load_state_dict(copy.deepcopy(optimiser.inner.state_dict()))
    resumed.go_to(1)
    for each, its in ((optimiser, model), (resumed, twin)):
        gradients(its, 1)
        each.step()
    assert isinstance(resumed.inner, TabulatedAdamW) and int(resumed.inner.place) == 2
    assert all(torch.equal(*pair) for pair in zip(model.parameters(), twin.parameters(), strict=True))


def test_a_parameter_without_gradient_is_left():
    model = network()
    optimiser = ScheduledOptimiser(ADAMW, model.parameters(), rates_of(ONE_CYCLE, 0.03, STEPS), 0.1, captured=True)
    gradients(model, 0)
    model[2].bias.grad = None
    before = [each.detach().clone() for each in model.parameters()]
    optimiser.step()
    changed = [not torch.equal(*pair) for pair in zip(model.parameters(), before, strict=True)]
    assert changed == [True, True, True, False]


def test_what_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="no optimiser"):
        ScheduledOptimiser("sgd", network().parameters(), rates_of(CONSTANT, 0.1, 3), 0.0, captured=False)
    with pytest.raises(ValueError, match="no schedule"):
        rates_of("cosine", 0.1, 3)
    with pytest.raises(ValueError, match="needs the schedule constant"):
        ScheduledOptimiser(NADAM, network().parameters(), rates_of(ONE_CYCLE, 0.1, 9), 0.0, captured=False)
