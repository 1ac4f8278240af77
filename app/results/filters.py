"""Filters on the table of candidates. Pure functions."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pandas as pd

from core.chemistry.composition import composition_vector
from core.chemistry.exact_formula import literal_amounts
from core.chemistry.formula_reader import parse_formula
from core.chemistry.tolerances import SAME_COMPOSITION
from core.errors import InputError
from core.screening.registry import FURTHER_SCREENS


@dataclass(frozen=True)
class Filters:
    """Conditions that a candidate must meet; the defaults exclude failing candidates only.

    text : part of the formula, or a formula of the same composition
    with_all, without : symbols of elements
    max_above_hull_eV_per_atom, min_tc_K : None for no limit
    only_new : exclude known superconductors
    failing : include candidates that fail a screen
    further : names of `FURTHER_SCREENS` that must be met
    control_agrees : exclude candidates whose Tc by the control model differs by more than the error
    family_kept : exclude candidates of another family than the base
    """

    text: str = ""
    with_all: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()
    max_above_hull_eV_per_atom: float | None = None
    min_tc_K: float | None = None
    only_new: bool = False
    failing: bool = False
    further: frozenset[str] = frozenset()
    control_agrees: bool = False
    family_kept: bool = False


def filtered(table: pd.DataFrame, filters: Filters) -> pd.DataFrame:
    """The rows of a candidate table, with derived columns, that meet all conditions, in the same order."""
    keep = pd.Series(True, index=table.index)
    if not filters.failing:
        keep &= table["passes"]
    if text := filters.text.strip():
        keep &= table["formula"].map(lambda formula: matches(text, formula)).astype(bool)
    if filters.with_all or filters.without:
        inside = table["formula"].map(lambda formula: frozenset(literal_amounts(formula)))
        keep &= inside.map(lambda symbols: filters.with_all <= symbols and not filters.without & symbols).astype(bool)
    if filters.max_above_hull_eV_per_atom is not None:
        keep &= table["energy_above_hull_eV_per_atom"] <= filters.max_above_hull_eV_per_atom
    if filters.min_tc_K is not None:
        keep &= table["tc_K"] >= filters.min_tc_K
    if filters.only_new:
        keep &= ~table["known"]
    if filters.control_agrees:
        keep &= ~table["control_disagrees"].fillna(False).astype(bool)
    if filters.family_kept:
        keep &= table["family_kept"]
    for screen in FURTHER_SCREENS:
        if screen.name in filters.further:
            keep &= screen.test(table)
    return table[keep]


def matches(text: str, formula: str) -> bool:
    """Whether a formula contains this text in any case, or is the same composition in another order."""
    if text.lower() in formula.lower():
        return True
    try:
        return same_composition(text, formula)
    except InputError:  # the text is only a part of a formula
        return False


def same_composition(one: str, other: str) -> bool:
    """Whether a typed formula and one of a table have the same fractions. Raises InputError if one cannot be read."""
    a, b = composition_vector(parse_formula(one)), composition_vector(literal_amounts(other))
    return bool(abs(a - b).max() < SAME_COMPOSITION)


def elements_in(table: pd.DataFrame) -> list[str]:
    """The symbols of all elements that occur in the table, in alphabetical order."""
    return sorted({symbol for formula in table["formula"] for symbol in literal_amounts(formula)})


def element_counts(table: pd.DataFrame) -> dict[str, int]:
    """Symbol -> number of candidates that contain the element."""
    return dict(Counter(symbol for formula in table["formula"] for symbol in literal_amounts(formula)))
