"""Predictions of `tc-ensemble` for held-out chemical systems."""

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
from core.predictors.layers.smooth_trees import SmoothTrees
from core.training import data, metrics, tc_chance
from core.training.tc import Tables
from core.training.tc_regression import Networks, Regression, TcEnsembleSettings
from core.training.tc_reliability import HeldOut

FOLDS = 5


@dataclass(frozen=True)
class SystemsHeldOut:
    """Cross-validation by chemical system, for every composition with a measured Tc and for the COD.

    predictions : of the n superconductors, each by the fit without its system
    cod_log_odds : (m,) s of the compositions of the COD
    under_pressure : (n,) bool; hydrides that superconduct only above 100 GPa, which the composition does not contain
    parts, cod_parts : rows of the three parts of the split; reliabilities are fitted on the first
    networks : the networks of each fold as a checkpoint stores them, "foldK.networkI"
    """

    predictions: HeldOut
    cod_log_odds: np.ndarray
    under_pressure: np.ndarray
    parts: list[np.ndarray]
    cod_parts: list[np.ndarray]
    networks: dict[str, torch.Tensor]

    @classmethod
    def of(
        cls,
        tables: Tables,
        settings: TcEnsembleSettings,
        seed: int,
        networks: Callable[[int], Networks],
        build: Path | None = None,
    ) -> SystemsHeldOut:
        """FOLDS fits. Chemical systems (sets of elements) are assigned to folds by a portable hash of their name.

        A fit learns from all superconductors of the other folds, and from the compositions of the COD in the first part
        of the split.

        networks : index of a fold -> its networks
        build : folder of finished folds; None: finished folds are not stored
        """
        (table, parts), (cod, cod_parts) = tables
        rows: np.ndarray = np.sort(np.concatenate(parts))
        x, y = table.compositions[rows], table.values[rows]
        fold, cod_fold = folds(x), folds(cod.compositions)
        learnt = np.isin(np.arange(len(cod_fold)), cod_parts[0])
        predicted, log_odds, tuned = np.zeros((4, len(x))), np.zeros(len(cod_fold)), {}
        for k in tqdm(range(FOLDS), desc="systems held out"):
            out, cod_out = fold == k, cod_fold == k

            def held_out(k: int = k, out: np.ndarray = out, cod_out: np.ndarray = cod_out) -> dict[str, torch.Tensor]:
                regression = Regression.fit(x[~out], y[~out], settings, seed, networks(k))
                others = cod.compositions[learnt & ~cod_out]
                every = np.concatenate([x[~out], others])
                chance = tc_chance.fit_chance(every, len(every) - len(others), regression, settings, seed)
                found = _predicted(regression, chance, x[out])
                of_cod = _predicted(regression, chance, cod.compositions[cod_out])[2]
                kept = {"predicted": torch.from_numpy(found), "cod": torch.from_numpy(of_cod)}
                return kept | pack_networks(regression.networks, f"fold{k}.network")

            found = _once(held_out, build and build / f"fold-{k}.safetensors")
            predicted[:, out], log_odds[cod_out] = found.pop("predicted").numpy(), found.pop("cod").numpy()
            tuned |= found
        megabar = np.isin(np.array(table.formulas)[rows], data.HYDRIDES_UNDER_A_MEGABAR)
        in_rows = [np.searchsorted(rows, part) for part in parts]
        return cls(HeldOut(*predicted, measured=y), log_odds, megabar, in_rows, list(cod_parts), tuned)

    def part(self, which: int) -> HeldOut:
        """The superconductors of one part of the split, 0 to 2."""
        return self.predictions[self.parts[which]]

    def cod_part(self, which: int) -> np.ndarray:
        """s (m,) of the compositions of the COD in one part of the split, 0 to 2."""
        return self.cod_log_odds[self.cod_parts[which]]


def folds(x: np.ndarray) -> np.ndarray:
    """The fold (n,), 0 to FOLDS - 1, of compositions (n, 118)."""
    return np.array([zlib.crc32(" ".join(_system(row)).encode()) % FOLDS for row in x])


def _predicted(regression: Regression, chance: SmoothTrees, x: np.ndarray) -> np.ndarray:
    """v, spread, s, D as rows (4, n) of compositions (n, 118)."""
    if not len(x):
        return np.zeros((4, 0))
    parts = regression.parts(x)
    log_odds = tc_chance.log_odds(chance, parts.features, parts.distance)
    return np.stack([parts.tc_K, parts.heights.std(0), log_odds, parts.distance.numpy()])


def predict_held_out(regression: Regression, chance: SmoothTrees, x: np.ndarray, tc_K: np.ndarray) -> HeldOut:
    """The predictions for compositions (n, 118) with a measured Tc (n,) in K."""
    return HeldOut(*_predicted(regression, chance, x), measured=tc_K)


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
