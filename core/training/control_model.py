"""Train the control model (checkpoint `judge`): boosted trees for Tc, with the same split of the data as `tc`."""

from __future__ import annotations

import datetime
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from core.predictors import checkpoint
from core.predictors.control_model import ARCHITECTURE, NAME, ControlModel, load_control_model, pack, tree_features
from core.predictors.info import Role
from core.training import boosted_trees, tc


@dataclass(frozen=True)
class ControlModelSettings:
    """Settings of the training; all of them are written to the card."""

    height_trees: int = 1000
    chance_trees: int = 400
    leaves: int = 63
    learning_rate: float = 0.05
    least_in_leaf: int = 3
    share_of_features: float = 0.4
    share_of_rows: float = 0.8


def train(folder: Path, out: Path, seed: int, build: Path, settings: ControlModelSettings | None = None) -> dict:
    """Train, evaluate on the held-out part, write trees and card; returns the card. `build` is not used.

    Raises InputError if the raw data are missing.
    """
    settings = settings or ControlModelSettings()
    tables, counts = tc.read_tables(folder, seed)
    x, y = tc.part(tables, 0)
    n = len(tables[0][1][0])
    features = tree_features(x)
    tc_trees = boosted_trees.fit("regression", features[:n], y[:n], settings.height_trees, settings, seed)
    probability = boosted_trees.fit("binary", features, np.arange(len(y)) < n, settings.chance_trees, settings, seed)
    tensors = {"height": pack(tc_trees), "chance": pack(probability)}
    card = {
        "name": NAME,
        "architecture": ARCHITECTURE,
        "role": Role.CONTROL,
        "what": "Critical temperature (K) from the composition: boosted trees, never optimised",
        "papers": ["LightGBM, Ke et al. 2017", "Magpie, Ward et al. 2016: doi:10.1038/npjcompumats.2016.28"],
        **tc.about_data(counts, seed),
        "settings": asdict(settings),
        "date": datetime.date.today().isoformat(),
    }
    checkpoint.save(NAME, tensors, card, out)
    card["metrics_held_out"] = tc.figures(ControlModel(tc_trees, probability).tc_K, tables)
    checkpoint.save(NAME, tensors, card, out)
    return card


def held_out_figures(name: str, folder: Path, checkpoints: Path) -> dict:
    """The figures of the card, computed from the trees. Raises CheckpointError; InputError if the data are missing."""
    tables, _ = tc.read_tables(folder, checkpoint.read_card(name, checkpoints)["split"]["seed"])
    return tc.figures(load_control_model(name, checkpoints).tc_K, tables)
