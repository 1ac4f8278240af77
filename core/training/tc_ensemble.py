"""Fit `tc-ensemble`: trees and a kernel regression over the superconductors of SuperCon; trees against the COD."""

from __future__ import annotations

import datetime
import hashlib
import json
import shutil
import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from core import elements, references
from core.families import HYDRIDE, families
from core.predictors import checkpoint
from core.predictors.composition_kernel import CompositionKernel, KernelShape
from core.predictors.interface import predict_in_batches
from core.predictors.registry import load_predictor
from core.predictors.smooth_trees import SmoothTrees, pack_trees
from core.predictors.tc_ensemble import ARCHITECTURE, ErrorScale, Gate, TcEnsemble
from core.training import data, kernel_regression, metrics, smooth_trees, tc
from core.training.smooth_trees import BoostingSettings

NAME = "tc-ensemble"
FOLDS = 5
FAMILIAR = 0.95  # share of the systems held out that are nearer to what is known than `familiar_distance`


# Two sets of trees look for the best thresholds, two among a few drawn at random: their errors differ.
HEIGHTS = (BoostingSettings(), BoostingSettings(thresholds=3)) * 2


@dataclass(frozen=True)
class TcEnsembleSettings:
    """What can be set about this fit; all of it goes into the card.

    heights : of each set of trees that says how high; their mean counts
    chance : of the trees that say whether at all
    root_width : of a step in the root of a fraction; other_width : in the other features, in their spreads
    distance_width : in the distance to the nearest known superconductor
    share : of what the trees say that is kept: they learnt from the same rows as the regression of what they leave, and
        leave less of these than of others
    ridge : of the kernel regression; k of a composition with itself is nearly 1
    surprise_K : a row counts half, in the trees and in the regression, if all others contradict it by so much
    """

    heights: tuple[BoostingSettings, ...] = HEIGHTS
    chance: BoostingSettings = field(default_factory=lambda: BoostingSettings(trees=500, learning_rate=0.3, ridge=0.3))
    root_width: float = 0.006
    other_width: float = 0.03
    distance_width: float = 0.01
    share: float = 0.85
    kernel: KernelShape = field(default_factory=KernelShape)
    ridge: float = 0.05
    surprise_K: float = 15.0
    gate: Gate = field(default_factory=Gate)

    @classmethod
    def from_card(cls, card: dict) -> TcEnsembleSettings:
        """As they were when this checkpoint was fitted."""
        kinds = {"chance": BoostingSettings, "kernel": KernelShape, "gate": Gate}
        given = {key: kinds[key](**value) if key in kinds else value for key, value in card["settings"].items()}
        return cls(**given | {"heights": tuple(BoostingSettings(**each) for each in given["heights"])})


@dataclass(frozen=True)
class Regression:
    """How high Tc is, for a superconductor: trees, and the kernel regression of what they leave."""

    heights: list[SmoothTrees]
    kernel: CompositionKernel
    widths: np.ndarray

    @classmethod
    def fit(cls, x: np.ndarray, y: np.ndarray, settings: TcEnsembleSettings, seed: int) -> Regression:
        """Compositions (n, 118), Tc (n,) in K."""
        described = kernel_regression.described(x)
        seen = described.numpy()
        widths = np.full(seen.shape[1], settings.root_width)
        others = slice(elements.N_ELEMENTS, None)
        widths[others] = settings.other_width * seen[:, others].std(0).clip(1e-9)
        trust = _trust(x, y, settings)
        heights = [
            smooth_trees.fit_heights(seen, y, widths, each, seed + i, trust).times(settings.share)
            for i, each in enumerate(settings.heights)
        ]
        left = y - _mean(heights, described)
        return cls(heights, kernel_regression.fit(x, left, settings.ridge / trust, settings.kernel), widths)

    def __call__(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Compositions (n, 118) -> Tc in K, never negative, and D (n,)."""
        described = self.kernel.described(torch.from_numpy(x))
        left, distance = self.kernel.at(described)
        return np.maximum(_mean(self.heights, described) + left.numpy(), 0), distance.numpy()


def train(folder: Path, out: Path, seed: int, build: Path, settings: TcEnsembleSettings | None = None) -> dict:
    """Fit on the same part as `tc`, evaluate, write weights and card; returns the card.

    build : folder where folds that are done are kept, so that an interrupted training goes on from there
    """
    settings = settings or TcEnsembleSettings()
    tables, counts = tc.read_tables(folder, seed)
    superconductors, (learnt, valid, _) = tables[0]
    x, y = superconductors.compositions[learnt], superconductors.values[learnt]
    regression = Regression.fit(x, y, settings, seed)
    chance = _fit_chance(tc.part(tables, 0)[0], len(x), regression, settings, seed)
    trees = {f"height{i}": each for i, each in enumerate(regression.heights)} | {"chance": chance}
    systems = SystemsHeldOut.of(tables[0], settings, seed, build)
    error_scale = fit_error_scale(*systems.part(0))
    familiar = float(np.quantile(systems.part(0)[1], FAMILIAR)) - settings.kernel.soft
    known = (tc.part(tables, 0)[0] > 0).any(0)
    card = {
        "name": NAME,
        "architecture": ARCHITECTURE,
        "what": "Critical temperature (K) from the composition: smooth trees, corrected by known superconductors",
        "papers": [
            "Friedman 2001, doi:10.1214/aos/1013203451; Prokhorenkova et al. 2018, arXiv:1706.09516",
            "Geurts et al. 2006, doi:10.1007/s10994-006-6226-1",
            "Rasmussen and Williams 2006, Gaussian Processes for Machine Learning, eq. 2.25 and 5.12",
            "Konno et al. 2021: doi:10.1103/PhysRevB.103.014509",
        ],
        **tc.about_data(counts, seed),
        "settings": asdict(settings),
        "bias": {part: each.bias for part, each in trees.items()},
        "error_scale": asdict(error_scale),
        "familiar_distance": familiar,
        "known_elements": [s for s, is_known in zip(elements.symbols(), known, strict=True) if is_known],
        "date": datetime.date.today().isoformat(),
    }
    tensors = {
        **references.pack_compositions(x),
        "weights": regression.kernel.weights,
    }
    for part, each in trees.items():
        tensors |= pack_trees(each, part)
    checkpoint.save(NAME, tensors, card, out)
    predictor = load_predictor(NAME, out)
    predicted = predict_in_batches(predictor, torch.from_numpy(superconductors.compositions[valid]).float())
    card["validation_mae_K"] = metrics.mean_absolute_error(predicted, superconductors.values[valid])
    card["metrics_held_out"] = _figures(predictor, tables, systems)
    checkpoint.save(NAME, tensors, card, out)
    return card


def _mean(heights: list[SmoothTrees], described: torch.Tensor) -> np.ndarray:
    return np.mean([trees(described).double().numpy() for trees in heights], axis=0)


def _trust(x: np.ndarray, y: np.ndarray, settings: TcEnsembleSettings) -> np.ndarray:
    """Weight (n,) of each row, from 0 to 1: 1 / (1 + (error when left out / surprise_K)^2).

    Hydrides count in full: it is the pressure, which no composition knows, that sets them apart.
    """
    error = kernel_regression.errors_left_out(x, y, settings.ridge, settings.kernel)
    return np.where(families(x) == HYDRIDE, 1.0, 1 / (1 + (error / settings.surprise_K) ** 2))


def _fit_chance(
    x: np.ndarray, n_superconductors: int, regression: Regression, settings: TcEnsembleSettings, seed: int
) -> SmoothTrees:
    """Trees for the odds of a superconductor, of which the first rows of x (n, 118) are."""
    seen = kernel_regression.described(x)
    distance = kernel_regression.nearest_other(settings.kernel.coordinates(seen), n_superconductors, settings.kernel)
    seen = np.column_stack([seen.numpy(), distance])
    widths = np.append(regression.widths, settings.distance_width)
    return smooth_trees.fit_chances(seen, np.arange(len(x)) < n_superconductors, widths, settings.chance, seed)


def held_out_figures(name: str, folder: Path, checkpoints: Path) -> dict:
    """The figures of this checkpoint's card, found now: takes FOLDS fits, some minutes.

    Raises CheckpointError; InputError if the data are missing.
    """
    card = checkpoint.read_card(name, checkpoints)
    seed = card["split"]["seed"]
    tables, _ = tc.read_tables(folder, seed)
    systems = SystemsHeldOut.of(tables[0], TcEnsembleSettings.from_card(card), seed)
    return _figures(load_predictor(name, checkpoints), tables, systems)


def _figures(predictor: TcEnsemble, tables: tc.Tables, systems: SystemsHeldOut) -> dict:
    predicted, distance, measured = systems.part(2)
    inside = metrics.inside_intervals(predicted - measured, predictor.error_scale(predicted, distance))
    ambient = ~systems.under_pressure
    found = {
        "folds": FOLDS,
        **systems_figures(systems.predicted, systems.measured),
        "without_hydrides_under_pressure": systems_figures(systems.predicted[ambient], systems.measured[ambient]),
        "inside_intervals": inside,
    }
    return tc.evaluate(predictor, tables) | {"systems_held_out": found}


@dataclass(frozen=True)
class SystemsHeldOut:
    """The regression alone on chemical systems that it never saw, for every composition with a measured Tc.

    predicted, distance, measured : (n,) Tc in K, D to what the regression saw, Tc in K
    under_pressure : (n,) bool; hydrides that superconduct under a megabar only, of which the composition says nothing
    parts : rows of the three parts of the split; errors and distances to be expected are fitted on the first
    """

    predicted: np.ndarray
    distance: np.ndarray
    measured: np.ndarray
    under_pressure: np.ndarray
    parts: list[np.ndarray]

    @classmethod
    def of(
        cls,
        superconductors: tuple[data.Table, list[np.ndarray]],
        settings: TcEnsembleSettings,
        seed: int,
        build: Path | None = None,
    ) -> SystemsHeldOut:
        """FOLDS fits. Systems (sets of elements) are dealt to folds by name: the folds are the same everywhere.

        build : folder where each fold is kept as soon as it is done, until all are
        """
        table, parts = superconductors
        rows = np.sort(np.concatenate(parts))
        x, y = table.compositions[rows], table.values[rows]
        fold = np.array([zlib.crc32(" ".join(_system(row)).encode()) % FOLDS for row in x])
        predicted, distance = np.zeros(len(x)), np.zeros(len(x))
        kept = build and build / f"{NAME}-{_print(x, y, settings, seed)}"
        for k in tqdm(range(FOLDS), desc="systems held out"):
            out = fold == k

            def held_out(out: np.ndarray = out) -> np.ndarray:
                return np.stack(Regression.fit(x[~out], y[~out], settings, seed)(x[out]))

            predicted[out], distance[out] = _once(held_out, kept and kept / f"fold-{k}.npy")
        if kept:
            shutil.rmtree(kept)
        formulas = np.array(table.formulas)[rows]
        megabar = np.isin(formulas, data.HYDRIDES_UNDER_A_MEGABAR)
        return cls(predicted, distance, y, megabar, [np.searchsorted(rows, part) for part in parts])

    def part(self, which: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Predicted, distance, measured of one part of the split."""
        rows = self.parts[which]
        return self.predicted[rows], self.distance[rows], self.measured[rows]


def _print(x: np.ndarray, y: np.ndarray, settings: TcEnsembleSettings, seed: int) -> str:
    """Of all that the folds depend on but the code."""
    content = [x.tobytes(), y.tobytes(), json.dumps([asdict(settings), seed]).encode()]
    return hashlib.sha256(b"".join(content)).hexdigest()[:16]


def _once(make: Callable[[], np.ndarray], path: Path | None) -> np.ndarray:
    """What is kept there, or what `make` makes, kept there from then on; without a path nothing is kept."""
    if path is not None and path.exists():
        return np.load(path)
    made = make()
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        with partial.open("wb") as file:
            np.save(file, made)
        partial.replace(path)
    return made


def _system(composition: np.ndarray) -> list[str]:
    names = elements.symbols()
    return [names[i] for i in np.flatnonzero(composition)]


def fit_error_scale(predicted: np.ndarray, distance: np.ndarray, measured: np.ndarray) -> ErrorScale:
    """The scale of Laplace's distribution for the errors, by maximum likelihood."""

    def scale(parameters: np.ndarray) -> np.ndarray:
        return ErrorScale(*parameters)(predicted, distance)

    found = metrics.fit_scale(predicted - measured, scale, [1.0, 0.05, 0.3, 0.06, 0.2])
    return ErrorScale(*(float(value) for value in found))


def systems_figures(predicted: np.ndarray, measured: np.ndarray) -> dict:
    """Errors on systems held out; predicted and measured (n,) in K."""
    return {
        "n": len(measured),
        "tc_mae_K": metrics.mean_absolute_error(predicted, measured),
        "tc_median_absolute_error_K": metrics.median_absolute_error(predicted, measured),
        "tc_r2": metrics.r_squared(predicted, measured),
    }
