"""The training data of SuperDiff: SuperCon with its class of each superconductor, as amounts per formula unit."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.chemistry import elements
from core.chemistry.families import CUPRATE, IRON_BASED, OTHER
from core.chemistry.formula_reader import parse_formula
from core.errors import InputError
from core.generation.diffusion.amounts import amount_vector
from core.training.data import read_rows

FILE = "supercon_superdiff_classes.tsv.gz"
CLASSES = {"1": CUPRATE, "2": IRON_BASED, "3": OTHER}  # code in the file -> class
ATTRIBUTION = "SuperCon as used by SuperDiff, Yuan and Dordevic 2024, doi:10.1038/s41598-024-61040-3, MIT"
_PART = re.compile(r"([A-Z][a-z]?)([0-9.]*)")
_ISOTOPES = {"D": "H"}  # read by `parse_formula`


@dataclass(frozen=True)
class AmountTable:
    """Compositions of one class, repeats included, in the order of the file.

    amounts : (n, 96) float64 atoms per formula unit as written, elements H to Cm; not normalised
    formulas : n formulas as written
    counts : cleaning step -> number of rows
    """

    amounts: np.ndarray
    formulas: tuple[str, ...]
    counts: dict[str, int]


def read_amounts(folder: Path, name: str) -> AmountTable:
    """All rows of a class: "cuprate", "iron-based" or "other".

    A symbol that is no element ("M" for an intercalated molecule, "T") is left out of its formula and the row is kept,
    as published; such rows are counted. Deuterium is read as hydrogen, where the authors leave it out.

    Raises InputError if the file is missing or a row cannot be read.
    """
    if not (folder / FILE).exists():
        raise InputError("data", folder / FILE, "the file is missing", "Name another folder with --data")
    counts: Counter = Counter()
    formulas, rows = [], []
    for row in read_rows(folder / FILE, "\t"):
        if CLASSES[row["class"]] != name:
            continue
        counts[f"rows of the class {name}"] += 1
        known = "".join(symbol + amount for symbol, amount in _PART.findall(row["formula"]) if _is_element(symbol))
        counts["with a symbol that is no element, read without it"] += known != row["formula"]
        formulas.append(row["formula"])
        rows.append(amount_vector(parse_formula(known)))
    amounts = np.stack(rows)
    counts["repeats of an earlier composition"] = len(amounts) - len(np.unique(amounts, axis=0))
    return AmountTable(amounts, tuple(formulas), dict(counts))


def _is_element(symbol: str) -> bool:
    return symbol in _ISOTOPES or symbol in elements.symbols()
