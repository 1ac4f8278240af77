"""The energy above hull by the potential against that of the Materials Project, for structures drawn at random.

Each structure is relaxed and placed on the hull of all other known compounds and polymorphs of its elements: it is not
among its own references. The potential has seen most of these structures in its training, so this is a test of the
relaxation, the references and the hull more than of the potential. The Materials Project's distances are of PBE with
corrections, from releases of 2018 to 2022; they are never below 0, and distances below 0 count as 0 beside them.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.benchmarks import figures
from core.benchmarks.harness import CACHE, Outcome
from core.chemistry.structure import Structure, reduced_counts
from core.files import read_json, write_json
from core.structures.at_once import mapped
from core.structures.interatomic import CHGNET
from core.structures.match import Reduced
from core.structures.potential_hull import Formula, ReferenceEnergies, hull_of
from core.structures.prototypes import StructureFinder
from core.structures.relaxation import RelaxationSettings
from core.structures.relaxing_processes import RelaxingProcesses
from core.structures.search_work import reference_energies

SOURCE = "structures_general_mp20"
REFERENCES = Path("structure-hull") / "references"  # in the cache: energies by the potential, shared by benchmarks
MOST_POLYMORPHS = 4  # of the formula itself, that are references
STABLE_EV_PER_ATOM = 1e-3
FLOOR, AIM = 0.05, 0.03  # eV/atom, of the mean absolute error


@dataclass(frozen=True)
class StructureHullOptions:
    """Options of this benchmark.

    count : number of structures
    seed : of the draw; the first structures of a larger count are those of a smaller one
    most_elements : of a structure
    data : folder of the raw data; None: as for trainings
    cache : folder of the finished structures and of the energies of the references
    log : called with one line before each structure
    """

    count: int = 300
    seed: int = 0
    most_elements: int = 4
    data: Path | None = None
    cache: Path = field(default_factory=lambda: CACHE)
    log: Callable[[str], None] = field(default=lambda line: None, compare=False)

    @property
    def file_suffix(self) -> str:
        """Empty: there is one table."""
        return ""


def structure_hull(options: StructureHullOptions) -> Outcome:
    """Mean absolute and signed error of the energy above hull. Finished structures are kept, so that it resumes."""
    from core.structures.prototypes import load_finder
    from core.training.data import data_folder

    rows = drawn(data_folder(options.data), options)
    finder, found = load_finder(), []
    with RelaxingProcesses() as processes:
        energies = references(finder, options.cache / REFERENCES, processes)
        for number, row in enumerate(rows, start=1):
            path = options.cache / "structure-hull" / f"{row['id']}.json"
            stored = read_json(path)
            if stored is None:
                options.log(f"{number} of {len(rows)}: {row['formula']}, {row['id']}")
                stored = placed(row, finder, energies, processes)
                write_json(path, stored)
            found.append(stored)
    table = pd.DataFrame(found)
    about = {"count": len(rows), "seed": options.seed, "most_elements": options.most_elements, "potential": CHGNET,
             **summary(table)}  # fmt: skip
    figure = figures.bars(
        pd.DataFrame([{"part": name, "mae": value, "unit": "eV/atom"} for name, value in by_part(table).items()]),
        "part", "mae", "unit", "mean absolute error (eV/atom)",
    )  # fmt: skip
    return Outcome(table, sentences(table), figure, about)


def drawn(folder: Path, options: StructureHullOptions) -> list[dict[str, Any]]:
    """Rows of the Materials Project with a known energy above hull, drawn with a seed; none whose id is drawn twice."""
    from core.training.structure_data import read_rows

    rows: dict[str, dict[str, Any]] = {}
    for row in read_rows(folder / f"{SOURCE}.jsonl.gz"):
        if row.get("e_hull") is not None and 2 <= len(set(row["species"])) <= options.most_elements:
            rows.setdefault(row["id"], row)
    names = sorted(rows)
    order = np.random.default_rng(options.seed).permutation(len(names))[: options.count]
    return [rows[names[i]] for i in order]


def references(finder: StructureFinder, folder: Path, processes: RelaxingProcesses) -> ReferenceEnergies:
    """Energies of the known compounds by the potential, from the checkpoint or kept in the folder."""
    return reference_energies(finder, folder, processes=processes)


def placed(
    row: dict[str, Any], finder: StructureFinder, energies: ReferenceEnergies, processes: RelaxingProcesses
) -> dict[str, Any]:
    """One structure on the hull of all others: a row of the table."""
    from core.training.structure_data import structure_of

    began = time.perf_counter()
    structure = structure_of(row)
    found = {"id": row["id"], "formula": row["formula"], "elements": len(set(row["species"])),
             "e_hull_eV_per_atom": float(row["e_hull"])}  # fmt: skip
    own: Formula = frozenset(reduced_counts(structure.counts).items())
    phases = [key for key in energies.phases(set(row["species"])) if key != own]
    values = energies.energies_eV_per_atom(phases)
    others = polymorphs(structure, own, finder)
    settings = RelaxationSettings()
    relaxation, *results = mapped(lambda s: processes.relax(s, settings), [structure, *others], processes.count)
    values[own] = min((r.energy_eV_per_atom for r in results if r.has_minimum), default=None)
    known = {key: value for key, value in values.items() if value is not None}
    distance = math.nan
    if relaxation.has_minimum and all(frozenset({(symbol, 1)}) in known for symbol in set(row["species"])):
        hull = hull_of(known)
        distance = hull.distance(structure, relaxation.energy_eV_per_atom).energy_above_hull_eV_per_atom
    return found | {
        "distance_eV_per_atom": None if math.isnan(distance) else distance,
        "relaxation": relaxation.verdict,
        "references": len(known),
        "polymorphs": len(others),
        "seconds": round(time.perf_counter() - began, 1),
    }


def polymorphs(structure: Structure, own: Formula, finder: StructureFinder) -> list[Structure]:
    """The first other known structures of the same formula."""
    cell = Reduced(structure)
    return [each for each in finder.known(dict(own), MOST_POLYMORPHS) if not Reduced(each).matches(cell)]


def errors_eV_per_atom(table: pd.DataFrame) -> np.ndarray:
    """Distance by the potential, 0 where it is negative, minus that of the Materials Project; NaN without one."""
    distance = table["distance_eV_per_atom"].astype(float).to_numpy()
    return np.maximum(distance, 0) - table["e_hull_eV_per_atom"].to_numpy()


def by_part(table: pd.DataFrame) -> dict[str, float]:
    """Part -> mean absolute error in eV/atom: all, on the hull, above it."""
    errors = errors_eV_per_atom(table)
    stable = table["e_hull_eV_per_atom"].to_numpy() <= STABLE_EV_PER_ATOM
    parts = {"all": np.ones(len(table), dtype=bool), "on the hull": stable, "above the hull": ~stable}
    known = ~np.isnan(errors)
    return {name: float(np.abs(errors[m & known]).mean()) for name, m in parts.items() if (m & known).any()}


def summary(table: pd.DataFrame) -> dict[str, Any]:
    """The figures for the record."""
    errors = errors_eV_per_atom(table)
    known = errors[~np.isnan(errors)]
    return {
        "placed": len(known),
        "mae_eV_per_atom": float(np.abs(known).mean()) if len(known) else None,
        "signed_eV_per_atom": float(known.mean()) if len(known) else None,
        "median_absolute_eV_per_atom": float(np.median(np.abs(known))) if len(known) else None,
        "seconds_per_structure": float(table["seconds"].mean()),
        **{f"mae_{name.replace(' ', '_')}": value for name, value in by_part(table).items()},
    }


def sentences(table: pd.DataFrame) -> tuple[str, ...]:
    """The conclusions."""
    found = summary(table)
    if not found["placed"]:
        return ("None of the structures could be placed.",)
    errors = errors_eV_per_atom(table)
    worst = np.argsort(-np.abs(np.nan_to_num(errors)))[:3]
    named = ", ".join(f"{table['formula'][i]} {errors[i]:+.2f}" for i in worst)
    mean, signed, median = (found[f"{name}_eV_per_atom"] for name in ("mae", "signed", "median_absolute"))
    return (
        f"Mean absolute error {mean:.3f} eV/atom, signed {signed:+.3f}, median {median:.3f}, for {found['placed']} of "
        f"{len(table)} structures of the Materials Project, none among its own references. Floor {FLOOR}, aim {AIM}.",
        "By part: "
        + ", ".join(f"{name} {value:.3f}" for name, value in by_part(table).items())
        + ". Distances below 0 "
        "count as 0, so those on the hull have an error only where the potential puts them above it.",
        f"Largest errors (eV/atom): {named}.",
        "The potential has learnt most of these structures: this tests relaxation, references and hull.",
        f"{found['seconds_per_structure']:.0f} s for a structure, with its references.",
    )
