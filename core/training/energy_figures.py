"""Held-out figures of formation energies: also where errors matter to a search, at the sign and for unstable compounds.

A search looks for what a model flatters. The mean signed error in ranges of the predicted energy shows whether it does.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import torch

from core.predictors.ensemble import SpreadScale
from core.predictors.interface import Estimates, Predictor, estimate_in_batches
from core.training import data, metrics

CLEAR_SIGN = 0.05  # eV/atom; nearer to 0 the sign is within the accuracy of the labels
RANGES = (-1.0, -0.3, 0.0, 0.3)  # edges in eV/atom
UNSTABLE = 0.3  # eV/atom


def errors(predicted: np.ndarray, label: np.ndarray) -> dict[str, float]:
    """Size of the errors of predictions (n,), in eV/atom."""
    return {
        "formation_energy_mae_eV_per_atom": metrics.mean_absolute_error(predicted, label),
        "formation_energy_median_absolute_error_eV_per_atom": metrics.median_absolute_error(predicted, label),
        "formation_energy_r2": metrics.r_squared(predicted, label),
        "n": len(label),
    }


def sign_errors(predicted: np.ndarray, label: np.ndarray) -> dict[str, float]:
    """Shares of compounds with a clearly positive label that are called negative, and the other way round."""
    return {
        f"above_+{CLEAR_SIGN}_called_negative": float((predicted[label > CLEAR_SIGN] < 0).mean()),
        f"below_-{CLEAR_SIGN}_called_positive": float((predicted[label < -CLEAR_SIGN] > 0).mean()),
    }


def signed_errors(predicted: np.ndarray, label: np.ndarray) -> dict[str, dict[str, float]]:
    """Mean of predicted - label in ranges of the predicted energy, and for unstable compounds, in eV/atom.

    A range without a compound is left out.
    """
    edges = (-np.inf, *RANGES, np.inf)
    names = [f"below {RANGES[0]:g}", *(f"{a:g} to {b:g}" for a, b in pairwise(RANGES))]
    names.append(f"above {RANGES[-1]:g}")
    groups = {
        f"predicted {name}": (predicted >= low) & (predicted < high)
        for name, (low, high) in zip(names, pairwise(edges), strict=True)
    }
    groups[f"label above {UNSTABLE:g}"] = label > UNSTABLE
    error = predicted - label
    return {
        name: {"n": int(rows.sum()), "mean_signed_error_eV_per_atom": float(error[rows].mean())}
        for name, rows in groups.items()
        if rows.any()
    }


def search_figures(parts: Mapping[str, tuple[Estimates, np.ndarray]]) -> dict:
    """All figures of this module. parts : name of a part of the data -> its estimates and labels (n,) in eV/atom"""
    return {
        "by_held_out_part": {
            name: {
                **errors(estimates.value, label),
                **sign_errors(estimates.value, label),
                **calibration(estimates, label),
            }
            for name, (estimates, label) in parts.items()
        },
        **{f"signed_error_of_{name}": signed_errors(each.value, label) for name, (each, label) in parts.items()},
    }


def calibration(estimates: Estimates, label: np.ndarray) -> dict[str, dict[str, float]]:
    """Shares of the errors inside the expected intervals; nothing if no errors are expected."""
    if np.isnan(estimates.std).all():
        return {}
    return {"inside_intervals": metrics.inside_intervals(estimates.value - label, estimates.std / 2**0.5)}


def by_size(predictor: Predictor, held_out: data.Table) -> dict:
    """Errors and their calibration on a table of formation energies in eV/atom, also by number of elements."""
    estimates = estimate_in_batches(predictor, torch.from_numpy(held_out.compositions).float())
    predicted, size = estimates.value, (held_out.compositions > 0).sum(1)
    error = np.abs(predicted - held_out.values)
    return {
        **errors(predicted, held_out.values),
        **calibration(estimates, held_out.values),
        "by_number_of_elements": {
            str(count): {
                "n": int((size == count).sum()),
                "formation_energy_mae_eV_per_atom": float(error[size == count].mean()),
                "formation_energy_median_absolute_error_eV_per_atom": float(np.median(error[size == count])),
            }
            for count in np.unique(size)
        },
    }


def spread_scale(error: np.ndarray, spread: np.ndarray) -> SpreadScale:
    """The scale of errors (n,) from spreads (n,), both in eV/atom."""
    fitted = metrics.fit_scale(error, lambda p: SpreadScale(*p)(spread), [0.02, 0.8])
    return SpreadScale(*(float(value) for value in fitted))
