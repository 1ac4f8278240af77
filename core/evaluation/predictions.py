"""Predictions for compositions, as columns of the candidate table."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch

from core.evaluation.caveat_columns import CAVEATS, caveat_columns
from core.predictors.interface import Predictor, estimate_in_batches

PREDICTED = ("tc_K", "formation_energy_eV_per_atom")
OF_DISTANCE = ("distance_to_training", "extrapolating")


def predicted(tc: Predictor, formation_energy: Predictor, x: torch.Tensor) -> dict[str, np.ndarray | pd.Series]:
    """Columns of the candidate table, each (n,), for compositions x (n, 118).

    Predictions, their expected standard deviations, the probability of superconductivity, the distance of x to the
    training data of the Tc model, and caveats about Tc.
    Values that a predictor does not provide are missing.
    """
    of_tc, of_energy = estimates_of_tc(tc, x), estimates_of_energy(formation_energy, x)
    first = (*PREDICTED, "tc_std_K", "formation_energy_std_eV_per_atom")
    found = of_tc | of_energy
    return {name: found[name] for name in (*first, "superconducting_probability", *OF_DISTANCE, *CAVEATS)}


def estimates_of_tc(tc: Predictor, x: torch.Tensor) -> dict[str, np.ndarray | pd.Series]:
    """The columns of `predicted` that the Tc model provides."""
    found = estimate_in_batches(tc, x)
    return {
        "tc_K": found.value,
        "tc_std_K": found.std,
        "distance_to_training": found.distance,
        "extrapolating": pd.Series(found.extrapolating).astype("boolean"),
        "superconducting_probability": found.probability,
        **caveat_columns(x.double().cpu().numpy(), found.value),
    }


def estimates_of_energy(formation_energy: Predictor, x: torch.Tensor) -> dict[str, np.ndarray]:
    """The columns of `predicted` that the formation-energy model provides."""
    found = estimate_in_batches(formation_energy, x)
    return {"formation_energy_eV_per_atom": found.value, "formation_energy_std_eV_per_atom": found.std}
