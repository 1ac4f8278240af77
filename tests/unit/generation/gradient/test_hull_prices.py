"""The energy above hull in the loss of the gradient method: its gradient, the refreshed prices, and a known optimum."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.chemistry import elements
from core.generation.gradient import optimiser
from core.generation.gradient.generator import optimise
from core.generation.gradient.hull_prices import REFRESH_STEPS, refreshed
from core.generation.gradient.optimiser import stage
from core.screening.convex_hull import Hull
from tests.unit.generation.gradient.test_optimiser import Zero, guesses, task

N, LI, N_, MN, ZN = elements.N_ELEMENTS, 3, 7, 25, 30  # columns of the toy's guesses


def mixed(**fractions: float) -> np.ndarray:
    x = np.zeros(N)
    for name, fraction in fractions.items():
        x[{"a": LI, "b": N_, "c": MN, "d": ZN}[name]] = fraction
    return x


PHASES = np.stack([mixed(a=0.5, b=0.5), mixed(b=0.5, c=0.5), mixed(a=0.25, b=0.5, c=0.25), mixed(c=0.5, d=0.5)])
HULL = Hull(PHASES, np.array([-1.0, -0.8, -1.2, -0.3]), ["AB", "BC", "AB2C", "CD"])


def with_hull(hull=HULL, **settings):
    return replace(task(**({"formation_energy_weight": 50.0} | settings)), hull=hull)


def loss(posed, x_base: torch.Tensor) -> float:
    """L_1 of one candidate with the exact hull, in float64 where the hull is concerned."""
    composition = posed.constraints.compose(x_base, torch.ones_like(x_base, dtype=torch.bool))
    first, _, _ = optimiser.first_loss(posed.settings, composition, posed.tc, posed.formation_energy)
    x = composition[0].double().numpy()
    return float(first) - posed.settings.formation_energy_weight * float(HULL.mixtures((x / x.sum())[None])[0])


@pytest.mark.parametrize("candidate", range(4))
def test_the_gradient_of_the_loss_agrees_with_finite_differences(candidate):
    posed = with_hull(candidates=1)
    x_base = guesses(candidate, 0)[None]
    mask = torch.ones_like(x_base, dtype=torch.bool)
    composition = posed.constraints.compose(x_base, mask)
    prices = refreshed(HULL, composition, torch.zeros(1, N), torch.tensor([True]))
    gradient, evaluation = optimiser.loss_gradient(
        posed, x_base.clone(), mask, (posed.tc, posed.formation_energy), 0.0, lambda x: x, prices
    )
    assert float(evaluation.loss) == pytest.approx(loss(posed, x_base), rel=1e-5)
    step = 1e-3
    for column in (LI, N_, MN, ZN):
        move = torch.zeros_like(x_base)
        move[0, column] = step
        slope = (loss(posed, x_base + move) - loss(posed, x_base - move)) / (2 * step)
        assert float(gradient[0, column]) == pytest.approx(slope, rel=2e-2, abs=0.5), column


def test_the_prices_give_the_energy_and_only_those_of_the_elements_present():
    x = np.stack([mixed(a=0.3, b=0.5, c=0.2), mixed(c=0.7, d=0.3)])
    energies, prices = HULL.with_prices(x)
    assert energies == pytest.approx(HULL.mixtures(x)) and energies == pytest.approx((x * prices).sum(1))
    assert (prices[x == 0] == 0).all()
    assert prices[0][x[0] > 0] == pytest.approx(HULL.mixture(x[0])[1][x[0] > 0])


def test_an_objective_of_the_hull_alone_climbs_towards_it():
    """With Ef = 0 everywhere, Ef - E_hull is least where the hull is highest: at an element, with E_hull = 0."""
    posed = replace(with_hull(formation_energy_weight=500.0), tc=Zero())
    state, _ = optimise(posed)
    composition = posed.constraints.compose(state.x_base, state.max_mask).double().numpy()
    start = np.stack([guesses(k, 0).double().numpy() for k in range(6)])
    start = HULL.mixtures(start / start.sum(1, keepdims=True))
    assert (HULL.mixtures(composition / composition.sum(1, keepdims=True)) > start + 0.1).all()


class Counted:
    def __init__(self):
        self.rows = []

    def with_prices(self, compositions):
        self.rows.append(len(compositions))
        return HULL.with_prices(compositions)


def test_prices_are_refreshed_every_few_steps_and_at_the_begin_of_stage_2():
    hull = Counted()
    posed = with_hull(hull, steps=(REFRESH_STEPS + 2, 4))
    optimise(posed)
    starts = [k for k in range(REFRESH_STEPS + 6) if k % REFRESH_STEPS == 0 or k == REFRESH_STEPS + 2]
    # The candidates are new in the first step only, and have the age 0 then.
    assert hull.rows == [6] * len(starts) and stage(posed.settings, REFRESH_STEPS + 2) == 2


@pytest.mark.parametrize("at", [3, REFRESH_STEPS + 1])
def test_resuming_gives_the_same_bits(at):
    posed = with_hull(steps=(10, 10))
    whole, _ = optimise(posed)
    part, _ = optimise(posed, on_step=lambda state, report: int(state.step) < at)
    again, _ = optimise(posed, part)
    assert torch.equal(whole.x_base, again.x_base) and torch.equal(whole.prices, again.prices)


def test_without_a_hull_there_are_no_prices():
    state, _ = optimise(task(steps=(2, 2)))
    assert state.prices.numel() == 0
