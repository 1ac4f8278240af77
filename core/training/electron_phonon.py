"""Reads structures with a Tc by calculations of the electron-phonon coupling, and keeps the held-out part apart.

The calculations are those of JARVIS-DFT, whose official test part is in none of the files, and of JARVIS-Alexandria,
which are given by formula and joined to the structures of the Materials Project and 3DSC. Formulas of JARVIS-DFT that
are in neither its train nor its validation part are never used, whichever file they stand in.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.chemistry.composition import whole_counts
from core.chemistry.exact_formula import exact_reading
from core.errors import InputError
from core.training import data, structure_data
from core.training.structure_properties import PropertyRows, read_properties
from core.training.structure_ranking import formula_key

ATTRIBUTION = {
    "jarvis": structure_data.ATTRIBUTION["jarvis"],
    "jarvis_split": "JARVIS-Leaderboard, K. Choudhary et al., npj Computational Materials 10, 93 (2024)",
    "jarvis_alexandria": "JARVIS-Alexandria, T. Cerqueira et al. 2023, doi:10.1002/adma.202307085",
    "mp": structure_data.ATTRIBUTION["mp"],
    "3dsc": structure_data.ATTRIBUTION["3dsc"],
}
JOINED_FROM = ("structures_3dsc", "structures_general_mp20")


@dataclass(frozen=True)
class ElectronPhonon:
    """Tc in K of structures of JARVIS, by its official parts, and of JARVIS-Alexandria.

    joined : of JARVIS-Alexandria, without the formulas of `val`
    """

    train: PropertyRows
    val: PropertyRows
    joined: PropertyRows
    counts: dict[str, int]


def read_electron_phonon(folder: Path) -> ElectronPhonon:
    """The three parts, and the numbers of rows that were left out. Raises InputError if a file is missing."""
    counts: Counter = Counter()
    rows = list(structure_data.read_rows(folder / "structures_jarvis_supercon.jsonl.gz"))
    train = read_properties((r for r in rows if r["split"] == "train"), _tc_K, counts)
    val = read_properties((r for r in rows if r["split"] == "val"), _tc_K, counts)
    table = read_formulas(folder, counts)
    hidden = set(table["jarvis_3d"]) - {formula_key(row["species"]) for row in rows}
    alexandria = table["jarvis_alex"]
    left_out = hidden | set(val.formulas.tolist())
    counts["Alexandria: formulas of JARVIS outside train and val"] += len(set(alexandria) & hidden)
    counts["Alexandria: formulas of JARVIS val"] += len(set(alexandria) & set(val.formulas.tolist()))
    wanted = {formula: float(np.median(values)) for formula, values in alexandria.items() if formula not in left_out}
    joined = read_properties(_stablest(folder, wanted, counts), lambda row: row["tc_alexandria_K"], counts)
    if set(joined.formulas.tolist()) & left_out or set(train.formulas.tolist()) & hidden:
        raise AssertionError("a held-out formula is among the rows that are learnt from")
    return ElectronPhonon(train, val, joined, dict(counts))


def read_formulas(folder: Path, counts: Counter) -> dict[str, dict[str, list[float]]]:
    """Set of the file of computed Tc -> formula, see `formula_key` -> the values in K.

    Raises InputError if the file is missing.
    """
    path = folder / "dft_electron_phonon_tc.csv.gz"
    if not path.exists():
        raise InputError("data", path, "there is no such file", "Name the folder of the raw data with --data")
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in data.read_rows(path):
        try:
            amounts = whole_counts(exact_reading(row["formula"]).amounts)
        except InputError:
            amounts = None
        if amounts is None:
            counts["formula that cannot be read"] += 1
            continue
        key = formula_key([symbol for symbol, n in amounts.items() for _ in range(n)])
        found[row["dataset"]][key].append(float(row["tc_K"]))
    return found


def _stablest(folder: Path, tc_K: dict[str, float], counts: Counter) -> Iterator[dict[str, Any]]:
    """The structure of lowest energy above hull of each formula, with its Tc; where energies are unknown, the first."""
    best: dict[str, tuple[float, dict[str, Any]]] = {}
    for name in JOINED_FROM:
        for row in structure_data.read_rows(folder / f"{name}.jsonl.gz"):
            formula = formula_key(row["species"])
            if formula not in tc_K:
                continue
            energy = row.get("e_hull")
            energy = 0.0 if energy is None else float(energy)
            if formula not in best or energy < best[formula][0]:
                best[formula] = energy, row
    counts["Alexandria: formulas without a structure"] += len(tc_K) - len(best)
    for formula, (_, row) in sorted(best.items()):
        yield row | {"tc_alexandria_K": tc_K[formula]}


def _tc_K(row: dict[str, Any]) -> float:
    return float(row["tc_dft_k"])
