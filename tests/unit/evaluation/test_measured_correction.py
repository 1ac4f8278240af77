"""Predictions corrected by measurements."""

from __future__ import annotations

import pytest
import torch

from core.evaluation.measured_correction import LEAST_STD_K, NOISE_K, corrected
from core.predictors.interface import Estimate, Predictor


class Constant(Predictor):
    """20 K everywhere, with an expected absolute error of 5 / sqrt(2) K, that is a standard deviation of 5 K."""

    def __call__(self, composition: torch.Tensor) -> torch.Tensor:
        return torch.full_like(composition[:, 0], 20.0)

    def estimate(self, composition: torch.Tensor) -> Estimate:
        return Estimate(self(composition), torch.full_like(composition[:, 0], 5 / 2**0.5))


class WithoutError(Constant):
    def estimate(self, composition: torch.Tensor) -> Estimate:
        return Estimate(self(composition), torch.zeros_like(composition[:, 0]))


def test_a_measurement_corrects_its_own_formula_and_its_neighbours_most():
    table = corrected(Constant(), {"LaFeAsO": 30.0}, ["LaFeAsO", "LaFeAsO0.9F0.1", "MgB2"]).set_index("formula")
    change = table["corrected_tc_K"] - table["tc_K"]
    assert change["LaFeAsO"] == pytest.approx(10 * 25 / (25 + NOISE_K**2), rel=1e-5)
    assert change["LaFeAsO"] > change["LaFeAsO0.9F0.1"] > change["MgB2"] >= 0
    assert table.loc["LaFeAsO", "corrected_tc_std_K"] < 1.0 < table.loc["MgB2", "corrected_tc_std_K"] <= 5.0


def test_without_measurements_nothing_changes():
    table = corrected(Constant(), {}, ["MgB2"])
    assert table["corrected_tc_K"].equals(table["tc_K"]) and table["tc_std_K"][0] == pytest.approx(5)


def test_a_corrected_tc_is_never_negative_and_the_model_always_gives_way():
    table = corrected(WithoutError(), {"MgB2": 0.0}, ["MgB2"])
    assert table["tc_std_K"][0] == LEAST_STD_K and 0 <= table["corrected_tc_K"][0] < 20
    assert corrected(Constant(), {"MgB2": 0.0, "Mg2B4": 0.0}, ["MgB2"])["corrected_tc_K"][0] >= 0
