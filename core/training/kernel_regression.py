"""Fit a `CompositionKernel`: ridge regression over known compositions."""

from __future__ import annotations

import numpy as np
import torch
from scipy.linalg import cho_factor, cho_solve

from core.predictors.composition_kernel import (
    ROWS,
    CompositionKernel,
    ElementNumbers,
    KernelShape,
    features,
    with_squares,
)


def fit(
    compositions: np.ndarray, values: np.ndarray, ridge: np.ndarray | float, shape: KernelShape
) -> CompositionKernel:
    """Ridge regression in float64: a = (K + ridge)^-1 y; away from the compositions it says 0.

    compositions (n, 118), values (n,) in the property's unit; ridge (n,) or one number: k of a composition with itself
    is nearly 1. Time grows as n^3, memory as n^2: 10,000 compositions take a minute and 1 GB.
    """
    points = torch.from_numpy(compositions)
    places = shape.coordinates(features(points, ElementNumbers.standard()))
    known = with_squares(places)
    matrix = np.empty((len(compositions), len(compositions)))
    for start in range(0, len(compositions), ROWS):
        matrix[start : start + ROWS] = shape.near(shape.distance_to(places[start : start + ROWS], known)).numpy()
    matrix[np.diag_indices(len(matrix))] += ridge
    weights = cho_solve(cho_factor(matrix, lower=True, overwrite_a=True, check_finite=False), values)
    return CompositionKernel(shape, points, torch.from_numpy(weights)).eval()
