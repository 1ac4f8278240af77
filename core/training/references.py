"""Build `references`: hull phases with our own energies, known superconductors, element frequencies."""

from __future__ import annotations

import datetime
import gzip
from pathlib import Path

import numpy as np
import torch

from core import references
from core.composition import composition_vector, parse_formula
from core.elements import symbols
from core.predictors import checkpoint
from core.predictors.interface import predict_in_batches
from core.predictors.registry import load_predictor
from core.training import data
from core.training.formation_energy import NAME as ENERGY_PREDICTOR


def train(folder: Path, out: Path, seed: int, build: Path) -> dict:
    """Build the tables with the formation-energy predictor in `out`; returns the card. `seed`, `build`: not used."""
    predictor = load_predictor(ENERGY_PREDICTOR, out)
    formulas, compositions, counts = _phases(folder, predictor.known_elements.numpy())
    energies = predict_in_batches(predictor, torch.from_numpy(compositions).float())
    stable = energies < 0  # the elements, at 0, beat all others
    counts["phases: predicted energy is not below the elements'"] = int((~stable).sum())
    counts["phases of the hull"] = int(stable.sum())
    superconductors = data.read_superconductors(folder)
    cod = data.read_non_superconductors(folder, superconductors)
    known = superconductors.subset(superconductors.values > 0)
    frequencies = (known.compositions > 0).sum(0)
    training_counts = (superconductors.compositions > 0).sum(0) + (cod.compositions > 0).sum(0)
    tensors = {
        **{f"hull.{k}": v for k, v in references.pack_compositions(compositions[stable]).items()},
        "hull.energy": torch.from_numpy(energies[stable].astype(np.float32)),
        "hull.formulas": references.pack_text([f for f, s in zip(formulas, stable, strict=True) if s]),
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
        "hull_predictor": predictor.name,
        "hull_predictor_sha256": checkpoint.read_card(ENERGY_PREDICTOR, out)["sha256"],
        "data": {k: data.ATTRIBUTION[k] for k in ("mp", "supercon", "stanev", "cod")},
        "cleaning": {**counts, **superconductors.counts, **cod.counts},
        "metrics_held_out": {},
        "date": datetime.date.today().isoformat(),
    }
    checkpoint.save(references.NAME, tensors, card, out)
    return card


def _phases(folder: Path, known: np.ndarray) -> tuple[list[str], np.ndarray, dict[str, int]]:
    """Formulas and compositions (n, 118) of all MP compounds whose elements the predictor knows, and counts."""
    with gzip.open(folder / "mp_compositions.txt.gz", "rt", encoding="utf-8") as file:
        listed = [line.strip() for line in file][1:]
    amounts = [parse_formula(formula) for formula in listed]
    names = symbols()
    known_symbols = {names[i] for i in np.flatnonzero(known)}
    kept = [i for i, a in enumerate(amounts) if len(a) > 1 and known_symbols.issuperset(a)]
    counts = {"MP compositions": len(listed), "phases: a single element, or unknown": len(listed) - len(kept)}
    formulas = [_plain(listed[i]) for i in kept]
    return formulas, np.stack([composition_vector(amounts[i]) for i in kept]), counts


def _plain(formula: str) -> str:
    """A formula as typed in the sources without its ones and in its own order: La1Fe1As1O1 -> LaFeAsO."""
    from core.composition import format_amount

    return "".join(s + format_amount(a) for s, a in parse_formula(formula).items())
