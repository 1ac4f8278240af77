"""Train `metal-classifier`: whether PBE calculations find a band gap in a structure, measured on held-out formulas."""

from __future__ import annotations

import datetime
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from core.predictors import checkpoint
from core.predictors.control_model import pack
from core.structures.property_features import NAMES
from core.structures.structure_models import (
    METAL_ARCHITECTURE,
    METAL_NAME,
    MetalClassifier,
    load_metal_classifier,
)
from core.training import boosted_trees, structure_data
from core.training.structure_properties import (
    COMPOSITION,
    PropertyRows,
    TreeSettings,
    drawn_formulas,
    read_properties,
)

FILES = ("structures_general_mp20",)
# C. Chen et al., Chemistry of Materials 31, 3564 (2019), doi:10.1021/acs.chemmater.9b01294;
# other structures than those held out.
PUBLISHED = {"metals_right": 0.79, "non_metals_right": 0.91}


@dataclass(frozen=True)
class MetalSettings:
    """Shares of the formulas that are held out, and that set the threshold; settings of the trees."""

    held_out: float = 0.1
    for_threshold: float = 0.1
    trees: TreeSettings = field(default_factory=lambda: TreeSettings(400, 63, 0.05, 10, 0.3, 0.8))


def train(folder: Path, out: Path, seed: int, build: Path, settings: MetalSettings | None = None) -> dict:
    """Fit, measure on held-out formulas, write trees and card; returns the card. `build` is not used.

    The threshold is that at which both classes are right equally often, on formulas that are in no other part.

    Raises InputError if the raw data are missing.
    """
    settings = settings or MetalSettings()
    rows, counts = read_gaps(folder)
    fit, threshold_part, held_out = parts(rows, settings, seed)
    trees = boosted_trees.fit("binary", fit.x, fit.y, settings.trees.trees, settings.trees, seed)
    threshold = equal_threshold(np.asarray(trees.predict(threshold_part.x, num_threads=1)), threshold_part.y)
    model = MetalClassifier(trees, threshold)
    composition = boosted_trees.fit("binary", fit.x[:, :COMPOSITION], fit.y, settings.trees.trees, settings.trees, seed)
    own = np.asarray(composition.predict(threshold_part.x[:, :COMPOSITION], num_threads=1))
    by_composition = MetalClassifier(composition, equal_threshold(own, threshold_part.y))
    card = {
        "name": METAL_NAME,
        "architecture": METAL_ARCHITECTURE,
        "what": "Metal or not, by whether PBE finds a band gap in the structure: boosted trees",
        "papers": ["LightGBM, Ke et al. 2017"],
        "data": {"mp": structure_data.ATTRIBUTION["mp"]},
        "licence": "CC BY 4.0, as the data",
        "split": {
            "seed": seed, "by": "formula", "fitted": len(fit), "for_threshold": len(threshold_part),
            "held_out": len(held_out),
        },
        "rows_left_out": dict(counts),
        "settings": asdict(settings),
        "features": list(NAMES),
        "threshold": threshold,
        "metrics_held_out": figures(model, held_out),
        "metrics_of_composition_alone": figures(by_composition, held_out, COMPOSITION),
        "published_by_megnet": PUBLISHED,
        "date": datetime.date.today().isoformat(),
    }  # fmt: skip
    checkpoint.save(METAL_NAME, {"trees": pack(trees)}, card, out)
    return card


def held_out_figures(name: str, folder: Path, checkpoints: Path) -> dict:
    """The figures of the card, computed from the trees. Raises CheckpointError; InputError if the data are missing."""
    card = checkpoint.read_card(name, checkpoints)
    given = card["settings"]
    settings = MetalSettings(given["held_out"], given["for_threshold"], TreeSettings(**given["trees"]))
    rows, _ = read_gaps(folder)
    return figures(load_metal_classifier(checkpoints), parts(rows, settings, card["split"]["seed"])[2])


def read_gaps(folder: Path) -> tuple[PropertyRows, Counter]:
    """The structures with a known PBE band gap; the value is 1 for those without a gap, 0 for the others."""
    counts: Counter = Counter()

    def known():
        for name in FILES:
            for row in structure_data.read_rows(folder / f"{name}.jsonl.gz"):
                if row.get("gap_pbe") is None:
                    counts["no known band gap"] += 1
                else:
                    yield row

    return read_properties(known(), lambda row: float(row["gap_pbe"] <= 0), counts), counts


def parts(rows: PropertyRows, settings: MetalSettings, seed: int) -> tuple[PropertyRows, PropertyRows, PropertyRows]:
    """The rows that are fitted, that set the threshold, and that are held out: no formula is in two of them."""
    held_out = drawn_formulas(rows.formulas, settings.held_out, seed)
    others = [formula for formula in rows.formulas.tolist() if formula not in held_out]
    threshold = drawn_formulas(others, settings.for_threshold, seed + 1)
    part = np.array([2 if f in held_out else 1 if f in threshold else 0 for f in rows.formulas.tolist()])
    fit, setting, measured = (rows.where(part == i) for i in range(3))
    return fit, setting, measured


def equal_threshold(probabilities: np.ndarray, metal: np.ndarray) -> float:
    """The probability at which the share of metals above it equals the share of non-metals below it."""
    grid = np.linspace(0.01, 0.99, 197)
    metals, others = probabilities[metal > 0.5], probabilities[metal <= 0.5]
    difference = [abs((metals >= t).mean() - (others < t).mean()) for t in grid]
    return float(grid[int(np.argmin(difference))])


def figures(model: MetalClassifier, rows: PropertyRows, columns: int | None = None) -> dict:
    """Share of the metals and of the non-metals that are right, and their mean, the balanced accuracy.

    columns : number of features that the model reads; None: all
    """
    right = (model.probabilities(rows.x[:, :columns]) >= 0.5) == (rows.y > 0.5)
    metal = rows.y > 0.5
    metals, others = float(right[metal].mean()), float(right[~metal].mean())
    return {
        "n": len(rows),
        "formulas": len(set(rows.formulas.tolist())),
        "metals": int(metal.sum()),
        "metals_right": metals,
        "non_metals_right": others,
        "balanced_accuracy": (metals + others) / 2,
    }
