"""A chemist's own measurements of Tc, in one file of the folder of all runs.

`measurements.json`: formula -> Tc and whether it is in use.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.chemistry.formula_reader import parse_formula
from core.errors import InputError
from core.limits import FORMULA_CHARACTERS
from core.runs.documents import Field, first_wrong, is_number
from core.runs.shared_json import SharedJson

MOST, HIGHEST_TC_K = 200, 1000.0
MEASUREMENTS = SharedJson("measurements", "the measurements")
_MEASUREMENT = {
    "tc_K": Field(is_number, "a number"),
    "in_use": Field(lambda value: isinstance(value, bool), "true or false"),
}


@dataclass(frozen=True)
class Measurement:
    """A measured critical temperature; 0 K: not superconducting. Raises InputError outside 0 to HIGHEST_TC_K."""

    tc_K: float
    in_use: bool = True

    def __post_init__(self):
        if not (math.isfinite(self.tc_K) and 0 <= self.tc_K <= HIGHEST_TC_K):
            raise InputError("tc_K", self.tc_K, f"a Tc is a number from 0 to {HIGHEST_TC_K:g} K", "Correct the number")


def read_rows(text: str) -> dict[str, Measurement]:
    """Lines of "formula, Tc in K" -> measurements; comma, semicolon, tab or blank between them, empty lines left out.

    Raises InputError for a line that is none, a formula that cannot be read, or more than MOST lines.
    """
    found: dict[str, Measurement] = {}
    for line in filter(None, (each.strip() for each in text.splitlines())):
        parts = line.replace(",", " ").replace(";", " ").split()
        try:
            formula, tc_K = parts[0], float(parts[1].removesuffix("K"))
        except (IndexError, ValueError):
            parts = []
        if len(parts) != 2:
            raise InputError("measurements", line, "a line is a formula and its Tc in K", "Write: MgB2, 39")
        parse_formula(formula)
        found[formula] = Measurement(tc_K)
    return _checked(found)


def measurements(folder: Path | None = None) -> dict[str, Measurement]:
    """Formula -> measurement; empty without the file.

    folder : of the runs; None: that of the app

    Raises InputError if the file is damaged.
    """
    content = MEASUREMENTS.read(folder)
    if content is None:
        return {}
    found = content.get("measurements") if isinstance(content, dict) else None
    if not isinstance(found, dict):
        raise MEASUREMENTS.damaged(folder, "has no “measurements”")
    for each in found.values():
        if wrong := first_wrong(each, _MEASUREMENT):
            raise MEASUREMENTS.damaged(folder, wrong)
    try:
        return _checked({formula: Measurement(each["tc_K"], each["in_use"]) for formula, each in found.items()})
    except InputError as error:
        raise MEASUREMENTS.damaged(folder, error.message) from None


def store(kept: Mapping[str, Measurement], folder: Path | None = None) -> None:
    """Store these measurements in place of the earlier ones.

    Raises InputError for too many, or a formula that cannot be read; StorageError if the file cannot be written.
    """
    content = {name: {"tc_K": each.tc_K, "in_use": each.in_use} for name, each in _checked(dict(kept)).items()}
    MEASUREMENTS.change(folder, lambda: {"measurements": content})


def _checked(found: dict[str, Measurement]) -> dict[str, Measurement]:
    if len(found) > MOST:
        raise InputError("measurements", len(found), f"at most {MOST} measurements are used", "Remove some")
    for formula in found:
        if not 0 < len(formula) <= FORMULA_CHARACTERS:
            raise InputError("formula", formula, "this is no formula", "Shorten or remove it")
        parse_formula(formula)
    return found
