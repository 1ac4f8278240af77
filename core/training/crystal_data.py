"""The data of the diffusion of crystals: Niggli-reduced cells as arrays, split by formula.

The base network learns from the Materials Project. Formulas that `structure-ranking` is measured on are held out for
the same comparison here; those that it was fitted to are not learned from either, and measure the loss.

The adapter learns from Tc computed by electron-phonon theory only, never from measured Tc: the structures of JARVIS in
their official split, and those of the Materials Project for which JARVIS-Alexandria has a row: the only structure and
the only row with this formula and this number of atoms.
"""

from __future__ import annotations

import csv
import gzip
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.chemistry import elements
from core.chemistry.exact_formula import exact_reading
from core.chemistry.structure import Structure
from core.errors import InputError
from core.structures.diffusion.crystals import N_TYPES
from core.structures.diffusion.lattice_numbers import LatticeScale, niggli, numbers_of
from core.training.batches import Batch
from core.training.structure_data import ATTRIBUTION, read_rows, structure_of
from core.training.structure_ranking import MOST_ATOMS, formula_key

BASE_FILE, JARVIS_FILE, TC_FILE = (
    "structures_general_mp20",
    "structures_jarvis_supercon",
    "dft_electron_phonon_tc.csv.gz",
)
TUNING_ATTRIBUTION = {
    "jarvis": ATTRIBUTION["jarvis"],
    "mp": ATTRIBUTION["mp"],
    "jarvis_alexandria": "T. Cerqueira, A. Sanna, M. Marques 2024, doi:10.1002/adma.202307085",
}


@dataclass(frozen=True)
class CrystalTable:
    """n crystals in Niggli-reduced cells, in ascending order of their size.

    kinds : (n, 20) uint8, index of the element of each atom, 0 at padding
    positions : (n, 20, 3) float32 fractional coordinates, 0 at padding
    numbers : (n, 6) float64, the lattice; see `lattice_numbers`
    atoms : (n,) int64
    tc_K : (n,) float64, computed Tc; NaN: none
    formulas : (n,) their keys, see `formula_key`
    """

    kinds: np.ndarray
    positions: np.ndarray
    numbers: np.ndarray
    atoms: np.ndarray
    tc_K: np.ndarray
    formulas: np.ndarray

    def __len__(self) -> int:
        """The number of crystals."""
        return len(self.atoms)

    def where(self, chosen: np.ndarray) -> CrystalTable:
        """The crystals for which a mask (n,) is true."""
        return CrystalTable(*(getattr(self, each.name)[chosen] for each in fields(self)))

    def columns(self, scale: LatticeScale) -> Batch:
        """The crystals as a network reads them: kinds, positions, standard lattice, atoms, Tc in K."""
        lattice = scale.standard(self.numbers, self.atoms)
        arrays = (self.kinds, self.positions, lattice.astype(np.float32), self.atoms, self.tc_K.astype(np.float32))
        return tuple(torch.from_numpy(np.ascontiguousarray(array)) for array in arrays)

    def sizes(self) -> list[int]:
        """Number of crystals with 0, 1, 2 ... atoms."""
        return np.bincount(self.atoms, minlength=MOST_ATOMS + 1).tolist()


def crystal_table(structures: Iterable[tuple[Structure, float]], counts: Counter) -> CrystalTable:
    """The table of structures with their Tc in K or NaN; what is left out is counted.

    Raises ValueError if none is left.
    """
    rows = []
    for structure, tc_K in structures:
        n = len(structure.symbols)
        kinds = [elements.element(symbol).index for symbol in structure.symbols]
        if n > MOST_ATOMS or max(kinds) >= N_TYPES:
            counts[f"more than {MOST_ATOMS} atoms, or an element beyond fermium"] += 1
            continue
        reduced = niggli(structure)
        padded = np.zeros(MOST_ATOMS, dtype=np.uint8), np.zeros((MOST_ATOMS, 3), dtype=np.float32)
        padded[0][:n], padded[1][:n] = kinds, reduced.positions
        rows.append((*padded, numbers_of(reduced.lattice), n, tc_K, formula_key(structure.symbols)))
    if not rows:
        raise ValueError("no structure is left")
    rows.sort(key=lambda row: row[3])
    return CrystalTable(*(np.array(column) for column in zip(*rows, strict=True)))


def read_base(folder: Path) -> tuple[CrystalTable, dict[str, int]]:
    """The structures of the Materials Project, and counts for the card. Raises InputError if the file is missing."""
    counts: Counter = Counter()

    def given() -> Iterable[tuple[Structure, float]]:
        for row in read_rows(folder / f"{BASE_FILE}.jsonl.gz"):
            counts["rows"] += 1
            yield structure_of(row), np.nan

    return crystal_table(given(), counts), dict(counts)


def read_tuning(folder: Path) -> tuple[CrystalTable, CrystalTable, dict[str, int]]:
    """Structures with a computed Tc for training and validation, and counts for the card.

    Validation is JARVIS' own; its formulas are not in the training part. Raises InputError if a file is missing.
    """
    counts: Counter = Counter()
    parts: dict[str, list[tuple[Structure, float]]] = {"train": [], "val": []}
    for row in read_rows(folder / f"{JARVIS_FILE}.jsonl.gz"):
        parts[row["split"]].append((structure_of(row), float(row["tc_dft_k"])))
    validated = {formula_key(structure.symbols) for structure, _ in parts["val"]}
    learnt = [each for each in parts["train"] if formula_key(each[0].symbols) not in validated]
    counts["JARVIS train"] = len(parts["train"])
    counts["JARVIS train: formula is in JARVIS val"] = len(parts["train"]) - len(learnt)
    known = {_cell_key(structure.symbols) for structure, _ in parts["train"] + parts["val"]}
    joined = _joined(folder, known, counts)
    added = [each for each in joined if formula_key(each[0].symbols) not in validated]
    counts["JARVIS-Alexandria: joined, formula is in JARVIS val"] = len(joined) - len(added)
    return crystal_table(learnt + added, counts), crystal_table(parts["val"], counts), dict(counts)


def _joined(folder: Path, known: set[tuple], counts: Counter) -> list[tuple[Structure, float]]:
    """Structures of the Materials Project with the Tc of the row of JARVIS-Alexandria for the same cell.

    known : cells that JARVIS itself gives
    """
    path = folder / TC_FILE
    if not path.exists():
        raise InputError("data", path, "there is no such file", "Name the folder of the raw data with --data")
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["dataset"] == "jarvis_alex"]
    counts["rows of JARVIS-Alexandria"] = len(rows)
    tc_K: dict[tuple, list[float]] = defaultdict(list)
    for row in rows:
        amounts = exact_reading(row["formula"]).amounts
        tc_K[tuple(sorted((symbol, round(amount)) for symbol, amount in amounts.items()))].append(float(row["tc_K"]))
    structures: dict[tuple, list[dict[str, Any]]] = defaultdict(list)
    for row in read_rows(folder / f"{BASE_FILE}.jsonl.gz"):
        key = _cell_key(row["species"])
        if key in tc_K:
            structures[key].append(row)
    found = []
    for key, values in tc_K.items():
        here = structures.get(key, [])
        if not here:
            counts["JARVIS-Alexandria: no structure with this cell"] += len(values)
        elif len(here) > 1 or len(values) > 1:
            counts["JARVIS-Alexandria: more than one structure or Tc for this cell"] += len(values)
        elif key in known:
            counts["JARVIS-Alexandria: cell is in JARVIS"] += 1
        else:
            counts["JARVIS-Alexandria: joined"] += 1
            found.append((structure_of(here[0]), values[0]))
    return found


def _cell_key(symbols: Sequence[str]) -> tuple:
    """Elements of a cell with the number of their atoms."""
    return tuple(sorted(Counter(symbols).items()))
