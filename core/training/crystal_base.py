"""Train `crystal-base`, the network that makes crystal structures without a condition.

The method of the guided diffusion of superconductors, whose base is DiffCSP (Jiao et al. 2023, arXiv:2309.04475), on
the Materials Project instead of Alexandria. Two sizes: one that two cores train in 80 minutes, and on a CUDA device a
larger one. A stored network can be trained in further rounds, see `train_on`.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import nn

from core.errors import InputError
from core.predictors import checkpoint
from core.predictors.layers.bfloat16 import processor_has_bfloat16
from core.structures.diffusion.crystals import Groups
from core.structures.diffusion.lattice_numbers import LatticeScale
from core.structures.diffusion.names import BASE
from core.structures.diffusion.network import CrystalNet, CrystalNetSize
from core.structures.diffusion.weights import ARCHITECTURE, load_crystal_network
from core.training import crystal_data, crystal_samples
from core.training.batches import Batch, GroupedColumns
from core.training.best_weights import VALIDATION_LOSS, BestWeights, training_log
from core.training.crystal_data import CrystalTable
from core.training.crystal_loss import LossSettings, held_out_losses, noise_prediction_loss
from core.training.crystal_samples import SampleSettings
from core.training.loop import FitSettings, Fitting, Report, captures_steps, training_device
from core.training.structure_ranking import RankingSettings, drawn_formulas

LOG_EVERY = 10  # epochs between two losses on the card
PAPERS = ["DiffCSP: arXiv:2309.04475", "Inverse Design of Novel Superconductors via Guided Diffusion"]


@dataclass(frozen=True)
class CrystalSettings:
    """Settings of the training; all of them are written to the card.

    groups : of crystals of similar size, of which each batch has equal shares
    averaging : decay per step of the average of the weights
    samples : what is sampled for the card
    held_out : how the held-out formulas are drawn
    """

    epochs: int = 24
    batch: int = 128
    groups: int = 8
    learning_rate: float = 1.4e-3
    weight_decay: float = 0.0
    averaging: float = 0.999
    size: CrystalNetSize = field(default_factory=CrystalNetSize)
    loss: LossSettings = field(default_factory=LossSettings)
    samples: SampleSettings = field(default_factory=SampleSettings)
    held_out: RankingSettings = field(default_factory=RankingSettings)


LARGE = CrystalSettings(
    epochs=150,
    batch=256,
    learning_rate=1e-3,
    size=CrystalNetSize(width=320, layers=5, frequencies=64),
    samples=SampleSettings(bfloat16=True),
)


def default_settings() -> CrystalSettings:
    """LARGE on a CUDA device; on a CPU the smaller size, in float32 where the processor has no bfloat16."""
    if captures_steps():
        return LARGE
    bfloat16 = processor_has_bfloat16()
    return CrystalSettings(loss=LossSettings(bfloat16=bfloat16), samples=SampleSettings(bfloat16=bfloat16))


def further_settings() -> CrystalSettings:
    """Of a further round: twice the epochs, and more crystals of a given formula, whose structures improve longest."""
    settings = default_settings()
    return replace(settings, epochs=2 * settings.epochs, loss=replace(settings.loss, known_share=0.75))


@dataclass(frozen=True)
class BaseData:
    """The data of the training: what is learned, what measures the loss, and counts for the card."""

    learnt: CrystalTable
    validation: CrystalTable
    counts: dict[str, int]


def read_data(folder: Path, seed: int, settings: CrystalSettings) -> BaseData:
    """The data without the held-out formulas. Raises InputError if the raw data are missing."""
    table, counts = crystal_data.read_base(folder)
    drawn = drawn_formulas(folder, seed, settings.held_out)
    outside = np.isin(table.formulas, list(drawn["outside"]))
    measured = outside & ~np.isin(table.formulas, list(drawn["held_out"]))
    numbers = {"training": int((~outside).sum()), "validation": int(measured.sum())}
    return BaseData(table.where(~outside), table.where(measured), counts | numbers)


def train(folder: Path, out: Path, seed: int, build: Path, settings: CrystalSettings | None = None) -> dict:
    """Train the network, sample from it, write weights and card; returns the card.

    Raises InputError if the raw data are missing, ValueError if they do not make a batch.
    """
    settings = settings or default_settings()
    data = read_data(folder, seed, settings)
    resume = build / f"{BASE}-{seed}"
    scale = LatticeScale.of(data.learnt.numbers, data.learnt.atoms)
    network, _ = _fitted(data, settings, seed, resume, scale)
    return _saved(network, data, settings, seed, seed, (), folder, out, resume)


def train_on(folder: Path, out: Path, seed: int, build: Path, settings: CrystalSettings | None = None) -> dict:
    """Train the network in `out` in a further round, with the data of its card; returns the new card.

    seed : of the order of the batches in this round, another one than in the rounds before
    settings : None: `further_settings`

    The network in `out` is replaced when everything is finished, so that an interrupted round resumes.

    Raises InputError if the raw data are missing, if a round had this seed, or if the loss on held-out crystals is no
    lower than before: then the network in `out` is left as it is; CheckpointError without a network in `out`.
    """
    before = load_crystal_network(BASE, out)
    used = [each["split"]["training_seed"] for each in (*before.card.get("earlier_rounds", ()), before.card)]
    if seed in used:
        raise InputError("seed", seed, "every round of training has another seed", f"Choose another one than {used}")
    settings = replace(
        settings or further_settings(),
        size=before.network.size,
        held_out=RankingSettings(**before.card["settings"]["held_out"]),
    )
    split, scale = before.card["split"]["seed"], before.network.scale
    data = read_data(folder, split, settings)
    lowest = validation_figures(data.validation, scale)(before.network.to(training_device()))[VALIDATION_LOSS]
    resume = build / f"{BASE}-{split}-after-{before.card['sha256'][:12]}-{seed}"
    network, loss = _fitted(data, settings, seed, resume, scale, before.network.cpu().state_dict())
    if loss >= lowest:
        raise InputError(
            "validation loss", loss, f"a further round must lower it, from {lowest:.4f}",
            "Train with another seed; the network is left as it is",
        )  # fmt: skip
    names = ("sha256", "date", "split", "settings", "training")
    rounds = (*before.card.get("earlier_rounds", ()), {name: before.card[name] for name in names})
    _saved(network, data, settings, split, seed, rounds, folder, resume / "finished", resume)
    checkpoint.save(BASE, *checkpoint.load(BASE, ARCHITECTURE, resume / "finished"), out)
    return checkpoint.read_card(BASE, out)


def _fitted(
    data: BaseData, settings: CrystalSettings, seed: int, resume: Path, scale: LatticeScale,
    start: dict[str, torch.Tensor] | None = None,
) -> tuple[CrystalNet, float]:  # fmt: skip
    """The network of the best epoch, and its validation loss. start : its first weights; None: random ones"""
    best = BestWeights(resume, validation_figures(data.validation, scale))
    fitting = _fitting(data, settings, seed, best, scale)
    if start is not None:
        fitting.models[0].load_state_dict(start)
    (network,) = fitting.run([resume])
    best.load_into(network)
    return cast(CrystalNet, network), best.loss


def _saved(
    network: CrystalNet, data: BaseData, settings: CrystalSettings, seed: int, training_seed: int,
    rounds: Sequence[dict], folder: Path, out: Path, resume: Path,
) -> dict:  # fmt: skip
    """Write weights and card; returns the card. rounds : what the cards said of the rounds of training before"""
    by = "formula; nothing is learned from those drawn for structure-ranking"
    card = {
        "name": BASE,
        "architecture": ARCHITECTURE,
        "what": "Noise in crystal structures, without a condition: CSPNet",
        "papers": PAPERS,
        "data": {"mp": crystal_data.ATTRIBUTION["mp"]},
        "licence": "CC BY 4.0, as the data",
        "cleaning": data.counts,
        "split": {"seed": seed, "training_seed": training_seed, "by": by},
        "settings": asdict(settings),
        "lattice": asdict(network.scale),
        "sizes": data.learnt.sizes(),
        "training": training_log(resume, LOG_EVERY),
        "date": datetime.date.today().isoformat(),
    }
    if rounds:
        card["earlier_rounds"] = list(rounds)
    return save_with_figures(BASE, network, card, out, data.validation, folder, resume, settings)


def save_with_figures(
    name: str, network: nn.Module, card: dict, out: Path, validation: CrystalTable, folder: Path, resume: Path,
    settings: CrystalSettings, with_tc: bool = False,
) -> dict:  # fmt: skip
    """Write weights and card, with the figures of the stored 16-bit weights; returns the card.

    "metrics_held_out" are losses, "samples" is what is sampled, which takes minutes to hours and resumes in `resume`.
    """
    tensors = checkpoint.to_storage(network.state_dict())
    checkpoint.save(name, tensors, card, out)
    loaded = load_crystal_network(name, out)
    columns = validation.columns(loaded.network.scale)
    card["metrics_held_out"] = card_losses(loaded.network, columns, with_tc)
    checkpoint.save(name, tensors, card, out)
    card["samples"] = crystal_samples.figures(
        loaded, folder, resume / "samples", card["split"]["seed"], settings.samples, settings.held_out
    )
    checkpoint.save(name, tensors, card, out)
    return checkpoint.read_card(name, out)


def card_losses(network: nn.Module, columns: Batch, with_tc: bool = False) -> dict:
    """The held-out figures of a card: losses of 16-bit weights in float32."""
    return {"n": len(columns[0]), "by_task": held_out_losses(network, columns, with_tc)}


def validation_figures(validation: CrystalTable, scale: LatticeScale, with_tc: bool = False) -> Report:
    """Losses of a network on held-out crystals, on the device of the training; `validation_loss` is their sum."""
    columns = tuple(column.to(training_device()) for column in validation.columns(scale))

    def figures(network: nn.Module) -> dict[str, float]:
        found = held_out_losses(network, columns, with_tc)
        flat = {f"{name}: {part}": value for name, parts in found.items() for part, value in parts.items()}
        given = found["given formula"]
        return flat | {VALIDATION_LOSS: found["any formula"]["loss"] + given["lattice"] + given["positions"]}

    return figures


def fittings(name: str, folder: Path, out: Path, seed: int) -> list[Fitting]:
    """The fit as it begins, without the choice of the best weights. Raises InputError if the raw data are missing."""
    settings = default_settings()
    data = read_data(folder, seed, settings)
    scale = LatticeScale.of(data.learnt.numbers, data.learnt.atoms)
    return [_fitting(data, settings, seed, validation_figures(data.validation, scale), scale)]


def _fitting(data: BaseData, settings: CrystalSettings, seed: int, report: Report, scale: LatticeScale) -> Fitting:
    torch.manual_seed(seed)
    network = CrystalNet(scale, settings.size)
    return fitting_of(BASE, network, data.learnt.columns(scale), settings, seed, report)


def fitting_of(
    name: str, network: CrystalNet, columns: Batch, settings: CrystalSettings, seed: int, report: Report
) -> Fitting:
    """The fit of a network to columns of crystals in the order of their size. Raises ValueError for too few."""
    batches = GroupedColumns(columns, settings.batch, settings.groups, seed)
    fit_settings = FitSettings(
        settings.epochs, batches.steps, settings.learning_rate, settings.weight_decay, settings.averaging, tf32=True
    )
    threads = 1 if captures_steps() else torch.get_num_threads()
    loss = noise_prediction_loss(training_device(), _groups(batches), settings.loss, threads)
    return Fitting(name, [network], [batches], loss, fit_settings, report)


def _groups(batches: GroupedColumns) -> Groups:
    """The shapes of the groups of every batch."""
    atoms = batches.columns[3]
    return Groups(tuple((batches.rows, int(atoms[torch.from_numpy(rows)].max())) for rows in batches.groups))


def held_out_figures(name: str, folder: Path, checkpoints: Path) -> dict:
    """The losses on the card, computed from the weights. Raises CheckpointError; InputError for missing data."""
    loaded = load_crystal_network(name, checkpoints)
    settings = CrystalSettings(held_out=RankingSettings(**loaded.card["settings"]["held_out"]))
    data = read_data(folder, loaded.card["split"]["seed"], settings)
    return card_losses(loaded.network, data.validation.columns(loaded.network.scale))
