"""Formula <-> composition.

A formula is text ("La1.85Sr0.15CuO4", "Ba(Fe0.9Co0.1)2As2"); amounts are a dict of symbol -> number of atoms;
a composition is a float64 vector of 118 fractions in the order of `core.chemistry.elements` that sums to 1.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping

import numpy as np

from core.chemistry import elements
from core.errors import InputError

_SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_NUMBER = re.compile(r"\d+(?:\.\d*)?|\.\d+")
SUM_TOLERANCE = 1e-6  # on the sum of the fractions of a composition
_OPEN, _CLOSE = "([{", ")]}"


def parse_formula(formula: str) -> dict[str, float]:
    """Read a formula into amounts: symbol -> number of atoms, in the order of first appearance.

    Parentheses may nest; amounts are plain decimals; Unicode subscripts and blanks are understood; deuterium (D)
    is hydrogen. Variables ("O7-z", "Ox") have no value and are refused.

    Raises InputError (field "formula", with the position) for anything else, and for a total of zero atoms.
    """
    text = str(formula).translate(_SUBSCRIPTS)
    stack: list[dict[str, float]] = [{}]
    opened: list[int] = []
    position = 0

    def fail(rule: str, remedy: str, place: int) -> InputError:
        return InputError("formula", formula, rule, remedy, place)

    def amount_at(place: int) -> tuple[float, int]:
        match = _NUMBER.match(text, place)
        if not match:
            return 1.0, place
        value = float(match.group())
        if not math.isfinite(value):
            raise fail("the amount is not a finite number", "Write an ordinary decimal number", place)
        return value, match.end()

    if not text.strip():
        raise InputError("formula", formula, "there is no formula", "Type one, for example LaFeAsO")
    while position < len(text):
        character = text[position]
        if character.isspace():
            position += 1
        elif character in _OPEN:
            opened.append(position)
            stack.append({})
            position += 1
        elif character in _CLOSE:
            if not opened:
                raise fail("this bracket was never opened", "Remove it or open it before", position)
            opening = text[opened.pop()]
            if _OPEN.index(opening) != _CLOSE.index(character):
                raise fail(f"this bracket closes a “{opening}”", "Use the matching bracket", position)
            inside = stack.pop()
            if not inside:
                raise fail("there is nothing between the brackets", "Fill or remove them", position)
            factor, position = amount_at(position + 1)
            for symbol, amount in inside.items():
                stack[-1][symbol] = stack[-1].get(symbol, 0.0) + amount * factor
        else:
            symbol, end = _symbol_at(text, position, fail)
            amount, position = amount_at(end)
            stack[-1][symbol] = stack[-1].get(symbol, 0.0) + amount
    if opened:
        raise fail("this bracket is never closed", "Close or remove it", opened[-1])
    return _positive(stack[0], formula)


def _symbol_at(text: str, position: int, fail) -> tuple[str, int]:
    """The element symbol that starts here and the position behind it."""
    if text[position] in "+-−±":
        if _NUMBER.match(text, position + 1):
            raise fail("an amount cannot be negative or a difference", "Write the resulting number", position)
        raise fail("an undetermined amount has no value", "Replace it by a number, or leave it out", position)
    two, one = text[position : position + 2], text[position]
    if elements.is_element(two):
        return two, position + 2
    if one == "D" and not (len(two) == 2 and two[1].islower()):
        return "H", position + 1
    if elements.is_element(one):
        following = two[1:]
        if following.islower() and following in "xyzdδ":
            raise fail("an undetermined amount has no value", "Replace the letter by a number", position + 1)
        if not following.islower():
            return one, position + 1
    if one.isdigit() or one == ".":
        raise fail("an amount must follow an element or a bracket", "Put the element first", position)
    wrong = two if two[1:].islower() else one
    raise fail(f"“{wrong}” is not an element", "Check the spelling and the capitals", position)


def _positive(amounts: dict[str, float], formula: str) -> dict[str, float]:
    """Drop elements with amount 0 ("K0"); refuse a formula of nothing."""
    kept = {symbol: amount for symbol, amount in amounts.items() if amount > 0}
    if not kept:
        raise InputError("formula", formula, "all amounts are zero", "Give at least one element an amount")
    if not math.isfinite(sum(kept.values())):
        raise InputError("formula", formula, "the amounts are too large", "Use ordinary numbers")
    return kept


def composition_vector(amounts: Mapping[str, float]) -> np.ndarray:
    """Amounts -> composition, shape (118,), float64, sum 1. Raises KeyError for an unknown symbol."""
    vector = np.zeros(elements.N_ELEMENTS)
    for symbol, amount in amounts.items():
        vector[elements.element(symbol).index] += amount
    return vector / vector.sum()


def compositions(formulas: Iterable[str]) -> np.ndarray:
    """Formulas -> compositions, shape (n, 118). Raises InputError at the first formula that cannot be read."""
    rows = [composition_vector(parse_formula(formula)) for formula in formulas]
    return np.stack(rows) if rows else np.zeros((0, elements.N_ELEMENTS))


def checked_compositions(compositions: np.ndarray) -> np.ndarray:
    """Compositions (n, 118) as float64. Raises ValueError, with the row, unless fractions are >= 0 and sum to 1."""
    compositions = np.asarray(compositions, dtype=np.float64)
    if compositions.ndim != 2 or compositions.shape[1] != elements.N_ELEMENTS:
        raise ValueError(f"compositions must have shape (n, {elements.N_ELEMENTS}), not {compositions.shape}")
    sums = compositions.sum(axis=1)
    lowest = compositions.min(axis=1, initial=0.0)
    wrong = np.flatnonzero(~((lowest >= 0) & (np.abs(sums - 1) <= SUM_TOLERANCE)))  # NaN is wrong too
    if len(wrong):
        row = wrong[0]
        raise ValueError(
            f"row {row} is no composition: its fractions sum to {sums[row]}, the least is {lowest[row]}; "
            "give fractions >= 0 with sum 1"
        )
    return compositions


def format_amount(amount: float, digits: int = 4) -> str:
    """An amount as in a formula: 1 is left out, trailing zeros are dropped."""
    text = f"{amount:.{digits}f}".rstrip("0").rstrip(".")
    return "" if text == "1" else text


def _formula_order(symbol: str) -> tuple[float, int]:
    """Electropositive elements first, as formulas are usually written; unknown electronegativity last."""
    fact = elements.element(symbol)
    return (fact.electronegativity if fact.electronegativity is not None else 9.0, fact.atomic_number)


def formula_of(amounts: Mapping[str, float], digits: int = 4) -> str:
    """Amounts -> formula, electropositive elements first; elements that would round to 0 are left out."""
    parts = []
    for symbol in sorted(amounts, key=_formula_order):
        if round(amounts[symbol], digits) > 0:
            parts.append(symbol + format_amount(amounts[symbol], digits))
    return "".join(parts)


def formula_of_counts(counts: np.ndarray) -> str:
    """Atoms per formula unit, shape (118,), whole or not -> formula."""
    names = elements.symbols()
    return formula_of({names[i]: float(counts[i]) for i in np.flatnonzero(counts)})
