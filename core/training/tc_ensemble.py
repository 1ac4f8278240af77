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
from core.predictors.info import Role
from core.predictors.interface import estimate_in_batches, predict_in_batches
from core.predictors.layers.composition_attention import (
    AttentionSize,
    CompositionAttention,
    pack_networks,
    unpack_networks,
)
from core.predictors.layers.smooth_trees import pack_trees
from core.predictors.packed_compositions import pack_compositions
from core.predictors.registry import load_predictor
from core.predictors.tc.ensemble import ARCHITECTURE, Gate, Reliability, TcEnsemble, load_tc_ensemble
from core.training import data, formation_energy_ensemble, metrics, tc, tc_network
from core.training.element_properties import property_names
from core.training.loop import Fitting
from core.training.replicates import cleaned_tc_K
from core.training.systems_held_out import FOLDS, SystemsHeldOut, predict_held_out, systems_figures
from core.training.tc_chance import fit_chance
from core.training.tc_regression import Networks, Regression, TcEnsembleSettings
from core.training.tc_reliability import (
    best_constant_error_K,
    fit_reliability,
    interval_figures,
    probabilities,
    probability_figures,
)

NAME = "tc-ensemble"
_PRETRAINED = formation_energy_ensemble.NAME

LABELS = (
    "learnt: the median of all reports of a composition; on_cleaned_labels: the highest cluster with at least 40% of "
    "the reports, see core/training/replicates.py"
)
_DESCRIPTION = {
    "name": NAME,
    "architecture": ARCHITECTURE,
    "role": Role.TC,
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
    pretrained_card = checkpoint.read_card(_PRETRAINED, out)
    about = {
        "settings": asdict(settings),
        "networks_begun_with": {_PRETRAINED: pretrained_card["sha256"]},
        **tc.about_data(counts, seed),
    }
    about["data"] |= pretrained_card["data"]  # of the pretraining of the networks
    kept = build / f"{NAME}-{_fingerprint(superconductors, about)}"
    networks = tuning(settings, seed, load_pretrained(out), kept)
    regression = Regression.fit(x, y, settings, seed, networks("whole"))
    chance = fit_chance(tc.part(tables, 0)[0], len(x), regression, settings, seed)
    trees = {f"height{i}": each for i, each in enumerate(regression.heights)} | {"chance": chance}
    systems = SystemsHeldOut.of(tables, settings, seed, lambda k: networks(f"fold-{k}"), kept)
    near = predict_held_out(regression, chance, superconductors.compositions[valid], superconductors.values[valid])
    reliability = fit_reliability(systems.part(0), systems.cod_part(0), near, settings.gate)
    familiar = reliability.familiar_distance - settings.kernel.soft
    known = np.any(tc.part(tables, 0)[0] > 0, axis=0)
    card = {
        **_DESCRIPTION,
        **about,
        "element_properties": property_names(),
        "element_properties_from": "pymatgen (MIT): Ong et al. 2013, doi:10.1016/j.commatsci.2012.10.028",
        "bias": {part: each.bias for part, each in trees.items()},
        "labels": LABELS,
        "reliability": asdict(replace(reliability, familiar_distance=familiar)),
        "known_elements": [s for s, is_known in zip(elements.symbols(), known, strict=True) if is_known],
        "date": datetime.date.today().isoformat(),
    }
    tensors = {
        **pack_compositions(x),
        "properties": regression.statistics.properties,
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
    networks = load_pretrained(out)
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
    """Fingerprint of the data, the settings and the architecture of a fit."""
    content = [table.compositions.tobytes(), table.values.tobytes(), json.dumps([ARCHITECTURE, about]).encode()]
    return hashlib.sha256(b"".join(content)).hexdigest()[:16]


def load_pretrained(folder: Path) -> list[CompositionAttention]:
    """The networks of the formation energy. Raises CheckpointError if the folder has none."""
    members = load_predictor(_PRETRAINED, folder).members()
    return [cast(FormationEnergyAttention, member).network for member in members]


def tuning(
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
    systems = SystemsHeldOut.of(tables, settings, seed, kept)
    return _figures(load_tc_ensemble(name, checkpoints), tables, systems)


def _figures(predictor: TcEnsemble, tables: tc.Tables, systems: SystemsHeldOut) -> dict:
    table, parts = tables[0]
    estimates = estimate_in_batches(predictor, torch.from_numpy(table.compositions[parts[2]]).float())
    near = metrics.inside_intervals(estimates.value - table.values[parts[2]], estimates.std / 2**0.5)
    cleaned = np.array([cleaned_tc_K(table.replicates[row]) for row in parts[2]])
    return tc.evaluate(predictor, tables) | {
        "on_cleaned_labels": systems_figures(estimates.value, cleaned),
        "share_extrapolating": float(estimates.extrapolating.mean()),
        "inside_intervals": near,
        "systems_held_out": _figures_of_systems(systems, predictor.gate, predictor.reliability),
    }


def _figures_of_systems(systems: SystemsHeldOut, gate: Gate, reliability: Reliability) -> dict:
    """The regression alone on all superconductors; Tc, intervals and probabilities on the test part."""
    every, test, ambient = systems.predictions, systems.part(2), ~systems.under_pressure
    predicted, error_K = test.tc_K(gate), test.error_K(gate, reliability.error)
    low = predicted < tc.SUPERCONDUCTOR_K
    constant_K = best_constant_error_K(systems.part(0), systems.part(0).tc_K(gate), np.arange(1.0, 30.0, 0.5).tolist())
    chances = [probabilities(s, reliability.probability) for s in (test.log_odds, systems.cod_part(2))]
    return {
        "folds": FOLDS,
        **systems_figures(every.height, every.measured),
        "without_hydrides_under_pressure": systems_figures(every.height[ambient], every.measured[ambient]),
        "with_the_gate": systems_figures(every.tc_K(gate), every.measured),
        "inside_intervals": metrics.inside_intervals(predicted - test.measured, error_K),
        "inside_intervals_predicted_below_1_K": metrics.inside_intervals(
            (predicted - test.measured)[low], error_K[low]
        ),
        "interval_90": interval_figures(test, predicted, error_K),
        "interval_90_of_one_constant_width": interval_figures(test, predicted, np.full(len(predicted), constant_K)),
        "superconducting_probability": probability_figures(*chances),
    }
