"""Figures of merit, as pure functions of predictions and truth."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

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


def precision_at_recall(predicted: np.ndarray, real: np.ndarray, recall: float) -> float:
    """Precision where the threshold on `predicted` is as high as finds this share of what is `real` (n,) bool.

    NaN where nothing is real.
    """
    if not real.any():
        return float("nan")
    threshold = np.sort(predicted[real])[::-1][int(np.ceil(recall * real.sum())) - 1]
    claimed = predicted >= threshold
    return float(np.sum(claimed & real) / claimed.sum())


def in_ranges(values: np.ndarray, edges: Sequence[float], unit: str = "") -> tuple[np.ndarray, list[str]]:
    """The name of the range that each value (n,) is in, and all names in order: "0-10 K", ..., "above 77 K".

    `edges` rise from the least value that is allowed; an edge belongs to the range below it, the least to the first.
    """
    ending = f" {unit}" if unit else ""
    names = [f"{low:g}–{high:g}{ending}" for low, high in pairwise(edges)] + [f"above {edges[-1]:g}{ending}"]
    return np.array(names)[np.searchsorted(edges[1:], values, side="left")], names
