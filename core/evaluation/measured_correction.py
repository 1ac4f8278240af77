"""Predictions of Tc corrected by a user's own measurements, beside those of the model alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import torch

from core.chemistry import elements
from core.chemistry.composition import composition_vector
from core.chemistry.formula_reader import parse_formula
from core.predictors.interface import Predictor, estimate_in_batches
from core.predictors.residual_process import ResidualProcess

NOISE_K = 1.0  # standard deviation of a measured Tc: samples, criteria and thermometers differ by about this much
LEAST_STD_K = 1.0  # of the model, where it expects less: a measurement must be able to correct it
WITHOUT_ESTIMATE_K = 10.0  # of a model that estimates no error


def corrected(predictor: Predictor, measured_tc_K: Mapping[str, float], formulas: Sequence[str]) -> pd.DataFrame:
    """One row per formula: formula, tc_K, tc_std_K of the model, corrected_tc_K (never negative), corrected_tc_std_K.

    measured_tc_K : formula -> Tc in K

    Raises InputError for a formula that cannot be read.
    """
    own, known = _compositions(list(measured_tc_K)), list(measured_tc_K.values())
    there, own_std = _estimates(predictor, own)
    residuals = torch.from_numpy(np.asarray(known, dtype=np.float64) - there)
    process = ResidualProcess(own, residuals, torch.from_numpy(own_std), NOISE_K)
    x = _compositions(formulas)
    tc_K, std = _estimates(predictor, x)
    mean, after = process.correction(x, torch.from_numpy(std))
    return pd.DataFrame({
        "formula": list(formulas), "tc_K": tc_K, "tc_std_K": std,
        "corrected_tc_K": np.maximum(tc_K + mean.numpy(), 0), "corrected_tc_std_K": after.numpy(),
    })  # fmt: skip


def _compositions(formulas: Sequence[str]) -> torch.Tensor:
    rows = [composition_vector(parse_formula(formula)) for formula in formulas]
    return torch.from_numpy(np.stack(rows) if rows else np.zeros((0, elements.N_ELEMENTS)))


def _estimates(predictor: Predictor, x: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Tc and its standard deviation (n,) in K by the model."""
    estimates = estimate_in_batches(predictor, x.float())
    std = np.nan_to_num(estimates.std, nan=WITHOUT_ESTIMATE_K)
    return estimates.value, np.maximum(std, LEAST_STD_K)
