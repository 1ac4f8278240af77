"""Fitting what the ensemble of Tc says about its own reliability."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.predictors.tc.ensemble import ErrorScale, Gate
from core.training.metrics import inside_intervals
from core.training.tc_reliability import (
    HeldOut,
    best_constant_error_K,
    fit_error_scale,
    fit_probability,
    fit_reliability,
    interval_figures,
    intervals,
    probabilities,
    probability_figures,
)

GATE = Gate()
SCALE = ErrorScale(floor_K=0.5, relative=0.1, near=0.2, near_distance=0.2, gated=0.5, spread=0.4, sure_s=-6.0)


@pytest.fixture(scope="module")
def held_out() -> HeldOut:
    """Predictions whose errors are drawn from SCALE."""
    random = np.random.default_rng(0)
    n = 30_000
    drawn = random.exponential(20, n), random.exponential(3, n), random.normal(0, 4, n), random.exponential(0.3, n)
    found = HeldOut(*drawn, measured=np.zeros(n))
    tc = found.tc_K(GATE)
    return HeldOut(*drawn, measured=tc + random.laplace(scale=found.error_K(GATE, SCALE)))


def test_the_scale_is_recovered_from_errors_drawn_from_it(held_out):
    fitted = fit_error_scale(held_out, GATE, SCALE.sure_s, with_spread=True)
    right = held_out.error_K(GATE, SCALE)
    assert held_out.error_K(GATE, fitted) == pytest.approx(right, rel=0.1)
    shares = inside_intervals(held_out.tc_K(GATE) - held_out.measured, held_out.error_K(GATE, fitted))
    assert {name: round(share, 1) for name, share in shares.items()} == {f"{p}%": p / 100 for p in range(10, 100, 10)}


def test_the_scale_of_a_part_alone_is_calibrated_without_the_spread(held_out):
    fitted = fit_error_scale(held_out, GATE, SCALE.sure_s, with_spread=False)
    assert fitted.spread == 0.0
    shares = inside_intervals(held_out.tc_K(GATE) - held_out.measured, held_out.error_K(GATE, fitted))
    assert shares["90%"] == pytest.approx(0.9, abs=0.02)


def test_tc_is_that_of_the_gate():
    one = HeldOut(*(np.array([value]) for value in (20.0, 1.0, -2.0, 0.3, 5.0)))
    share = float(GATE(torch.tensor([-2.0], dtype=torch.float64), torch.tensor([20.0], dtype=torch.float64)))
    assert one.tc_K(GATE) == pytest.approx([20 * share])


def test_the_probability_is_recovered():
    random = np.random.default_rng(1)
    s = random.normal(0, 3, 40_000)
    real = random.random(len(s)) < 1 / (1 + np.exp(-(0.7 + 0.5 * s)))
    fitted = fit_probability(s[real], s[~real])
    assert (fitted.offset, fitted.slope) == (pytest.approx(0.7, abs=0.05), pytest.approx(0.5, abs=0.03))
    assert probabilities(np.array([0.0]), fitted) == pytest.approx([1 / (1 + np.exp(-0.7))], abs=0.02)


def test_what_is_certain_follows_from_the_probability(held_out):
    found = fit_reliability(held_out[:2000], held_out.log_odds[:2000] - 8, held_out[2000:2500], GATE)
    sure = probabilities(np.array([found.error.sure_s]), found.probability)
    assert sure == pytest.approx([0.01]) and found.error_of_part.spread == 0.0
    assert found.familiar_distance == pytest.approx(np.quantile(held_out.distance[:2000], 0.95))


def test_intervals_by_hand():
    b = 1 / np.log(10)  # half of the 90% interval is 1 K
    low, high = intervals(np.array([0.5, 5.0]), np.full(2, b))
    assert low == pytest.approx([0, 4]) and high == pytest.approx([1.5, 6])
    held_out = HeldOut(*np.ones((2, 2)), np.zeros(2), np.array([0.05, 0.3]), np.array([1.0, 6.5]))
    found = interval_figures(held_out, np.array([0.5, 5.0]), np.full(2, b))
    assert found["all"] == pytest.approx(
        {"n": 2, "share_inside": 0.5, "mean_width_K": 1.75, "interval_score_K": 1.75 + 20 * 0.5 / 2}
    )
    assert found["predicted below 1 K"]["n"] == 1 and found["distance 0.2–0.4"]["share_inside"] == 0.0


def test_the_best_constant_width_is_that_of_the_errors():
    random = np.random.default_rng(2)
    tc = np.full(20_000, 200.0)
    held_out = HeldOut(tc, tc, tc, tc, tc + random.laplace(scale=5.0, size=len(tc)))
    assert best_constant_error_K(held_out, tc, [1.0, 3.0, 5.0, 7.0, 15.0]) == 5.0


def test_probabilities_are_compared_with_what_is():
    found = probability_figures(np.array([0.95, 0.95]), np.array([0.95, 0.005]))
    assert found["log_loss"] == pytest.approx(-(2 * np.log(0.95) + np.log(0.05) + np.log(0.995)) / 4)
    assert found["by_probability"]["above 0.9"]["share_superconducting"] == pytest.approx(2 / 3)
    assert found["by_probability"]["0–0.01"] == pytest.approx(
        {"n": 1, "mean_probability": 0.005, "share_superconducting": 0.0}
    )
