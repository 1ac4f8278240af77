"""What the predictors say of compositions, as columns of the candidate table."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch

from core.predictors.interface import Predictor, estimate_in_batches

PREDICTED = ("tc_K", "formation_energy_eV_per_atom")


def predicted(tc: Predictor, formation_energy: Predictor, x: torch.Tensor) -> dict[str, np.ndarray | pd.Series]:
    """All that the predictors say of compositions (n, 118): columns of the candidate table, each (n,)."""
    of_tc, of_energy = estimate_in_batches(tc, x), estimate_in_batches(formation_energy, x)
    return {
        "tc_K": of_tc.value,
        "formation_energy_eV_per_atom": of_energy.value,
        "tc_std_K": of_tc.std,
        "formation_energy_std_eV_per_atom": of_energy.std,
        "distance_to_training": of_tc.distance,
        "extrapolating": pd.Series(of_tc.extrapolating).astype("boolean"),
    }
