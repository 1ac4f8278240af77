"""Train the networks of SuperDiff, one for each class of superconductors, on amounts per formula unit.

Settings as published (Yuan and Dordevic 2024, doi:10.1038/s41598-024-61040-3): 1,000 steps of the cosine schedule, the
network predicts the noise, mean squared error at uniformly drawn steps, NAdam at 1e-4, batches of 64, 100 epochs, 5% of
the rows for validation, no averaged weights. The authors validate at random steps and store every tenth epoch; here the
validation loss is taken on fixed steps and noise, so that epochs and classes can be compared.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from core.chemistry.families import CUPRATE, IRON_BASED, OTHER
from core.generation.diffusion.network import UNet, UNetSize
from core.generation.diffusion.noise_schedule import STEPS, cosine_schedule
from core.generation.diffusion.settings import PREFIX, checkpoint_name
from core.generation.diffusion.weights import ARCHITECTURE, load_noise_predictor
from core.predictors import checkpoint
from core.training.batches import Batch, ShuffledColumns
from core.training.best_weights import VALIDATION_LOSS, BestWeights, training_log
from core.training.loop import FitSettings, Fitting, Report, training_device
from core.training.optimisers import CONSTANT, NADAM
from core.training.superdiff_data import ATTRIBUTION, AmountTable, read_amounts

VALIDATION_PART = 20  # one row in 20, as published
VALIDATION_STEPS = np.arange(STEPS // 40, STEPS, STEPS // 20)  # the middles of 20 equal parts of the schedule
VALIDATION_SEED = 0
VALIDATION_BATCH = 1024
LOG_EVERY = 10  # epochs between two losses on the card


@dataclass(frozen=True)
class SuperDiffSettings:
    """Settings of the training; all of them are written to the card."""

    epochs: int = 100
    batch: int = 64
    learning_rate: float = 1e-4
    size: UNetSize = field(default_factory=UNetSize)


def train(
    of_class: str, folder: Path, out: Path, seed: int, build: Path, settings: SuperDiffSettings | None = None
) -> dict:
    """Train the network of a class, write weights and card; returns the card.

    Raises InputError if the raw data are missing, ValueError if the class has fewer rows than a batch.
    """
    settings = settings or SuperDiffSettings()
    name = checkpoint_name(of_class)
    table = read_amounts(folder, of_class)
    rows, held_out = split(len(table.amounts), seed)
    learnt, validation = (torch.from_numpy(table.amounts[part]).float() for part in (rows, held_out))
    resume = build / f"{name}-{seed}"
    best = BestWeights(resume, validation_figures(validation.to(training_device())))
    (network,) = _fitting(name, learnt, settings, seed, best).run([resume])
    best.load_into(network)
    card = {
        "name": name,
        "architecture": ARCHITECTURE,
        "what": f"Noise in the amounts of a composition, for the class {of_class}: one-dimensional U-Net",
        "papers": ["SuperDiff: doi:10.1038/s41598-024-61040-3"],
        "data": {"superdiff": ATTRIBUTION},
        "cleaning": table.counts,
        "split": _about_split(table, rows, held_out, seed),
        "settings": asdict(settings) | {"normalisation": f"GroupNorm({settings.size.groups})"},
        "training": training_log(resume, LOG_EVERY),
        "date": datetime.date.today().isoformat(),
    }
    tensors = checkpoint.to_storage(network.state_dict())
    checkpoint.save(name, tensors, card, out)
    # The figures are those of the stored 16-bit weights in float32 on the CPU, so they are loaded back first.
    card["metrics_held_out"] = figures(load_noise_predictor(name, out), validation)
    checkpoint.save(name, tensors, card, out)
    return card


def fittings(name: str, folder: Path, out: Path, seed: int) -> list[Fitting]:
    """The fit of the training `name`, as it begins, without the choice of the best weights. `out` is not used.

    Raises InputError if the raw data are missing.
    """
    table = read_amounts(folder, name.removeprefix(PREFIX))
    learnt, validation = (torch.from_numpy(table.amounts[part]).float() for part in split(len(table.amounts), seed))
    report = validation_figures(validation.to(training_device()))
    return [_fitting(name, learnt, SuperDiffSettings(), seed, report)]


def _fitting(name: str, learnt: torch.Tensor, settings: SuperDiffSettings, seed: int, report: Report) -> Fitting:
    """The fit of a new network to amounts (n, 96). Raises ValueError if they are fewer than a batch."""
    batches = ShuffledColumns((learnt,), settings.batch, seed)
    if batches.steps == 0:
        raise ValueError(f"{len(learnt)} rows are fewer than a batch of {settings.batch}")
    fit_settings = FitSettings(
        settings.epochs, batches.steps, settings.learning_rate, weight_decay=0.0, averaging=None, gradient_clip=None,
        optimiser=NADAM, schedule=CONSTANT,
    )  # fmt: skip
    torch.manual_seed(seed)
    network = UNet(settings.size)
    return Fitting(name, [network], [batches], noise_prediction_loss(training_device()), fit_settings, report)


def validation_figures(validation: torch.Tensor) -> Report:
    """The validation loss of a network on amounts (n, 96), on the device of the training."""

    def figures_of(network: nn.Module) -> dict[str, float]:
        return {VALIDATION_LOSS: float(validation_loss(network, validation).mean())}

    return figures_of


train_cuprate = partial(train, CUPRATE)
train_iron_based = partial(train, IRON_BASED)
train_other = partial(train, OTHER)


def split(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows for training and for validation, the latter n // 20 of them, at random.

    By row as published, so that a repeated composition may be in both parts.
    """
    order = np.random.default_rng(seed).permutation(n)
    return np.sort(order[n // VALIDATION_PART :]), np.sort(order[: n // VALIDATION_PART])


def _about_split(table: AmountTable, rows: np.ndarray, held_out: np.ndarray, seed: int) -> dict:
    learnt = {row.tobytes() for row in table.amounts[rows]}
    return {
        "training": len(rows),
        "validation": len(held_out),
        "validation rows whose composition is also in the training part": sum(
            row.tobytes() in learnt for row in table.amounts[held_out]
        ),
        "by": "row, as published",
        "seed": seed,
    }


def noise_prediction_loss(device: torch.device) -> Callable[[nn.Module, Batch], torch.Tensor]:
    """(network, (amounts (n, 96),)) -> mean squared error of the predicted noise, at steps and noise drawn here."""
    signal = torch.from_numpy(cosine_schedule().signal)
    kept, added = (part.sqrt().float().to(device)[:, None] for part in (signal, 1 - signal))

    def loss(network: nn.Module, batch: Batch) -> torch.Tensor:
        (amounts,) = batch
        step = torch.randint(0, STEPS, (len(amounts),), device=device)
        noise = torch.randn_like(amounts)
        return functional.mse_loss(network(kept[step] * amounts + added[step] * noise, step), noise)

    return loss


@torch.no_grad()
def validation_loss(network: nn.Module, amounts: torch.Tensor) -> np.ndarray:
    """Mean squared error of the predicted noise (20,) at each of VALIDATION_STEPS, for amounts (n, 96).

    The noise depends on the number of rows only.
    """
    generator = torch.Generator().manual_seed(VALIDATION_SEED)
    noise = torch.randn(len(VALIDATION_STEPS), *amounts.shape, generator=generator).to(amounts.device)
    signal = torch.from_numpy(cosine_schedule().signal[VALIDATION_STEPS]).float().to(amounts.device)[:, None, None]
    noisy = (signal.sqrt() * amounts + (1 - signal).sqrt() * noise).flatten(0, 1)
    step = torch.from_numpy(VALIDATION_STEPS).to(amounts.device).repeat_interleave(len(amounts))
    parts = zip(noisy.split(VALIDATION_BATCH), step.split(VALIDATION_BATCH), strict=True)
    predicted = torch.cat([network(*part) for part in parts]).view_as(noise)
    return (predicted - noise).square().mean((1, 2)).double().cpu().numpy()


def figures(network: nn.Module, amounts: torch.Tensor) -> dict:
    """The held-out figures of the card, for amounts (n, 96)."""
    losses = validation_loss(network, amounts)
    return {
        "noise_mse": float(losses.mean()),
        "n": len(amounts),
        "by_step": {
            str(step): {"noise_mse": float(value)} for step, value in zip(VALIDATION_STEPS, losses, strict=True)
        },
    }


def held_out_figures(name: str, folder: Path, checkpoints: Path) -> dict:
    """The figures of the card, computed from the weights. Raises CheckpointError; InputError for missing data."""
    table = read_amounts(folder, name.removeprefix(PREFIX))
    _, held_out = split(len(table.amounts), checkpoint.read_card(name, checkpoints)["split"]["seed"])
    return figures(load_noise_predictor(name, checkpoints), torch.from_numpy(table.amounts[held_out]).float())
