"""Train `crystal-tc`: `crystal-base` tuned with an adapter on crystals with a computed Tc.

Network and adapter are tuned together; the Tc of a share of the crystals is not given, so that the same network also
predicts without a condition (classifier-free guidance, Ho and Salimans 2021). The paper tunes on 7,183 superconductors.
"""

from __future__ import annotations

import datetime
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch

from core.predictors import checkpoint
from core.structures.diffusion.names import BASE, WITH_TC
from core.structures.diffusion.network import CrystalNet
from core.structures.diffusion.weights import ARCHITECTURE, CrystalModel, load_crystal_network
from core.training import crystal_data
from core.training.best_weights import BestWeights, training_log
from core.training.crystal_base import (
    LOG_EVERY,
    PAPERS,
    CrystalSettings,
    card_losses,
    default_settings,
    fitting_of,
    save_with_figures,
    validation_figures,
)
from core.training.crystal_data import CrystalTable
from core.training.loop import Fitting, Report
from core.training.structure_ranking import RankingSettings, drawn_formulas


@dataclass(frozen=True)
class TuningData:
    """The data of the tuning: what is learned, what measures the loss, and counts for the card."""

    learnt: CrystalTable
    validation: CrystalTable
    counts: dict[str, int]


def tuning_settings(base: CrystalModel) -> CrystalSettings:
    """The settings of the tuning of a base network, which has its size and its held-out formulas."""
    settings = default_settings()
    return replace(
        settings,
        epochs=100,
        batch=64,
        learning_rate=3e-4,
        size=replace(base.network.size, adapter=True),
        loss=replace(settings.loss, dropped_share=0.2),
        held_out=RankingSettings(**base.card["settings"]["held_out"]),
    )


def read_data(folder: Path, base: CrystalModel, settings: CrystalSettings) -> TuningData:
    """The data without the formulas held out from the base network. Raises InputError if the raw data are missing."""
    learnt, validation, counts = crystal_data.read_tuning(folder)
    drawn = drawn_formulas(folder, base.card["split"]["seed"], settings.held_out)
    outside = np.isin(learnt.formulas, list(drawn["outside"]))
    counts |= {"held-out formula": int(outside.sum()), "training": int((~outside).sum()), "validation": len(validation)}
    return TuningData(learnt.where(~outside), validation, counts)


def train(folder: Path, out: Path, seed: int, build: Path, settings: CrystalSettings | None = None) -> dict:
    """Tune the base network in `out`, sample from it, write weights and card; returns the card.

    Raises InputError if the raw data are missing, CheckpointError without `crystal-base`.
    """
    base = load_crystal_network(BASE, out)
    settings = settings or tuning_settings(base)
    data = read_data(folder, base, settings)
    resume = build / f"{WITH_TC}-{seed}"
    best = BestWeights(resume, validation_figures(data.validation, base.network.scale, with_tc=True))
    (network,) = _fitting(data, base, settings, seed, best).run([resume])
    best.load_into(network)
    tc_K = data.learnt.tc_K
    card = {
        "name": WITH_TC,
        "architecture": ARCHITECTURE,
        "what": "Noise in crystal structures, with or without a Tc: CSPNet with an adapter",
        "papers": PAPERS,
        "data": crystal_data.TUNING_ATTRIBUTION,
        "licence": "CC BY 4.0, as the data",
        "cleaning": data.counts,
        "tc_K": {f"percentile_{q}": float(np.percentile(tc_K, q)) for q in (0, 10, 50, 90, 99, 100)},
        # Held-out formulas are those of the base network: drawn with its seed.
        "split": {"seed": base.card["split"]["seed"], "training_seed": seed, "by": "that of JARVIS, by formula"},
        "base_sha256": base.card["sha256"],
        "settings": asdict(settings),
        "lattice": asdict(base.network.scale),
        "sizes": data.learnt.sizes(),
        "training": training_log(resume, LOG_EVERY),
        "date": datetime.date.today().isoformat(),
    }
    return save_with_figures(WITH_TC, network, card, out, data.validation, folder, resume, settings, with_tc=True)


def tuned_from(base: CrystalModel, settings: CrystalSettings, seed: int) -> CrystalNet:
    """A network with an adapter that predicts exactly what the base network predicts."""
    torch.manual_seed(seed)
    network = CrystalNet(base.network.scale, settings.size)
    missing = network.load_state_dict(base.network.state_dict(), strict=False)
    if missing.unexpected_keys or any(not key.startswith("adapters.") for key in missing.missing_keys):
        raise checkpoint.CheckpointError(f"{BASE} has another size than {WITH_TC}. Train both again.")
    return network


def fittings(name: str, folder: Path, out: Path, seed: int) -> list[Fitting]:
    """The fit as it begins. Raises InputError if the raw data are missing, CheckpointError without `crystal-base`."""
    base = load_crystal_network(BASE, out)
    settings = tuning_settings(base)
    data = read_data(folder, base, settings)
    report = validation_figures(data.validation, base.network.scale, with_tc=True)
    return [_fitting(data, base, settings, seed, report)]


def _fitting(data: TuningData, base: CrystalModel, settings: CrystalSettings, seed: int, report: Report) -> Fitting:
    network = tuned_from(base, settings, seed)
    return fitting_of(WITH_TC, network, data.learnt.columns(base.network.scale), settings, seed, report)


def held_out_figures(name: str, folder: Path, checkpoints: Path) -> dict:
    """The losses on the card, computed from the weights. Raises CheckpointError; InputError for missing data."""
    loaded = load_crystal_network(name, checkpoints)
    _, validation, _ = crystal_data.read_tuning(folder)
    return card_losses(loaded.network, validation.columns(loaded.network.scale), with_tc=True)
