"""The Gaussian process on the residual, against its closed forms."""

from __future__ import annotations

import pytest
import torch

from core.chemistry.composition import compositions
from core.predictors.residual_process import ResidualProcess

FORMULAS = ("LaFeAsO", "LaFeAsO0.9F0.1", "MgB2", "Nb3Sn")
X = torch.from_numpy(compositions(FORMULAS))


def process(rows: list[int], residuals: list[float], std: float = 8.0, noise: float = 1.0) -> ResidualProcess:
    return ResidualProcess(X[rows], torch.tensor(residuals), torch.full((len(rows),), std), noise)


def test_one_measurement_shrinks_towards_it_by_the_ratio_of_the_variances():
    """mean = s^2 / (s^2 + n^2) r, variance = s^2 n^2 / (s^2 + n^2)."""
    mean, std = process([2], [10.0]).correction(X[[2]], torch.tensor([8.0]))
    assert mean.item() == pytest.approx(10 * 64 / 65) and std.item() == pytest.approx((64 / 65) ** 0.5)


def test_the_correction_falls_with_the_distance_and_the_error_grows_with_it():
    mean, std = process([0], [10.0]).correction(X, torch.full((4,), 8.0))
    assert mean[0] > mean[1] > mean[2] > 0 and std[0] < std[1] < std[2] <= 8.0
    assert mean[3] < 1.0


def test_two_equal_measurements_count_as_one_of_half_the_variance():
    one = process([2], [10.0], noise=2**-0.5).correction(X, torch.full((4,), 8.0))
    two = process([2, 2], [10.0, 10.0], noise=1.0).correction(X, torch.full((4,), 8.0))
    assert torch.allclose(one[0], two[0]) and torch.allclose(one[1], two[1])


def test_where_the_model_expects_no_error_nothing_is_corrected():
    mean, std = process([0], [10.0]).correction(X[[0]], torch.tensor([1e-9]))
    assert mean.item() == pytest.approx(0, abs=1e-7) and std.item() <= 1e-9


def test_without_measurements_the_error_is_that_of_the_model():
    empty = ResidualProcess(X[:0], torch.zeros(0), torch.zeros(0), 1.0)
    mean, std = empty.correction(X, torch.full((4,), 8.0))
    assert not mean.any() and (std == 8).all()


@pytest.mark.parametrize(("std", "noise"), [(0.0, 1.0), (8.0, 0.0), (float("nan"), 1.0)])
def test_a_standard_deviation_must_be_positive(std, noise):
    with pytest.raises(ValueError, match="above 0"):
        process([0], [1.0], std, noise)
