"""Predictions for compositions, as columns of the candidate table."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch

from core.predictors.interface import Predictor, estimate_in_batches

PREDICTED = ("tc_K", "formation_energy_eV_per_atom")


def predicted(tc: Predictor, formation_energy: Predictor, x: torch.Tensor) -> dict[str, np.ndarray | pd.Series]:
    """Columns of the candidate table, each (n,), for compositions x (n, 118).

    Predictions, their expected standard deviations, and the distance of x to the training data of the Tc model.
    Values that a predictor does not provide are missing.
    """
    of_tc, of_energy = estimate_in_batches(tc, x), estimate_in_batches(formation_energy, x)
    return {
        "tc_K": of_tc.value,
        "formation_energy_eV_per_atom": of_energy.value,
        "tc_std_K": of_tc.std,
        "formation_energy_std_eV_per_atom": of_energy.std,
        "distance_to_training": of_tc.distance,
        "extrapolating": pd.Series(of_tc.extrapolating).astype("boolean"),
    }
