"""Figures of merit, as pure functions of predictions and truth."""

from __future__ import annotations

import numpy as np


def mean_absolute_error(predicted: np.ndarray, true: np.ndarray) -> float:
    """Mean of |predicted - true|, in the unit of the inputs."""
    return float(np.mean(np.abs(predicted - true)))


def median_absolute_error(predicted: np.ndarray, true: np.ndarray) -> float:
    """Median of |predicted - true|, in the unit of the inputs."""
    return float(np.median(np.abs(predicted - true)))


def r_squared(predicted: np.ndarray, true: np.ndarray) -> float:
    """1 - (residual sum of squares) / (total sum of squares)."""
    return float(1 - np.sum((predicted - true) ** 2) / np.sum((true - np.mean(true)) ** 2))


def precision_recall(predicted: np.ndarray, true: np.ndarray, threshold: float) -> tuple[float, float]:
    """Precision tp/(tp+fp) and recall tp/(tp+fn) of "value > threshold". NaN where nothing is counted."""
    claimed, real = predicted > threshold, true > threshold
    hits = float(np.sum(claimed & real))
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(np.float64(hits) / claimed.sum()), float(np.float64(hits) / real.sum())
