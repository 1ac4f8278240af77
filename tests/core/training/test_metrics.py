"""Figures of merit by hand."""

import math

import numpy as np
import pytest

from core.training.metrics import mean_absolute_error, median_absolute_error, precision_recall, r_squared

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


def test_nothing_claimed_has_no_precision():
    precision, recall = precision_recall(np.zeros(3), np.array([9.0, 0, 0]), 1.0)
    assert math.isnan(precision) and recall == 0.0
