"""Fit a `CompositionKernel`: ridge regression over known compositions."""

from __future__ import annotations

import numpy as np
import torch
from scipy.linalg import cho_factor, cho_solve, get_lapack_funcs

from core.predictors.layers.composition_kernel import (
    ROWS,
    CompositionKernel,
    ElementTables,
    KernelShape,
    composition_features,
    with_squares,
)


def fit(
    compositions: np.ndarray, values: np.ndarray, ridge: np.ndarray | float, shape: KernelShape
) -> CompositionKernel:
    """Ridge regression in float64: a = (K + ridge)^-1 y. Far from the compositions it decays to 0.

    compositions (n, 118), values (n,) in the property's unit; ridge (n,) or one number, relative to the diagonal of K,
    which is nearly 1. Time grows as n^3, memory as n^2: 10,000 compositions take a minute and 1 GB.
    """
    matrix = _matrix(compositions, ridge, shape)
    weights = cho_solve(cho_factor(matrix, lower=True, overwrite_a=True, check_finite=False), values)
    return CompositionKernel(shape, torch.from_numpy(compositions), torch.from_numpy(weights)).eval()


def errors_left_out(compositions: np.ndarray, values: np.ndarray, ridge: float, shape: KernelShape) -> np.ndarray:
    """Leave-one-out residuals (n,), measured minus predicted by the others: a_i / ((K + ridge)^-1)_ii.

    Rasmussen and Williams 2006, eq. 5.12. Arguments and cost as in `fit`.
    """
    matrix = _matrix(compositions, ridge, shape).T
    factorize, solve, invert = get_lapack_funcs(("potrf", "potrs", "potri"), (matrix,))
    factor, _ = factorize(matrix, lower=0, overwrite_a=1)
    weights, _ = solve(factor, values, lower=0)
    inverse, _ = invert(factor, lower=0, overwrite_c=1)
    return weights / np.diag(inverse)


def nearest_other(points: torch.Tensor, n_known: int, shape: KernelShape) -> np.ndarray:
    """D (n,) of each point (n, f) to the nearest of the first n_known points, except to itself."""
    nearest, known = [], with_squares(points[:n_known])
    for start in range(0, len(points), ROWS):
        distance = shape.distance_to(points[start : start + ROWS], known)
        itself = torch.arange(start, max(start, min(start + len(distance), n_known)))
        distance[itself - start, itself] = torch.inf
        nearest.append(distance.amin(1))
    return torch.cat(nearest).numpy()


def features_of(compositions: np.ndarray) -> torch.Tensor:
    """Compositions (n, 118) -> their `composition_features` (n, f) in float64."""
    return composition_features(torch.from_numpy(compositions), ElementTables.standard())


def _matrix(compositions: np.ndarray, ridge: np.ndarray | float, shape: KernelShape) -> np.ndarray:
    """K + ridge, (n, n)."""
    points = shape.coordinates(features_of(compositions))
    known = with_squares(points)
    matrix = np.empty((len(compositions), len(compositions)))
    for start in range(0, len(compositions), ROWS):
        matrix[start : start + ROWS] = shape.near(shape.distance_to(points[start : start + ROWS], known)).numpy()
    matrix[np.diag_indices(len(matrix))] += ridge
    return matrix
