"""Fit `tc-kernel`: kernel regression over the superconductors that `tc` was trained on, and `tc` beside it."""

from __future__ import annotations

import datetime
import zlib
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from core import elements, references
from core.predictors import checkpoint
from core.predictors.composition_kernel import KernelShape
from core.predictors.interface import predict_in_batches
from core.predictors.registry import load_predictor
from core.predictors.tc_kernel import ARCHITECTURE, ErrorScale, Mixture, TcKernel
from core.training import data, kernel_regression, metrics, tc

NAME = "tc-kernel"
FOLDS = 5
FAMILIAR = 0.95  # share of the systems held out that are nearer to what is known than `familiar_distance`


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
    systems = SystemsHeldOut.of(tables[0], settings)
    error_scale = fit_error_scale(*systems.part(0))
    familiar = float(np.quantile(systems.part(0)[1], FAMILIAR)) - settings.kernel.soft
    network = load_predictor(tc.NAME, out)
    predictor = TcKernel(NAME, network, kernel, settings.mixture, error_scale, familiar).eval()
    predicted = predict_in_batches(predictor, torch.from_numpy(superconductors.compositions[valid]).float())
    card = {
        "name": NAME,
        "architecture": ARCHITECTURE,
        "what": "Critical temperature (K) from the composition: known superconductors interpolated, ResNet18 beside",
        "papers": ["Rasmussen and Williams 2006, Gaussian Processes for Machine Learning, eq. 2.25", *under["papers"]],
        **tc.about_data(counts, seed),
        "settings": asdict(settings),
        "error_scale": asdict(error_scale),
        "familiar_distance": familiar,
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
    card["metrics_held_out"] = _figures(load_predictor(NAME, out), tables, systems)
    checkpoint.save(NAME, tensors, card, out)
    return card


def held_out_figures(name: str, folder: Path, checkpoints: Path) -> dict:
    """The figures of this checkpoint's card, found now: takes FOLDS fits, a few minutes.

    Raises CheckpointError; InputError if the data are missing.
    """
    card = checkpoint.read_card(name, checkpoints)
    tables, _ = tc.read_tables(folder, card["split"]["seed"])
    settings = TcKernelSettings(KernelShape(**card["settings"]["kernel"]), card["settings"]["ridge"])
    return _figures(load_predictor(name, checkpoints), tables, SystemsHeldOut.of(tables[0], settings))


def _figures(predictor: TcKernel, tables: tc.Tables, systems: SystemsHeldOut) -> dict:
    found = systems_figures(systems.predicted, systems.measured)
    predicted, distance, measured = systems.part(2)
    inside = metrics.inside_intervals(predicted - measured, predictor.error_scale(predicted, distance))
    return tc.evaluate(predictor, tables) | {"systems_held_out": found | {"inside_intervals": inside}}


@dataclass(frozen=True)
class SystemsHeldOut:
    """The regression alone on chemical systems that it never saw, for every composition with a measured Tc.

    predicted, distance, measured : (n,) Tc in K, D to what the regression saw, Tc in K
    parts : rows of the three parts of the split; errors and distances to be expected are fitted on the first
    """

    predicted: np.ndarray
    distance: np.ndarray
    measured: np.ndarray
    parts: list[np.ndarray]

    @classmethod
    def of(cls, superconductors: tuple[data.Table, list[np.ndarray]], settings: TcKernelSettings) -> SystemsHeldOut:
        """FOLDS fits. Systems (sets of elements) are dealt to folds by name: the folds are the same everywhere."""
        table, parts = superconductors
        rows = np.sort(np.concatenate(parts))
        x, y = table.compositions[rows], table.values[rows]
        fold = np.array([zlib.crc32(" ".join(_system(row)).encode()) % FOLDS for row in x])
        predicted, distance = np.zeros(len(x)), np.zeros(len(x))
        for k in tqdm(range(FOLDS), desc="systems held out"):
            out = fold == k
            kernel = kernel_regression.fit(x[~out], y[~out], settings.ridge, settings.kernel)
            with torch.no_grad():
                value, away = kernel(torch.from_numpy(x[out]).float())
            predicted[out], distance[out] = value.clamp_min(0).numpy(), away.numpy()
        return cls(predicted, distance, y, [np.searchsorted(rows, part) for part in parts])

    def part(self, which: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Predicted, distance, measured of one part of the split."""
        rows = self.parts[which]
        return self.predicted[rows], self.distance[rows], self.measured[rows]


def _system(composition: np.ndarray) -> list[str]:
    names = elements.symbols()
    return [names[i] for i in np.flatnonzero(composition)]


def fit_error_scale(predicted: np.ndarray, distance: np.ndarray, measured: np.ndarray) -> ErrorScale:
    """The scale of Laplace's distribution for the errors, by maximum likelihood."""

    def scale(parameters: np.ndarray) -> np.ndarray:
        return ErrorScale(*parameters)(predicted, distance)

    found = metrics.fit_scale(predicted - measured, scale, [1.0, 0.05, 0.3, 0.06, 0.2])
    return ErrorScale(*(float(value) for value in found))


def systems_figures(predicted: np.ndarray, measured: np.ndarray) -> dict:
    """Errors on systems held out; predicted and measured (n,) in K."""
    return {
        "folds": FOLDS,
        "n": len(measured),
        "tc_mae_K": metrics.mean_absolute_error(predicted, measured),
        "tc_median_absolute_error_K": metrics.median_absolute_error(predicted, measured),
        "tc_r2": metrics.r_squared(predicted, measured),
    }
