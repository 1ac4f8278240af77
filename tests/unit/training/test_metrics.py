"""Figures of merit by hand."""

import math

import numpy as np
import pytest

from core.training.metrics import (
    fit_scale,
    in_ranges,
    inside_intervals,
    interval_score,
    mean_absolute_error,
    median_absolute_error,
    precision_at_recall,
    precision_recall,
    r_squared,
)

PREDICTED, TRUE = np.array([1.0, 2.0, 6.0]), np.array([1.0, 4.0, 4.0])


def test_errors_by_hand():
    assert mean_absolute_error(PREDICTED, TRUE) == pytest.approx(4 / 3)
    assert median_absolute_error(PREDICTED, TRUE) == 2.0
    assert r_squared(PREDICTED, TRUE) == pytest.approx(1 - 8 / 6)
    assert r_squared(TRUE, TRUE) == 1.0


def test_precision_and_recall_by_a_counted_table():
    predicted = np.array([5, 5, 5, 0, 0, 1.0])  # 1.0 is not above 1
    true = np.array([9, 9, 0, 9, 0, 9.0])
    precision, recall = precision_recall(predicted, true, 1.0)
    assert precision == pytest.approx(2 / 3) and recall == pytest.approx(2 / 4)


def test_precision_without_positive_predictions_is_nan():
    precision, recall = precision_recall(np.zeros(3), np.array([9.0, 0, 0]), 1.0)
    assert math.isnan(precision) and recall == 0.0


def test_precision_at_recall_by_a_counted_list():
    predicted = np.array([9, 8, 7, 6, 5, 4.0])
    real = np.array([True, False, True, True, False, True])
    assert precision_at_recall(predicted, real, 0.5) == pytest.approx(2 / 3)  # down to 7
    assert precision_at_recall(predicted, real, 0.51) == pytest.approx(3 / 4)  # down to 6
    assert precision_at_recall(predicted, real, 1.0) == pytest.approx(4 / 6)
    assert math.isnan(precision_at_recall(predicted, np.zeros(6, dtype=bool), 0.9))


def test_each_value_is_in_one_range_and_an_edge_in_the_range_below():
    ranges, names = in_ranges(np.array([0, 10, 10.1, 77, 164.0]), (0, 10, 77), "K")
    assert names == ["0–10 K", "10–77 K", "above 77 K"]
    assert ranges.tolist() == ["0–10 K", "0–10 K", "10–77 K", "10–77 K", "above 77 K"]


def test_intervals_by_hand():
    error = np.array([0.05, -0.6, 0.7, 2.0, 2.4]) * 3  # ln 2 = 0.69, ln 10 = 2.30
    found = inside_intervals(error, np.full(5, 3.0))
    assert [found[promised] for promised in ("10%", "50%", "90%")] == pytest.approx([0.2, 0.4, 0.8])


def test_the_interval_score_by_hand():
    low, high, true = np.array([0.0, 0.0, 1.0]), np.array([2.0, 2.0, 2.0]), np.array([1.0, 2.5, 0.8])
    assert interval_score(low, high, true, 0.9) == pytest.approx((2 + (2 + 20 * 0.5) + (1 + 20 * 0.2)) / 3)


def test_a_scale_is_recovered_from_errors_drawn_with_it():
    random = np.random.default_rng(0)
    spread = random.exponential(size=100_000)
    floor, slope = fit_scale(random.laplace(scale=0.2 + 0.5 * spread), lambda p: p[0] + p[1] * spread, [1.0, 1.0])
    assert (floor, slope) == (pytest.approx(0.2, rel=0.05), pytest.approx(0.5, rel=0.05))
