"""Fitting the ensemble of Tc: the scale of its errors."""

from __future__ import annotations

import numpy as np
import pytest

from core.predictors.tc.ensemble import ErrorScale
from core.training.metrics import inside_intervals
from core.training.tc_ensemble import fit_error_scale

SCALE = ErrorScale(floor_K=1.0, relative=0.1, near=0.2, near_distance=0.05, far=0.5)


def test_the_scale_is_recovered_from_errors_drawn_from_it():
    random = np.random.default_rng(0)
    tc, distance = random.uniform(0, 100, 50_000), random.exponential(0.2, 50_000)
    measured = tc + random.laplace(scale=SCALE(tc, distance))
    fitted = fit_error_scale(tc, distance, measured)
    at = np.array([0.0, 0.02, 0.1, 0.4])
    assert fitted(60.0, at) == pytest.approx(SCALE(60.0, at), rel=0.05)
    figures = inside_intervals(tc - measured, fitted(tc, distance))
    assert {name: round(share, 1) for name, share in figures.items()} == {f"{p}%": p / 100 for p in range(10, 100, 10)}
