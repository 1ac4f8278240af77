"""Figures of merit, as pure functions of predicted and measured values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from scipy.optimize import minimize


def mean_absolute_error(predicted: np.ndarray, true: np.ndarray) -> float:
    """Mean of |predicted - true|, in the unit of the inputs."""
    return float(np.mean(np.abs(predicted - true)))


def median_absolute_error(predicted: np.ndarray, true: np.ndarray) -> float:
    """Median of |predicted - true|, in the unit of the inputs."""
    return float(np.median(np.abs(predicted - true)))


def r_squared(predicted: np.ndarray, true: np.ndarray) -> float:
    """1 - (residual sum of squares) / (total sum of squares)."""
    return float(1 - np.sum((predicted - true) ** 2) / np.sum((true - np.mean(true)) ** 2))


def inside_intervals(error: np.ndarray, scale: np.ndarray) -> dict[str, float]:
    """Fractions of errors (n,) inside the intervals of Laplace's distribution with scale b (n,), "10%" to "90%".

    If the scale is calibrated, a fraction p of the errors is below -ln(1 - p) b.
    """
    share = np.abs(error) / scale
    return {f"{p}%": float((share < -np.log(1 - p / 100)).mean()) for p in range(10, 100, 10)}


def fit_scale(error: np.ndarray, scale: Callable[[np.ndarray], np.ndarray], start: Sequence[float]) -> np.ndarray:
    """Positive parameters (k,) of a scale of Laplace's distribution for errors (n,), by maximum likelihood.

    scale : parameters (k,) -> b (n,), above zero; start : initial parameters, above zero
    """

    def cost(logarithms: np.ndarray) -> float:
        b = scale(np.exp(logarithms))
        return float(np.mean(np.log(b) + np.abs(error) / b))

    return np.exp(minimize(cost, np.log(start), method="Nelder-Mead", options={"maxiter": 5000}).x)


def interval_score(low: np.ndarray, high: np.ndarray, true: np.ndarray, nominal: float) -> float:
    """Mean interval score of intervals with the ends `low` and `high` (n,) and the nominal coverage (Gneiting, Raftery
    2007, doi:10.1198/016214506000001437): width + 2 / (1 - nominal) * distance of the true value to the interval.

    In the unit of the inputs; lower is better.
    """
    outside = np.maximum(low - true, 0) + np.maximum(true - high, 0)
    return float(np.mean(high - low + 2 / (1 - nominal) * outside))


def precision_recall(predicted: np.ndarray, true: np.ndarray, threshold: float) -> tuple[float, float]:
    """Precision tp/(tp+fp) and recall tp/(tp+fn) of "value > threshold"; NaN where the denominator is 0."""
    positive, real = predicted > threshold, true > threshold
    hits = float(np.sum(positive & real))
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(np.float64(hits) / positive.sum()), float(np.float64(hits) / real.sum())


def precision_at_recall(predicted: np.ndarray, real: np.ndarray, recall: float) -> float:
    """Precision at the highest threshold on `predicted` with this recall of `real` (n,) bool; NaN if none is real."""
    if not real.any():
        return float("nan")
    threshold = np.sort(predicted[real])[::-1][int(np.ceil(recall * real.sum())) - 1]
    positive = predicted >= threshold
    return float(np.sum(positive & real) / positive.sum())


def in_ranges(values: np.ndarray, edges: Sequence[float], unit: str = "") -> tuple[np.ndarray, list[str]]:
    """Name of the range of each value (n,), and all names in order: "0–10 K", ..., "above 77 K".

    `edges` increase from the smallest possible value. An edge belongs to the range below it, the
    smallest edge to the first range.
    """
    ending = f" {unit}" if unit else ""
    names = [f"{low:g}–{high:g}{ending}" for low, high in pairwise(edges)] + [f"above {edges[-1]:g}{ending}"]
    return np.array(names)[np.searchsorted(edges[1:], values, side="left")], names
