"""Build `large-cells`, stable compounds of 21 to 40 atoms in the primitive cell, for hulls.

Of each formula the structure with the lowest energy above hull is kept, if that is known and almost zero, and if the
library of prototypes has no structure of the formula that is as stable.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from core.chemistry import elements
from core.chemistry.structure import reduced_counts
from core.predictors import checkpoint
from core.reference_data import large_cells
from core.reference_data.large_cells import LargeCells
from core.training.structure_data import ATTRIBUTION, FILES, read_rows

SOURCE = "structures_general_mp21_40"
STABLE_EV_PER_ATOM = 0.001  # highest energy above hull that is kept
SAME_EV_PER_ATOM = 0.002  # a structure of the library that is higher by no more than this is as stable
Formula = frozenset[tuple[str, int]]


def train(folder: Path, out: Path, seed: int, build: Path) -> dict:
    """Build the table; returns the card. `seed` and `build` are not used.

    Raises InputError if the raw data are missing.
    """
    smaller = lowest_above_hull(row for name in FILES for row in read_rows(folder / f"{name}.jsonl.gz"))
    rows = list(read_rows(folder / f"{SOURCE}.jsonl.gz"))
    cells = table_of(chosen(rows, smaller))
    card = {
        "name": large_cells.NAME,
        "architecture": large_cells.ARCHITECTURE,
        "what": "Stable compounds of 21 to 40 atoms in the primitive cell, as phases of hulls",
        "data": {"mp": ATTRIBUTION["mp"]},
        "licence": "CC BY 4.0, as the data",
        "settings": {"stable_eV_per_atom": STABLE_EV_PER_ATOM, "same_eV_per_atom": SAME_EV_PER_ATOM},
        "counts": {
            "structures read": len(rows),
            "with a known energy above hull": sum(row.get("e_hull") is not None for row in rows),
            "structures": len(cells),
        },
        "metrics_held_out": {},
        "date": datetime.date.today().isoformat(),
    }
    checkpoint.save(large_cells.NAME, large_cells.pack(cells), card, out)
    return checkpoint.read_card(large_cells.NAME, out)


def formula_of_row(row: Mapping[str, Any]) -> Formula:
    """The formula of a structure, as pairs of element and number of atoms in lowest terms."""
    return frozenset(reduced_counts(Counter(row["species"])).items())


def lowest_above_hull(rows: Iterable[Mapping[str, Any]]) -> dict[Formula, float]:
    """Formula -> lowest energy above hull of its structures in eV/atom; NaN where none is known."""
    found: dict[Formula, float] = {}
    for row in rows:
        key, energy = formula_of_row(row), row.get("e_hull")
        found[key] = float(np.fmin(found.get(key, np.nan), np.nan if energy is None else energy))
    return found


def chosen(rows: Iterable[Mapping[str, Any]], smaller: Mapping[Formula, float]) -> list[Mapping[str, Any]]:
    """The rows that are kept, by the number of their entry. smaller : see `lowest_above_hull`, of the library"""
    best: dict[Formula, Mapping[str, Any]] = {}
    for row in rows:
        energy, key = row.get("e_hull"), formula_of_row(row)
        if energy is None or energy > STABLE_EV_PER_ATOM:
            continue
        if key in smaller and not smaller[key] > energy + SAME_EV_PER_ATOM and not np.isnan(smaller[key]):
            continue
        if key not in best or energy < best[key]["e_hull"]:
            best[key] = row
    return sorted(best.values(), key=lambda row: _number(row["id"]))


def table_of(rows: Iterable[Mapping[str, Any]]) -> LargeCells:
    """The table of some structures."""
    kept = list(rows)
    index = {symbol: place for place, symbol in enumerate(elements.symbols())}
    return LargeCells(
        ids=np.array([_number(row["id"]) for row in kept]),
        sites=np.array([len(row["species"]) for row in kept]),
        lattices=np.array([row["lattice"] for row in kept], dtype=float),
        species=np.array([index[symbol] for row in kept for symbol in row["species"]]),
        positions=np.concatenate([np.array(row["frac_coords"], dtype=float) for row in kept]),
    )


def _number(entry_id: str) -> int:
    return int(entry_id.removeprefix("mp-"))
