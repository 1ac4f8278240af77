"""Train `tc`: ResNet18 on SuperCon, with a Tc of 0 K for the compositions of the COD (KIAGO S.1; Konno et al. 2021)."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from core.chemistry import elements
from core.chemistry.families import FAMILIES, families
from core.predictors import checkpoint
from core.predictors.features.periodic_table_image import element_pixels, periodic_table_image
from core.predictors.info import Role
from core.predictors.interface import Predictor, predict_in_batches
from core.predictors.registry import load_predictor
from core.predictors.tc.resnet import ARCHITECTURE, TC_SCALE_K, ResNet18, TcResNet, load_tc_resnet
from core.training import data, metrics
from core.training.batches import Batch
from core.training.loop import FitSettings, Fitting, training_device

NAME = "tc"
SPLIT = (0.80, 0.05, 0.15)  # train, validation, test; by composition
SUPERCONDUCTOR_K = 1.0  # "superconductor" in the precision figure: Tc > 1 K (Konno et al. 2021)
TC_RANGES_K = (0, 10, 40, 77)
DISTANCE_RANGES = (0, 0.01, 0.03, 0.1, 0.3)


@dataclass(frozen=True)
class TcSettings:
    """Settings of the training; all of them are written to the card."""

    epochs: int = 150
    batch: int = 256
    zeros_per_superconductor: float = 1.0  # COD compositions, drawn in each epoch
    jitter: float = 0.01  # relative noise on the fractions, about the accuracy of a synthesis
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    averaging: float = 0.99  # short, because the statistics of batch norm must match the weights


def train(folder: Path, out: Path, seed: int, build: Path, settings: TcSettings | None = None) -> dict:
    """Train, evaluate on the held-out part, write weights and card; returns the card.

    Raises InputError if the raw data are missing.
    """
    settings = settings or TcSettings()
    tables, counts = read_tables(folder, seed)
    (model,) = _fitting(tables, seed, settings).run([build / f"{NAME}-{seed}"])
    known = (part(tables, 0)[0] > 0).sum(0)
    card = {
        "name": NAME,
        "architecture": ARCHITECTURE,
        "role": Role.TC,
        "what": "Critical temperature (K) from the composition: ResNet18 on the periodic-table image",
        "papers": ["KIAGO: doi:10.1039/d5dd00250h", "Konno et al. 2021: doi:10.1103/PhysRevB.103.014509"],
        **about_data(counts, seed),
        "settings": asdict(settings),
        "known_elements": [s for s, n in zip(elements.symbols(), known, strict=True) if n > 0],
        "date": datetime.date.today().isoformat(),
    }
    checkpoint.save(NAME, checkpoint.to_storage(model.state_dict()), card, out)
    # The figures are those of the stored 16-bit weights, so they are loaded back first.
    card["metrics_held_out"] = evaluate(load_tc_resnet(NAME, out), tables)
    checkpoint.save(NAME, checkpoint.load(NAME, ARCHITECTURE, out)[0], card, out)
    return card


Tables = list[tuple[data.Table, list[np.ndarray]]]  # superconductors and COD, each with the rows of its three parts


def fittings(name: str, folder: Path, out: Path, seed: int) -> list[Fitting]:
    """The fit of the training, as it begins. `out` is not used. Raises InputError if the raw data are missing."""
    return [_fitting(read_tables(folder, seed)[0], seed, TcSettings())]


def _fitting(tables: Tables, seed: int, settings: TcSettings) -> Fitting:
    """The fit of a new network on the training part, reported on the validation part."""
    train_x, train_y = part(tables, 0)
    n_positive = len(tables[0][1][0])
    valid_x, valid_y = part(tables, 1)
    n_valid = len(tables[0][1][1])
    torch.manual_seed(seed)
    model = ResNet18()
    pixels = element_pixels().to(training_device())
    n_zeros = min(int(n_positive * settings.zeros_per_superconductor), len(train_y) - n_positive)
    steps = (n_positive + n_zeros) // settings.batch

    def batches(epoch: int) -> Iterator[Batch]:
        random = np.random.default_rng([seed, epoch])
        zeros = n_positive + random.permutation(len(train_y) - n_positive)[:n_zeros]
        order = random.permutation(np.concatenate([np.arange(n_positive), zeros]))
        for k in range(steps):
            rows = order[k * settings.batch : (k + 1) * settings.batch]
            x = train_x[rows] * (1 + settings.jitter * random.standard_normal((len(rows), elements.N_ELEMENTS)))
            x = np.maximum(x, 0)
            yield torch.tensor(x / x.sum(1, keepdims=True)).float(), torch.tensor(train_y[rows]).float()

    def loss(network: ResNet18, batch: Batch) -> torch.Tensor:
        x, y = batch
        image = periodic_table_image(x, pixels)
        output, target = network(image), y / TC_SCALE_K
        # The predictor ends in a ReLU: an output below zero is correct for Tc = 0, and needs a gradient for Tc > 0.
        return torch.where(target > 0, (output - target).abs(), torch.relu(output)).mean()

    def report(network: ResNet18) -> dict[str, float]:
        predictor = TcResNet(NAME, network).to(training_device()).eval()
        predicted = predict_in_batches(predictor, torch.from_numpy(valid_x).float().to(training_device()))[:n_valid]
        true = valid_y[:n_valid]
        return {
            "validation_mae_K": metrics.mean_absolute_error(predicted, true),
            "validation_r2": metrics.r_squared(predicted, true),
        }

    fit_settings = FitSettings(
        settings.epochs, steps, settings.learning_rate, settings.weight_decay, settings.averaging
    )
    return Fitting(NAME, [model], [batches], loss, fit_settings, report)


def read_tables(folder: Path, seed: int) -> tuple[Tables, dict[str, int]]:
    """The data with their split, and the counts of the cleaning. Raises InputError if the data are missing."""
    positive = data.read_superconductors(folder)
    negative = data.read_non_superconductors(folder, positive)
    tables = [(table, data.split(len(table.values), SPLIT, seed)) for table in (positive, negative)]
    wrong = data.misread(positive)
    tables[0] = (positive, [rows[~wrong[rows]] for rows in tables[0][1]])
    left_out = {"left out of every part: misread or amount of oxygen not given": int(wrong.sum())}
    return tables, {**positive.counts, **negative.counts, **left_out}


def about_data(counts: dict[str, int], seed: int) -> dict:
    """The entries about data on the card of every Tc model: sources, cleaning, split."""
    return {
        "data": {k: data.ATTRIBUTION[k] for k in ("supercon", "stanev", "cod")},
        "cleaning": counts,
        "known_errors": {f: reason for f, (_, reason) in data.KNOWN_ERRORS.items()} | data.MISREAD,
        "split": {"shares": SPLIT, "by": "composition", "seed": seed},
    }


def part(tables: Tables, which: int) -> tuple[np.ndarray, np.ndarray]:
    """Compositions (n, 118) and Tc (n,) in K of one part of the split, 0 to 2; superconductors first."""
    x = np.concatenate([table.compositions[parts[which]] for table, parts in tables])
    y = np.concatenate([table.values[parts[which]] for table, parts in tables])
    return x, y


def evaluate(predictor: Predictor, tables: Tables) -> dict:
    """Every held-out figure of a predictor's card; see `figures`."""
    return figures(lambda x: predict_in_batches(predictor, torch.from_numpy(x).float()), tables)


def figures(tc_K: Callable[[np.ndarray], np.ndarray], tables: Tables) -> dict:
    """Every figure on the held-out 15% of SuperCon and of the COD, of tc_K: compositions (n, 118) -> K (n,)."""
    (positive, parts), _ = tables
    x, y = part(tables, 2)
    predicted = tc_K(x)
    n = len(parts[2])
    precision, recall = metrics.precision_recall(predicted, y, SUPERCONDUCTOR_K)
    error, true = predicted[:n] - y[:n], y[:n]
    distance = nearest_distance(x[:n], positive.compositions[parts[0]])
    return {
        "tc_mae_K": metrics.mean_absolute_error(predicted[:n], true),
        "tc_median_absolute_error_K": metrics.median_absolute_error(predicted[:n], true),
        "tc_r2": metrics.r_squared(predicted[:n], true),
        "precision_above_1_K_with_cod": precision,
        "recall_above_1_K_with_cod": recall,
        "precision_at_recall_0.9_with_cod": metrics.precision_at_recall(predicted, y > SUPERCONDUCTOR_K, 0.9),
        "n_superconductors": n,
        "n_cod": len(y) - n,
        "by_family": _errors_by(families(x[:n]), FAMILIES, error),
        "by_measured_tc": _errors_by(*metrics.in_ranges(true, TC_RANGES_K, "K"), error),
        "by_distance_to_training": _errors_by(*metrics.in_ranges(distance, DISTANCE_RANGES), error),
    }


def _errors_by(group: np.ndarray, names: Sequence[str], error: np.ndarray) -> dict[str, dict[str, float]]:
    """Size, mean and median absolute error, and mean error of each group that has members."""
    return {
        name: {
            "n": int((group == name).sum()),
            "tc_mae_K": float(np.abs(error[group == name]).mean()),
            "tc_median_absolute_error_K": float(np.median(np.abs(error[group == name]))),
            "tc_mean_error_K": float(error[group == name].mean()),
        }
        for name in names
        if (group == name).any()
    }


def nearest_distance(x: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Fraction of the atoms (n,), from 0 to 1, by which compositions (n, 118) differ from the nearest of `known`."""
    others = torch.from_numpy(known).float()
    parts = torch.from_numpy(x).float().split(256)
    return torch.cat([torch.cdist(rows, others, p=1).amin(1) / 2 for rows in parts]).numpy()


def held_out_figures(name: str, folder: Path, checkpoints: Path) -> dict:
    """The figures of the card, computed from the weights. Raises CheckpointError; InputError for missing data."""
    predictor = load_predictor(name, checkpoints)
    tables, _ = read_tables(folder, checkpoint.read_card(name, checkpoints)["split"]["seed"])
    return evaluate(predictor, tables)
