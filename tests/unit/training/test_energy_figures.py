"""Held-out figures of formation energies, counted by hand."""

import numpy as np
import pytest

from core.predictors.interface import Estimates
from core.training import energy_figures

LABEL = np.array([-1.5, -0.5, -0.2, 0.02, 0.1, 0.2, 0.4, 0.5])
PREDICTED = np.array([-1.4, -0.6, 0.1, -0.1, -0.1, 0.25, 0.2, 0.6])


def test_signs_are_counted_where_the_label_is_clear():
    assert energy_figures.sign_errors(PREDICTED, LABEL) == {
        "above_+0.05_called_negative": pytest.approx(1 / 4),
        "below_-0.05_called_positive": pytest.approx(1 / 3),
    }


def test_signed_errors_are_those_of_ranges_of_the_prediction():
    found = energy_figures.signed_errors(PREDICTED, LABEL)
    assert {name: each["n"] for name, each in found.items()} == {
        "predicted below -1": 1,
        "predicted -1 to -0.3": 1,
        "predicted -0.3 to 0": 2,
        "predicted 0 to 0.3": 3,
        "predicted above 0.3": 1,
        "label above 0.3": 2,
    }
    mean = {name: each["mean_signed_error_eV_per_atom"] for name, each in found.items()}
    assert mean["predicted -0.3 to 0"] == pytest.approx((-0.12 - 0.2) / 2)
    assert mean["predicted 0 to 0.3"] == pytest.approx((0.3 + 0.05 - 0.2) / 3)
    assert mean["label above 0.3"] == pytest.approx((-0.2 + 0.1) / 2)


def test_a_range_without_a_compound_is_left_out():
    assert list(energy_figures.signed_errors(np.array([0.1]), np.array([0.1]))) == ["predicted 0 to 0.3"]


def estimates(value: np.ndarray, std: float = np.nan) -> Estimates:
    none = np.full(len(value), np.nan)
    return Estimates(value, np.full(len(value), std), none, none, none)


def test_errors_of_exact_predictions_are_zero():
    found = energy_figures.search_figures({"a": (estimates(LABEL), LABEL), "b": (estimates(PREDICTED), LABEL)})
    exact = found["by_held_out_part"]["a"]
    assert exact.pop("formation_energy_r2") == 1 and exact.pop("n") == 8
    assert set(exact.values()) == {0.0} and all(value > 0 for value in found["by_held_out_part"]["b"].values())
    assert found["signed_error_of_b"] == energy_figures.signed_errors(PREDICTED, LABEL)


def test_intervals_are_those_of_the_expected_error():
    expected = 0.15  # eV/atom; the 50% interval ends at 0.104, the 90% interval at 0.345
    found = energy_figures.search_figures({"a": (estimates(PREDICTED, 2**0.5 * expected), LABEL)})
    inside = found["by_held_out_part"]["a"]["inside_intervals"]
    assert inside["50%"] == 4 / 8 and inside["90%"] == 1.0


def test_the_scale_of_errors_follows_the_spread():
    random = np.random.default_rng(0)
    spread = random.uniform(0.01, 0.2, 20_000)
    error = random.laplace(0, 0.01 + 1.5 * spread)
    scale = energy_figures.spread_scale(error, spread)
    assert (scale.floor, scale.slope) == (pytest.approx(0.01, abs=0.003), pytest.approx(1.5, abs=0.1))
