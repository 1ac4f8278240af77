"""Fit `tc-ensemble`: the regression of Tc, and the trees that separate superconductors from the COD."""

from __future__ import annotations

import datetime
import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import cast

import numpy as np
import torch

from core.chemistry import elements
from core.predictors import checkpoint
from core.predictors.formation_energy.attention import FormationEnergyAttention
from core.predictors.interface import estimate_in_batches, predict_in_batches
from core.predictors.layers.composition_attention import (
    AttentionSize,
    CompositionAttention,
    pack_networks,
    unpack_networks,
)
from core.predictors.layers.smooth_trees import SmoothTrees, pack_trees
from core.predictors.packed_compositions import pack_compositions
from core.predictors.registry import load_predictor
from core.predictors.tc.ensemble import ARCHITECTURE, ErrorScale, TcEnsemble, load_tc_ensemble
from core.training import data, formation_energy_ensemble, kernel_regression, metrics, smooth_trees, tc, tc_network
from core.training.loop import Fitting
from core.training.systems_held_out import FOLDS, SystemsHeldOut, systems_figures
from core.training.tc_regression import Networks, Regression, TcEnsembleSettings

NAME = "tc-ensemble"
_PRETRAINED = formation_energy_ensemble.NAME
FAMILIAR = 0.95  # quantile of the distances of held-out systems that is `familiar_distance`

_DESCRIPTION = {
    "name": NAME,
    "architecture": ARCHITECTURE,
    "what": "Critical temperature (K) from the composition: smooth trees and networks with attention, corrected by "
    "known superconductors",
    "papers": [
        "Friedman 2001, doi:10.1214/aos/1013203451; Prokhorenkova et al. 2018, arXiv:1706.09516",
        "Geurts et al. 2006, doi:10.1007/s10994-006-6226-1",
        "Rasmussen and Williams 2006, Gaussian Processes for Machine Learning, eq. 2.25 and 5.12",
        "Roost, Goodall and Lee 2020: doi:10.1038/s41467-020-19964-7",
        "Konno et al. 2021: doi:10.1103/PhysRevB.103.014509",
    ],
}


def train(folder: Path, out: Path, seed: int, build: Path, settings: TcEnsembleSettings | None = None) -> dict:
    """Fit on the same training part as `tc`, evaluate, write weights and card; returns the card.

    build : folder of finished networks and folds, from which an interrupted training resumes

    Raises InputError if the raw data are missing, CheckpointError without `formation-energy-ensemble` in `out`.
    """
    settings = settings or TcEnsembleSettings()
    tables, counts = tc.read_tables(folder, seed)
    superconductors, (learnt, valid, _) = tables[0]
    x, y = superconductors.compositions[learnt], superconductors.values[learnt]
    pretrained = checkpoint.read_card(_PRETRAINED, out)
    about = {
        "settings": asdict(settings),
        "networks_begun_with": {_PRETRAINED: pretrained["sha256"]},
        **tc.about_data(counts, seed),
    }
    about["data"] |= pretrained["data"]  # of the pretraining of the networks
    kept = build / f"{NAME}-{_fingerprint(superconductors, about)}"
    networks = _tuning(settings, seed, _pretrained(out), kept)
    regression = Regression.fit(x, y, settings, seed, networks("whole"))
    chance = _fit_chance(tc.part(tables, 0)[0], len(x), regression, settings, seed)
    trees = {f"height{i}": each for i, each in enumerate(regression.heights)} | {"chance": chance}
    systems = SystemsHeldOut.of(tables[0], settings, seed, lambda k: networks(f"fold-{k}"), kept)
    error_scale = fit_error_scale(*_unseen(systems, regression, superconductors.subset(valid)))
    familiar = float(np.quantile(systems.part(0)[1], FAMILIAR)) - settings.kernel.soft
    known = np.any(tc.part(tables, 0)[0] > 0, axis=0)
    card = {
        **_DESCRIPTION,
        **about,
        "bias": {part: each.bias for part, each in trees.items()},
        "error_scale": asdict(error_scale),
        "familiar_distance": familiar,
        "known_elements": [s for s, is_known in zip(elements.symbols(), known, strict=True) if is_known],
        "date": datetime.date.today().isoformat(),
    }
    tensors = {
        **pack_compositions(x),
        "weights": regression.kernel.weights,
        **pack_networks(regression.networks, "network"),
        **systems.networks,
    }
    for part, each in trees.items():
        tensors |= pack_trees(each, part)
    checkpoint.save(NAME, tensors, card, out)
    predictor = load_tc_ensemble(NAME, out)
    predicted = predict_in_batches(predictor, torch.from_numpy(superconductors.compositions[valid]).float())
    card["validation_mae_K"] = metrics.mean_absolute_error(predicted, superconductors.values[valid])
    card["metrics_held_out"] = _figures(predictor, tables, systems)
    checkpoint.save(NAME, tensors, card, out)
    shutil.rmtree(kept)
    return card


def fittings(name: str, folder: Path, out: Path, seed: int) -> list[Fitting]:
    """The fits of the networks, as they begin, with equal weights of all rows; trees and kernels are not among them.

    Raises InputError if the raw data are missing, CheckpointError without `formation-energy-ensemble` in `out`.
    """
    settings = TcEnsembleSettings()
    table, (learnt, *_) = tc.read_tables(folder, seed)[0][0]
    networks = _pretrained(out)
    x, y = table.compositions[learnt], table.values[learnt]
    return [
        replace(
            tc_network.fitting(networks[each.member], x, y, np.ones(len(y)), each, seed + i),
            name=f"{NAME}: network {i + 1}, once and for each fold",
            times=1 + FOLDS,
        )
        for i, each in enumerate(settings.networks)
    ]


def _fingerprint(table: data.Table, about: dict) -> str:
    """Fingerprint of the data and settings of a fit."""
    content = [table.compositions.tobytes(), table.values.tobytes(), json.dumps(about).encode()]
    return hashlib.sha256(b"".join(content)).hexdigest()[:16]


def _pretrained(folder: Path) -> list[CompositionAttention]:
    """The networks of the formation energy. Raises CheckpointError if the folder has none."""
    members = load_predictor(_PRETRAINED, folder).members()
    return [cast(FormationEnergyAttention, member).network for member in members]


def _tuning(
    settings: TcEnsembleSettings, seed: int, pretrained: Sequence[CompositionAttention], kept: Path
) -> Callable[[str], Networks]:
    """The networks of each fit, fine-tuned from those of the formation energy; `kept` : folder of resume points."""

    def of(fit: str) -> Networks:
        def tuned(x: np.ndarray, y: np.ndarray, trust: np.ndarray) -> list[CompositionAttention]:
            return [
                tc_network.fit(pretrained[each.member], x, y, trust, each, seed + i, kept / fit / str(i))
                for i, each in enumerate(settings.networks)
            ]

        return tuned

    return of


def _unseen(systems: SystemsHeldOut, regression: Regression, valid: data.Table) -> list[np.ndarray]:
    """Predicted, distance, measured (n,) outside the training set: held-out systems, and the validation part."""
    near = *regression(valid.compositions), valid.values
    return [np.concatenate(pair) for pair in zip(systems.part(0), near, strict=True)]


def _fit_chance(
    x: np.ndarray, n_superconductors: int, regression: Regression, settings: TcEnsembleSettings, seed: int
) -> SmoothTrees:
    """Trees for the log-odds of a superconductor; the first rows of x (n, 118) are superconductors."""
    features = kernel_regression.features_of(x)
    points = settings.kernel.coordinates(features)
    distance = kernel_regression.nearest_other(points, n_superconductors, settings.kernel)
    widths = np.append(regression.widths, settings.distance_width)
    return smooth_trees.fit_log_odds(
        np.column_stack([features.numpy(), distance]),
        np.arange(len(x)) < n_superconductors,
        widths,
        settings.chance,
        seed,
    )


def held_out_figures(name: str, folder: Path, checkpoints: Path) -> dict:
    """The figures of the card, computed from the weights and FOLDS fits, which takes some minutes.

    The networks of the folds come from the checkpoint, because training on another processor gives different weights;
    the trees and the kernel regression are fitted again. Raises CheckpointError; InputError if the data are missing.
    """
    tensors, card = checkpoint.load(name, ARCHITECTURE, checkpoints)
    settings, seed = TcEnsembleSettings.from_card(card), card["split"]["seed"]

    def kept(fold: int) -> Networks:
        sizes = [AttentionSize(trace=each.trace) for each in settings.networks]
        return lambda *_: unpack_networks(tensors, f"fold{fold}.network", sizes, name)

    tables, _ = tc.read_tables(folder, seed)
    systems = SystemsHeldOut.of(tables[0], settings, seed, kept)
    return _figures(load_tc_ensemble(name, checkpoints), tables, systems)


def _figures(predictor: TcEnsemble, tables: tc.Tables, systems: SystemsHeldOut) -> dict:
    predicted, distance, measured = systems.part(2)
    inside = metrics.inside_intervals(predicted - measured, predictor.error_scale(predicted, distance))
    ambient = ~systems.under_pressure
    systems_held_out = {
        "folds": FOLDS,
        **systems_figures(systems.predicted, systems.measured),
        "without_hydrides_under_pressure": systems_figures(systems.predicted[ambient], systems.measured[ambient]),
        "inside_intervals": inside,
    }
    table, parts = tables[0]
    estimates = estimate_in_batches(predictor, torch.from_numpy(table.compositions[parts[2]]).float())
    near = metrics.inside_intervals(estimates.value - table.values[parts[2]], estimates.std / 2**0.5)
    return tc.evaluate(predictor, tables) | {"inside_intervals": near, "systems_held_out": systems_held_out}


def fit_error_scale(predicted: np.ndarray, distance: np.ndarray, measured: np.ndarray) -> ErrorScale:
    """The scale of Laplace's distribution for errors of Tc (n,) in K at distances D (n,), by maximum likelihood."""

    def scale(parameters: np.ndarray) -> np.ndarray:
        return ErrorScale(*parameters)(predicted, distance)

    fitted = metrics.fit_scale(predicted - measured, scale, [1.0, 0.05, 0.3, 0.06, 0.2])
    return ErrorScale(*(float(value) for value in fitted))
