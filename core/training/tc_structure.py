"""Train `tc-structure`: Tc by calculations of the electron-phonon coupling, from the structure.

It is measured on the validation part of JARVIS, beside the mean of the training part and a model of the composition
alone that is fitted on the same rows with the same settings.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import lightgbm
import numpy as np

from core.predictors import checkpoint
from core.predictors.control_model import pack
from core.structures.property_features import NAMES
from core.structures.structure_models import TC_ARCHITECTURE, TC_NAME, TcByStructure, load_tc_by_structure
from core.training import boosted_trees
from core.training.electron_phonon import ATTRIBUTION, ElectronPhonon, read_electron_phonon
from core.training.structure_properties import COMPOSITION, PropertyRows, TreeSettings

OBJECTIVES = ("regression", "regression_l1")  # half of the trees each
SUPERCONDUCTOR_K = 5.0  # computed Tc of the structures whose errors are also given alone


@dataclass(frozen=True)
class TcStructureSettings:
    """Settings of the fit; all of them are written to the card.

    members : sets of trees for each objective, which differ by their seeds
    """

    members: int = 3
    trees: TreeSettings = field(default_factory=lambda: TreeSettings(300, 31, 0.03, 5, 0.3, 0.7))


def train(folder: Path, out: Path, seed: int, build: Path, settings: TcStructureSettings | None = None) -> dict:
    """Fit, measure on the validation part, write trees and card; returns the card. `build` is not used.

    The stored trees have learnt the training part and the joined rows only, so that the figures are theirs.

    Raises InputError if the raw data are missing.
    """
    settings = settings or TcStructureSettings()
    rows = read_electron_phonon(folder)
    members = fitted_members(rows, settings, seed)
    card = {
        "name": TC_NAME,
        "architecture": TC_ARCHITECTURE,
        "what": "Tc (K) of conventional superconductors from the structure, as calculations of the electron-phonon "
        "coupling give it (McMillan-Allen-Dynes, mu* 0.09); not a measured Tc",
        "papers": ["LightGBM, Ke et al. 2017"],
        "data": ATTRIBUTION,
        "licence": "CC BY 4.0, as the data",
        "split": {
            "by": "official parts of the JARVIS leaderboard; no formula of its test part is used", "seed": seed,
            "train": len(rows.train), "val": len(rows.val), "joined_by_formula": len(rows.joined),
        },
        "rows_left_out": rows.counts,
        "settings": asdict(settings),
        "features": list(NAMES),
        "metrics_held_out": figures(TcByStructure(members), rows),
        "date": datetime.date.today().isoformat(),
    }  # fmt: skip
    composition = TcByStructure(fitted_members(rows, settings, seed, COMPOSITION))
    by_composition = figures(composition, rows, COMPOSITION)
    card["metrics_of_composition_alone"] = by_composition
    gain = 1 - card["metrics_held_out"]["tc_mae_K"] / by_composition["tc_mae_K"]
    card["metrics_held_out"]["mae_below_composition_alone"] = gain
    card["metrics_held_out"]["composition_alone_tc_mae_K"] = by_composition["tc_mae_K"]
    checkpoint.save(TC_NAME, {f"trees_{i:02d}": pack(each) for i, each in enumerate(members)}, card, out)
    return card


def held_out_figures(name: str, folder: Path, checkpoints: Path) -> dict:
    """The figures of the card, computed from the trees; the model of compositions is fitted again.

    Raises CheckpointError; InputError if the data are missing.
    """
    card = checkpoint.read_card(name, checkpoints)
    given = card["settings"]
    settings = TcStructureSettings(given["members"], TreeSettings(**given["trees"]))
    rows = read_electron_phonon(folder)
    composition = TcByStructure(fitted_members(rows, settings, card["split"]["seed"], COMPOSITION))
    found = figures(load_tc_by_structure(checkpoints), rows)
    by_composition = figures(composition, rows, COMPOSITION)["tc_mae_K"]
    gain = 1 - found["tc_mae_K"] / by_composition
    return found | {"mae_below_composition_alone": gain, "composition_alone_tc_mae_K": by_composition}


def fitted_members(
    rows: ElectronPhonon, settings: TcStructureSettings, seed: int, columns: int | None = None
) -> list[lightgbm.Booster]:
    """Trees for the square root of Tc. columns : number of features that they read; None: all"""
    x = np.concatenate([rows.train.x, rows.joined.x])[:, :columns]
    roots = np.sqrt(np.maximum(np.concatenate([rows.train.y, rows.joined.y]), 0))
    return [
        boosted_trees.fit(objective, x, roots, settings.trees.trees, settings.trees, seed * 1000 + member)
        for objective in OBJECTIVES
        for member in range(settings.members)
    ]


def figures(model: TcByStructure, rows: ElectronPhonon, columns: int | None = None) -> dict:
    """Errors on the validation part: of all structures, of those whose formula is in no part that was learnt, and of
    those with a computed Tc above SUPERCONDUCTOR_K; beside the mean of the training part."""
    val, mean_K = rows.val, float(rows.train.y.mean())
    learnt = set(rows.train.formulas.tolist())
    new = np.array([formula not in learnt for formula in val.formulas.tolist()])
    predicted = model.tc_K(val.x[:, :columns])
    high = val.y > SUPERCONDUCTOR_K
    rank, true_rank = (np.argsort(np.argsort(each)).astype(float) for each in (predicted, val.y))
    return {
        "n": len(val),
        "tc_mae_K": mean_error(predicted, val),
        "mean_of_train_tc_mae_K": mean_error(np.full(len(val), mean_K), val),
        "new_formulas_n": int(new.sum()),
        "new_formulas_tc_mae_K": mean_error(predicted[new], val.where(new)),
        f"above_{SUPERCONDUCTOR_K:g}_K_n": int(high.sum()),
        f"above_{SUPERCONDUCTOR_K:g}_K_tc_mae_K": mean_error(predicted[high], val.where(high)),
        "rank_correlation": float(np.corrcoef(rank, true_rank)[0, 1]),
    }


def mean_error(predicted: Sequence[float] | np.ndarray, rows: PropertyRows) -> float:
    """Mean absolute error in K."""
    return float(np.abs(np.asarray(predicted) - rows.y).mean())
