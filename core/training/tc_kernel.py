"""Fit `tc-kernel`: kernel regression over the superconductors that `tc` was trained on, and `tc` beside it."""

from __future__ import annotations

import datetime
import zlib
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from scipy.optimize import minimize
from tqdm import tqdm

from core import elements, references
from core.predictors import checkpoint
from core.predictors.composition_kernel import KernelShape
from core.predictors.interface import predict_in_batches
from core.predictors.registry import load_predictor
from core.predictors.tc_kernel import ARCHITECTURE, ErrorScale, Mixture, TcKernel
from core.training import kernel_regression, metrics, tc

NAME = "tc-kernel"
FOLDS = 5


@dataclass(frozen=True)
class TcKernelSettings:
    """What can be set about this fit; all of it goes into the card. `ridge`: k of a composition with itself is 1."""

    kernel: KernelShape = field(default_factory=KernelShape)
    ridge: float = 0.005
    mixture: Mixture = field(default_factory=Mixture)


def train(folder: Path, out: Path, seed: int, build: Path, settings: TcKernelSettings | None = None) -> dict:
    """Fit on the same part as `tc` in `out`, evaluate, write weights and card; returns the card. `build`: not used.

    Raises CheckpointError if there is no `tc` of this seed: a network of another split has seen the held-out part.
    """
    settings = settings or TcKernelSettings()
    under = checkpoint.read_card(tc.NAME, out)
    if under["split"]["seed"] != seed:
        raise checkpoint.CheckpointError(
            f"{tc.NAME} has the split of seed {under['split']['seed']}, not {seed}. Train it first: "
            f"python -m core train {tc.NAME} --seed {seed}."
        )
    tables, counts = tc.read_tables(folder, seed)
    superconductors, (learnt, valid, _) = tables[0]
    x, y = superconductors.compositions[learnt], superconductors.values[learnt]
    kernel = kernel_regression.fit(x, y, settings.ridge, settings.kernel)
    held_out = systems_held_out(x, y, settings)
    error_scale = fit_error_scale(*held_out, y)
    predictor = TcKernel(NAME, load_predictor(tc.NAME, out), kernel, settings.mixture, error_scale).eval()
    predicted = predict_in_batches(predictor, torch.from_numpy(superconductors.compositions[valid]).float())
    card = {
        "name": NAME,
        "architecture": ARCHITECTURE,
        "what": "Critical temperature (K) from the composition: known superconductors interpolated, ResNet18 beside",
        "papers": ["Rasmussen and Williams 2006, Gaussian Processes for Machine Learning, eq. 2.25", *under["papers"]],
        **tc.about_data(counts, seed),
        "settings": asdict(settings),
        "error_scale": asdict(error_scale),
        "systems_held_out": systems_figures(*held_out, y, error_scale),
        "network": tc.NAME,
        "network_sha256": under["sha256"],
        "validation_mae_K": metrics.mean_absolute_error(predicted, superconductors.values[valid]),
        "known_elements": under["known_elements"],
        "date": datetime.date.today().isoformat(),
    }
    tensors = {
        **references.pack_compositions(x),
        "weights": kernel.weights,
        "mean": torch.tensor(kernel.mean, dtype=torch.float64),
    }
    checkpoint.save(NAME, tensors, card, out)
    card["metrics_held_out"] = tc.evaluate(load_predictor(NAME, out), tables)
    checkpoint.save(NAME, tensors, card, out)
    return card


def systems_held_out(x: np.ndarray, y: np.ndarray, settings: TcKernelSettings) -> tuple[np.ndarray, np.ndarray]:
    """The regression alone on chemical systems that it never saw: Tc in K (n,), distance D to what it saw (n,).

    Systems (sets of elements) are dealt to FOLDS folds by their name, so that the folds are the same everywhere.
    """
    fold = np.array([zlib.crc32(" ".join(_system(row)).encode()) % FOLDS for row in x])
    predicted, distance = np.zeros(len(x)), np.zeros(len(x))
    for k in tqdm(range(FOLDS), desc="systems held out"):
        out = fold == k
        kernel = kernel_regression.fit(x[~out], y[~out], settings.ridge, settings.kernel)
        with torch.no_grad():
            value, away = kernel(torch.from_numpy(x[out]).float())
        predicted[out], distance[out] = value.clamp_min(0).numpy(), away.numpy()
    return predicted, distance


def _system(composition: np.ndarray) -> list[str]:
    names = elements.symbols()
    return [names[i] for i in np.flatnonzero(composition)]


def fit_error_scale(predicted: np.ndarray, distance: np.ndarray, measured: np.ndarray) -> ErrorScale:
    """The scale of Laplace's distribution for the errors, by maximum likelihood."""
    error = np.abs(predicted - measured)

    def cost(logarithms: np.ndarray) -> float:
        scale = ErrorScale(*np.exp(logarithms))(predicted, distance)
        return float(np.mean(np.log(scale) + error / scale))

    found = minimize(cost, np.log([1.0, 0.05, 0.3, 0.06, 0.2]), method="Nelder-Mead", options={"maxiter": 5000})
    return ErrorScale(*(float(value) for value in np.exp(found.x)))


def systems_figures(predicted: np.ndarray, distance: np.ndarray, measured: np.ndarray, scale: ErrorScale) -> dict:
    """Errors on held-out systems, and how many of them are inside the intervals that the scale promises."""
    share = np.abs(predicted - measured) / scale(predicted, distance)
    return {
        "folds": FOLDS,
        "tc_mae_K": metrics.mean_absolute_error(predicted, measured),
        "tc_r2": metrics.r_squared(predicted, measured),
        "inside_50_percent_interval": float((share < np.log(2)).mean()),
        "inside_90_percent_interval": float((share < np.log(10)).mean()),
    }
