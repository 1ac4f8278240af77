"""The base materials of a campaign: a list, known superconductors by family and Tc, or the formulas of a CSV file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from core.chemistry.families import families
from core.errors import InputError
from core.evaluation.formula_csv import FormulaCsv
from core.problem.settings import START_FAMILIES, is_number
from core.reference_data.references import load_references

_EXAMPLE = 'Write "LaFeAsO", ["LaFeAsO", "MgB2"], {"family": "iron-based", "tc_K": [20, 60]} or {"csv": "bases.csv"}'


def read_bases(given: Any, folder: Path) -> tuple[str, ...]:
    """The formulas of all bases.

    given : a formula; a list of formulas; {"family": ..., "tc_K": [low, high], "most": n}, see `known_bases`; or
        {"csv": file}, see `csv_bases`
    folder : of the campaign file, from which the path of a CSV file starts

    The formulas are not checked here, except those of a CSV file. Raises InputError.
    """
    if isinstance(given, str):
        return (given,)
    if isinstance(given, list) and given and all(isinstance(base, str) for base in given):
        return tuple(given)
    if isinstance(given, dict) and given.keys() == {"csv"} and isinstance(given["csv"], str):
        return csv_bases(folder / given["csv"])
    if isinstance(given, dict) and "family" in given and given.keys() <= {"family", "tc_K", "most"}:
        return known_bases(given["family"], given.get("tc_K", [0, 1000]), given.get("most"))
    raise InputError("base", given, "these are no base materials", _EXAMPLE)


def known_bases(family: Any, tc_K: Any, most: Any = None) -> tuple[str, ...]:
    """Formulas of the known superconductors of a family with a measured Tc in a range, the highest Tc first.

    family : "any" or one of `core.chemistry.families.FAMILIES`
    tc_K : lowest and highest Tc, both included
    most : at most so many, None: all; those of equal Tc in alphabetical order

    Raises InputError for an unknown family, another range, or if there is no such superconductor.
    """
    if family not in START_FAMILIES:
        raise InputError("family", family, "unknown family", f"Choose {' or '.join(START_FAMILIES)}")
    if not isinstance(tc_K, list) or len(tc_K) != 2 or not all(map(is_number, tc_K)) or tc_K[0] > tc_K[1]:
        raise InputError("tc_K", tc_K, "the range must be the lowest and the highest Tc in K", "Write [20, 60]")
    if most is not None and (isinstance(most, bool) or not isinstance(most, int) or most < 1):
        raise InputError("most", most, "the number of bases must be a whole number of 1 or more", "Write 24")
    references = load_references()
    tc = references.known_tc_K
    chosen = (tc >= tc_K[0]) & (tc <= tc_K[1])
    if family != START_FAMILIES[0]:
        chosen &= families(references.known_compositions) == family
    found = sorted(np.flatnonzero(chosen), key=lambda i: (-tc[i], references.known_formulas[i]))[:most]
    if not found:
        raise InputError("tc_K", tc_K, "no known superconductor of this family has a Tc in this range",
                         "Widen the range, or choose another family")  # fmt: skip
    return tuple(references.known_formulas[i] for i in found)


def csv_bases(path: Path) -> tuple[str, ...]:
    """The formulas of a CSV file, in its order, see `core.evaluation.formula_csv`. Raises InputError."""
    with FormulaCsv(path) as file:
        formulas = [row.formula for row in file.rows()]
    for formula in formulas:
        if isinstance(formula, InputError):
            raise formula
    if not formulas:
        raise InputError("csv", path, "there is no formula in this file", "Put one formula on each line")
    return tuple(str(formula) for formula in formulas)
