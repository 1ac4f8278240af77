"""Errors of the regression of `tc-ensemble` on held-out chemical systems."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from tqdm import tqdm

from core.chemistry import elements
from core.predictors.layers.composition_attention import pack_networks
from core.training import data, metrics
from core.training.tc_regression import Networks, Regression, TcEnsembleSettings

FOLDS = 5


@dataclass(frozen=True)
class SystemsHeldOut:
    """Cross-validation by chemical system of the regression alone, for every composition with a measured Tc.

    predicted, distance, measured : (n,) Tc in K, D to the training set of the fold, Tc in K
    under_pressure : (n,) bool; hydrides that superconduct only above 100 GPa, which the composition does not contain
    parts : rows of the three parts of the split; expected errors and distances are fitted on the first
    networks : the networks of each fold as a checkpoint stores them, "foldK.networkI"
    """

    predicted: np.ndarray
    distance: np.ndarray
    measured: np.ndarray
    under_pressure: np.ndarray
    parts: list[np.ndarray]
    networks: dict[str, torch.Tensor]

    @classmethod
    def of(
        cls,
        superconductors: tuple[data.Table, list[np.ndarray]],
        settings: TcEnsembleSettings,
        seed: int,
        networks: Callable[[int], Networks],
        build: Path | None = None,
    ) -> SystemsHeldOut:
        """FOLDS fits. Chemical systems (sets of elements) are assigned to folds by a portable hash of their name.

        networks : index of a fold -> its networks
        build : folder of finished folds; None: finished folds are not stored
        """
        table, parts = superconductors
        rows: np.ndarray = np.sort(np.concatenate(parts))
        x, y = table.compositions[rows], table.values[rows]
        fold = np.array([zlib.crc32(" ".join(_system(row)).encode()) % FOLDS for row in x])
        predicted, distance, tuned = np.zeros(len(x)), np.zeros(len(x)), {}
        for k in tqdm(range(FOLDS), desc="systems held out"):
            out = fold == k

            def held_out(k: int = k, out: np.ndarray = out) -> dict[str, torch.Tensor]:
                regression = Regression.fit(x[~out], y[~out], settings, seed, networks(k))
                both = torch.from_numpy(np.stack(regression(x[out])))
                return {"predicted, distance": both, **pack_networks(regression.networks, f"fold{k}.network")}

            found = _once(held_out, build and build / f"fold-{k}.safetensors")
            predicted[out], distance[out] = found.pop("predicted, distance").numpy()
            tuned |= found
        formulas = np.array(table.formulas)[rows]
        megabar = np.isin(formulas, data.HYDRIDES_UNDER_A_MEGABAR)
        return cls(predicted, distance, y, megabar, [np.searchsorted(rows, part) for part in parts], tuned)

    def part(self, which: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Predicted, distance, measured (m,) of one part of the split, 0 to 2."""
        rows = self.parts[which]
        return self.predicted[rows], self.distance[rows], self.measured[rows]


def _once(make: Callable[[], dict[str, torch.Tensor]], path: Path | None) -> dict[str, torch.Tensor]:
    """The tensors of the file at `path`; if it does not exist, those of `make`, which are then stored in it."""
    if path is not None and path.exists():
        return load_file(path)
    made = make()
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        save_file(made, partial)
        partial.replace(path)
    return made


def _system(composition: np.ndarray) -> list[str]:
    names = elements.symbols()
    return [names[i] for i in np.flatnonzero(composition)]


def systems_figures(predicted: np.ndarray, measured: np.ndarray) -> dict:
    """Errors on held-out systems; predicted and measured (n,) in K."""
    return {
        "n": len(measured),
        "tc_mae_K": metrics.mean_absolute_error(predicted, measured),
        "tc_median_absolute_error_K": metrics.median_absolute_error(predicted, measured),
        "tc_r2": metrics.r_squared(predicted, measured),
    }
