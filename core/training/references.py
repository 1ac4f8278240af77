"""Build `references`: hull phases with our own energies, known superconductors, element frequencies."""

from __future__ import annotations

import datetime
import gzip
from pathlib import Path

import numpy as np
import torch

from core import references
from core.composition import composition_vector, parse_formula
from core.predictors import checkpoint
from core.predictors.interface import Predictor, predict_in_batches
from core.predictors.registry import load_predictor
from core.screening.hull import Hull
from core.training import data, formation_energy

ON_THE_HULL = 1e-6  # eV/atom: rounding


def train(folder: Path, out: Path, seed: int, build: Path) -> dict:
    """Build the tables with the formation-energy predictors in `out`; returns the card. `seed`, `build`: not used.

    Raises CheckpointError if `out` holds none.
    """
    names = [name for name in formation_energy.RECIPES if checkpoint.paths(name, out)[1].exists()]
    predictors = [load_predictor(name, out) for name in names or [formation_energy.NAME]]
    formulas, compositions, counts = _phases(folder)
    energies = {predictor.name: _energies(predictor, compositions) for predictor in predictors}
    for name, values in energies.items():
        counts[f"phases with an element that {name} does not know"] = int(np.isnan(values).sum())
        counts[f"phases on or below the elements' line by {name}"] = int((values < 0).sum())
    superconductors = data.read_superconductors(folder)
    cod = data.read_non_superconductors(folder, superconductors)
    wrong = data.misread(superconductors)
    counts["superconductors: misread or amount of oxygen not given"] = int(wrong.sum())
    known = superconductors.subset((superconductors.values > 0) & ~wrong)
    frequencies = (known.compositions > 0).sum(0)
    training_counts = (superconductors.compositions > 0).sum(0) + (cod.compositions > 0).sum(0)
    tensors = {
        **{f"phases.{k}": v for k, v in references.pack_compositions(compositions).items()},
        "phases.formulas": references.pack_text(formulas),
        **{f"energies.{name}": torch.from_numpy(values.astype(np.float32)) for name, values in energies.items()},
        **{f"known.{k}": v for k, v in references.pack_compositions(known.compositions).items()},
        "known.tc_K": torch.from_numpy(known.values.astype(np.float32)),
        "known.reports": torch.from_numpy(known.reports.astype(np.int32)),
        "known.formulas": references.pack_text([_plain(f) for f in known.formulas]),
        "frequencies": torch.from_numpy(frequencies.astype(np.int32)),
        "training_counts": torch.from_numpy(training_counts.astype(np.int32)),
    }
    card = {
        "name": references.NAME,
        "architecture": references.ARCHITECTURE,
        "what": "Reference phases of the hull, known superconductors, element frequencies",
        "hull_predictors_sha256": {name: checkpoint.read_card(name, out)["sha256"] for name in energies},
        "data": {k: data.ATTRIBUTION[k] for k in ("mp", "supercon", "stanev", "cod")},
        "cleaning": {**counts, **superconductors.counts, **cod.counts},
        "date": datetime.date.today().isoformat(),
    }
    checkpoint.save(references.NAME, tensors, card, out)
    references.load_references.cache_clear()
    card["metrics_held_out"] = held_out_figures(references.NAME, folder, out)
    checkpoint.save(references.NAME, tensors, card, out)
    return card


def held_out_figures(name: str, folder: Path, checkpoints: Path) -> dict:
    """Is a compound of the MP val split stable? Said by the hull of each predictor, against what was calculated.

    Bartel et al. 2020, Table 1. Takes a minute for each predictor. Raises CheckpointError; InputError if the data are
    missing.
    """
    compositions, calculated = data.read_stability(folder)
    tables = references.load_references(checkpoints)
    found = {
        predictor: stability(load_predictor(predictor, checkpoints), tables.hull(predictor), compositions, calculated)
        for predictor in tables.phase_energies
    }
    return {"by_formation_energy_model": found}


def stability(predictor: Predictor, hull: Hull, compositions: np.ndarray, calculated: np.ndarray) -> dict:
    """Accuracy and F1 of "on the hull" with the predictor's own energies.

    compositions (n, 118); calculated (n,) decomposition energies in eV/atom. Compounds with an element that the
    predictor does not know are left out.
    """
    energies = _energies(predictor, compositions)
    inside = ~np.isnan(energies)
    distances = hull.distances(compositions[inside], energies[inside])
    claimed = np.array([d.energy_above_hull_eV_per_atom for d in distances]) <= ON_THE_HULL
    stable = calculated[inside] <= 0
    hits = int((claimed & stable).sum())
    return {
        "n": int(inside.sum()),
        "stability_accuracy": float((claimed == stable).mean()),
        "stability_f1": 2 * hits / int(claimed.sum() + stable.sum()),
    }


def _phases(folder: Path) -> tuple[list[str], np.ndarray, dict[str, int]]:
    """Formulas and compositions (n, 118) of all MP compounds, and counts."""
    with gzip.open(folder / "mp_compositions.txt.gz", "rt", encoding="utf-8") as file:
        listed = [line.strip() for line in file][1:]
    amounts = [parse_formula(formula) for formula in listed]
    kept = [i for i, a in enumerate(amounts) if len(a) > 1]
    counts = {"MP compositions": len(listed), "phases: a single element": len(listed) - len(kept)}
    return [_plain(listed[i]) for i in kept], np.stack([composition_vector(amounts[i]) for i in kept]), counts


def _energies(predictor: Predictor, compositions: np.ndarray) -> np.ndarray:
    """Formation energies (n,) in eV/atom, NaN where the predictor does not know an element."""
    known = predictor.known_elements.numpy()
    inside = ~(compositions[:, ~known] > 0).any(1)
    energies = np.full(len(compositions), np.nan)
    energies[inside] = predict_in_batches(predictor, torch.from_numpy(compositions[inside]).float())
    return energies


def _plain(formula: str) -> str:
    """A formula as typed in the sources without its ones and in its own order: La1Fe1As1O1 -> LaFeAsO."""
    from core.composition import format_amount

    return "".join(s + format_amount(a) for s, a in parse_formula(formula).items())
