"""Build `references`: hull phases with their energies, known superconductors, element frequencies."""

from __future__ import annotations

import datetime
import gzip
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from core.chemistry.composition import composition_vector
from core.chemistry.exact_formula import literal_amounts
from core.evaluation.hull_uncertainty import distances_by_member, members_energies
from core.predictors import checkpoint
from core.predictors.info import Role
from core.predictors.interface import Predictor, predict_in_batches
from core.predictors.packed_compositions import pack_compositions
from core.predictors.registry import load_predictor, predictors
from core.reference_data import references
from core.screening.convex_hull import Hull
from core.training import data, energy_figures, metrics
from core.training.replicates import ranges_text

ON_THE_HULL = 1e-6  # eV/atom, a tolerance for rounding
HALVES_SEED = 0
OF_DISTANCES, OF_ENERGIES = "distances", "energies alone"


def train(folder: Path, out: Path, seed: int, build: Path) -> dict:
    """Build the tables with the formation-energy predictors in `out`; returns the card. `seed`, `build` are not used.

    Raises CheckpointError if `out` holds none, InputError if the raw data are missing.
    """
    names = [info.name for info in predictors(Role.FORMATION_ENERGY)]
    present = [name for name in names if checkpoint.paths(name, out)[1].exists()] or names[:1]
    formulas, compositions, counts = _phases(folder)
    energies = {name: _energies(load_predictor(name, out), compositions) for name in present}
    calculated = _calculated(folder, compositions)
    counts["phases with a calculated energy: MP train"] = int(np.isfinite(calculated).sum())
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
        **{f"phases.{k}": v for k, v in pack_compositions(compositions).items()},
        "phases.formulas": references.pack_text(formulas),
        "phases.calculated_energies": torch.from_numpy(calculated.astype(np.float32)),
        **{f"energies.{name}": torch.from_numpy(values.astype(np.float32)) for name, values in energies.items()},
        **{f"known.{k}": v for k, v in pack_compositions(known.compositions).items()},
        "known.tc_K": torch.from_numpy(known.values.astype(np.float32)),
        "known.reports": torch.from_numpy(known.reports.astype(np.int32)),
        "known.formulas": references.pack_text([_plain(f) for f in known.formulas]),
        "known.ranges": references.pack_text([ranges_text(values) for values in known.replicates]),
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
        "known_tc": "the median of all reports of a composition, and the ranges into which they fall with their counts",
        "date": datetime.date.today().isoformat(),
    }
    checkpoint.save(references.NAME, tensors, card, out)
    return measured(folder, out)


def measured(folder: Path, checkpoints: Path) -> dict:
    """Write into the card of the tables the scales of the errors of the hull, then all held-out figures.

    Returns the card. Raises CheckpointError; InputError if the data are missing.
    """
    found = {"hull_error_scale": error_scales, "metrics_held_out": held_out_figures}
    card = {k: v for k, v in checkpoint.read_card(references.NAME, checkpoints).items() if k not in found}
    for key, find in found.items():
        references.load_references.cache_clear()
        card[key] = find(references.NAME, folder, checkpoints)
        checkpoint.rewrite_card(references.NAME, card, checkpoints)
    references.load_references.cache_clear()
    return card


def error_scales(name: str, folder: Path, checkpoints: Path) -> dict:
    """For each predictor that is an ensemble: the expected error of its hull distances from the spread of its members.

    Fitted on half of the MP val split. Raises CheckpointError; InputError if the data are missing.
    """
    rows, _ = _halves(folder)
    return {
        predictor: asdict(energy_figures.spread_scale(placed.error, placed.spreads[OF_DISTANCES]))
        for predictor, placed in _placed(folder, checkpoints, rows)
        if placed.spreads
    }


def held_out_figures(name: str, folder: Path, checkpoints: Path) -> dict:
    """The hull of each predictor compared with the calculated values of the MP val split (Bartel et al. 2020, Table 1).

    Accuracy of the stability and error of the distances, for comparison also on a hull of predicted energies alone; and
    calibration of the expected errors (on the half on which the scale was not fitted), for comparison also of the
    spread of the formation energy alone, with its own scale. Takes two minutes for each predictor.

    Raises CheckpointError; InputError if the data are missing.
    """
    scales = references.load_references(checkpoints).hull_error_scales
    fitted, held_out = _halves(folder)
    found, by_spread, every = {}, {}, np.arange(len(fitted) + len(held_out))
    alone = {name: stability(placed) for name, placed in _placed(folder, checkpoints, every, of_predicted=True)}
    for predictor, placed in _placed(folder, checkpoints, every):
        found[predictor] = stability(placed)
        chosen, others = (np.isin(placed.rows, rows) for rows in (fitted, held_out))
        for what, spread in placed.spreads.items():
            if what == OF_DISTANCES:
                scale = scales[predictor]
            else:
                scale = energy_figures.spread_scale(placed.error[chosen], spread[chosen])
            by_spread[f"{predictor}, {what}"] = reliability(placed.error[others], scale(spread[others]))
    return {"by_formation_energy_model": found, "on_a_hull_of_predicted_energies": alone, "by_spread": by_spread}


@dataclass(frozen=True)
class Placed:
    """The n compounds whose elements a predictor knows, with their distances to its hull.

    rows (n,) : indices of the compounds; distances, calculated (n,) : to all other phases, in eV/atom, predicted and
        from DFT
    spreads : for an ensemble, standard deviations (n,) between its members in eV/atom, of OF_DISTANCES and OF_ENERGIES
    """

    rows: np.ndarray
    distances: np.ndarray
    calculated: np.ndarray
    spreads: Mapping[str, np.ndarray]

    @property
    def error(self) -> np.ndarray:
        """Predicted minus calculated distances (n,)."""
        return self.distances - self.calculated


def place(
    predictor: Predictor, hull: Hull, compositions: np.ndarray, calculated: np.ndarray, rows: np.ndarray
) -> Placed:
    """These rows of compositions (m, 118) on the hull, beside their calculated decomposition energies (m,) in eV/atom.

    hull : for this predictor's energies
    """
    energies = _energies(predictor, compositions[rows])
    inside = ~np.isnan(energies)
    rows, energies = rows[inside], energies[inside]
    found = hull.distances(compositions[rows], energies, to_others=True)
    spreads = {}
    if len(predictor.members()) > 1:
        of_distances = distances_by_member(predictor, compositions[rows], found, hull.calculated_energies)
        of_energies = members_energies(predictor, compositions[rows])
        spreads = {OF_DISTANCES: of_distances.std(0, ddof=1), OF_ENERGIES: of_energies.std(0, ddof=1)}
    distances = np.array([d.energy_above_hull_eV_per_atom for d in found])
    return Placed(rows, distances, calculated[rows], spreads)


def stability(placed: Placed) -> dict:
    """Accuracy and F1 of "on the hull", and the mean absolute error of the distance to the other phases."""
    predicted, stable = placed.distances <= ON_THE_HULL, placed.calculated <= 0
    hits = int((predicted & stable).sum())
    return {
        "n": len(placed.rows),
        "stability_accuracy": float((predicted == stable).mean()),
        "stability_f1": 2 * hits / int(predicted.sum() + stable.sum()),
        "hull_distance_mae_eV_per_atom": float(np.abs(placed.error).mean()),
    }


def reliability(error: np.ndarray, expected: np.ndarray) -> dict:
    """Calibration and sharpness of expected errors b (n,) for errors (n,), as scales of Laplace's distribution.

    log_likelihood : mean of -ln(2 b) - |error| / b; higher for the better of two scales
    """
    return {
        "n": len(error),
        "hull_distance_mae_eV_per_atom": float(np.abs(error).mean()),
        "expected_error_eV_per_atom": float(expected.mean()),
        "log_likelihood": float(-np.mean(np.log(2 * expected) + np.abs(error) / expected)),
        "inside_intervals": metrics.inside_intervals(error, expected),
    }


def _halves(folder: Path) -> list[np.ndarray]:
    """Row indices of the MP val split: the half on which scales are fitted, and the half on which they are tested."""
    return data.split(len(data.read_stability(folder)[1]), (0.5, 0.5), HALVES_SEED)


def _placed(
    folder: Path, checkpoints: Path, rows: np.ndarray, of_predicted: bool = False
) -> Iterator[tuple[str, Placed]]:
    """These rows of the MP val split, placed on the hull of each predictor, or on that of its own energies alone."""
    compositions, calculated = data.read_stability(folder)
    tables = references.load_references(checkpoints)
    for name in tables.phase_energies:
        hull = tables.hull_of_predicted_energies(name) if of_predicted else tables.hull(name)
        yield name, place(load_predictor(name, checkpoints), hull, compositions, calculated, rows)


def _phases(folder: Path) -> tuple[list[str], np.ndarray, dict[str, int]]:
    """Formulas and compositions (n, 118) of all MP compounds, and counts of the cleaning."""
    with gzip.open(folder / "mp_compositions.txt.gz", "rt", encoding="utf-8") as file:
        listed = [line.strip() for line in file][1:]
    amounts = [literal_amounts(formula) for formula in listed]
    kept = [i for i, a in enumerate(amounts) if len(a) > 1]
    counts = {"MP compositions": len(listed), "phases: a single element": len(listed) - len(kept)}
    return [_plain(listed[i]) for i in kept], np.stack([composition_vector(amounts[i]) for i in kept]), counts


def _calculated(folder: Path, compositions: np.ndarray) -> np.ndarray:
    """Energies (n,) in eV/atom of compositions (n, 118) in MP train, NaN of the others."""
    learnt, *_ = data.read_formation_energies(folder)
    energies = dict(zip(learnt.composition_keys(), learnt.values.tolist(), strict=True))
    return np.array([energies.get(data.composition_key(row), np.nan) for row in compositions])


def _energies(predictor: Predictor, compositions: np.ndarray) -> np.ndarray:
    """Formation energies (n,) in eV/atom, NaN where the predictor does not know an element."""
    known = predictor.known_elements.numpy()
    inside = ~(compositions[:, ~known] > 0).any(1)
    energies = np.full(len(compositions), np.nan)
    energies[inside] = predict_in_batches(predictor, torch.from_numpy(compositions[inside]).float())
    return energies


def _plain(formula: str) -> str:
    """A formula of the sources without amounts of 1, in its own order: La1Fe1As1O1 -> LaFeAsO."""
    from core.chemistry.composition import format_amount

    return "".join(s + format_amount(a) for s, a in literal_amounts(formula).items())
