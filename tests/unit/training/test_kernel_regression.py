"""Kernel regression: leave-one-out errors and nearest neighbours against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.chemistry import composition
from core.predictors.layers.composition_kernel import KernelShape
from core.training.kernel_regression import errors_left_out, features_of, fit, nearest_other

KNOWN = {"YBa2Cu3O7": 92.0, "La1.85Sr0.15CuO4": 37.0, "MgB2": 39.0, "Nb3Sn": 18.0, "FeSe": 9.0}


def test_leave_one_out_errors_are_those_of_a_fit_without_the_row():
    x, tc_K = composition.compositions(KNOWN), np.array(list(KNOWN.values()))
    errors = errors_left_out(x, tc_K, 0.05, KernelShape())
    for i, error in enumerate(errors):
        others = np.arange(len(x)) != i
        predicted, _ = fit(x[others], tc_K[others], 0.05, KernelShape())(torch.from_numpy(x[[i]]))
        assert error == pytest.approx(tc_K[i] - float(predicted), abs=1e-4)


def test_the_nearest_other_point_is_not_the_point_itself():
    shape, formulas = KernelShape(), ["YBa2Cu3O7", "MgB2", "FeSe", "MgB2", "CaB2"]
    points = shape.coordinates(features_of(composition.compositions(formulas)))
    nearest = nearest_other(points, 3, shape)
    distances = shape.distance(points, points).numpy()
    np.fill_diagonal(distances[:3, :3], np.inf)
    assert nearest == pytest.approx(distances[:, :3].min(1))
    assert nearest[3] == pytest.approx(shape.soft)
