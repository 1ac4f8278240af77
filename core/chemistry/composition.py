"""Formula <-> composition.

A formula is text ("La1.85Sr0.15CuO4", "Ba(Fe0.9Co0.1)2As2"); amounts are a dict of symbol -> number of atoms;
a composition is a float64 vector of 118 fractions in the order of `core.chemistry.elements` that sums to 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np

from core.chemistry import elements
from core.chemistry.element_order import ordered
from core.chemistry.exact_formula import literal_amounts
from core.chemistry.tolerances import FRACTION_SUM, TYPED_AMOUNT

MOST_WHOLE_ATOMS = 100_000  # a formula that needs more atoms to be whole is not a stoichiometric formula


def composition_vector(amounts: Mapping[str, float]) -> np.ndarray:
    """Amounts -> composition, shape (118,), float64, sum 1. Raises KeyError for an unknown symbol."""
    vector = np.zeros(elements.N_ELEMENTS)
    for symbol, amount in amounts.items():
        vector[elements.element(symbol).index] += amount
    return vector / vector.sum()


def compositions(formulas: Iterable[str]) -> np.ndarray:
    """Formulas, read to the letter -> compositions, shape (n, 118).

    Raises InputError at the first formula that cannot be read.
    """
    rows = [composition_vector(literal_amounts(formula)) for formula in formulas]
    return np.stack(rows) if rows else np.zeros((0, elements.N_ELEMENTS))


def checked_compositions(compositions: np.ndarray) -> np.ndarray:
    """Compositions (n, 118) as float64. Raises ValueError, with the row, unless fractions are >= 0 and sum to 1."""
    compositions = np.asarray(compositions, dtype=np.float64)
    if compositions.ndim != 2 or compositions.shape[1] != elements.N_ELEMENTS:
        raise ValueError(f"compositions must have shape (n, {elements.N_ELEMENTS}), not {compositions.shape}")
    sums = compositions.sum(axis=1)
    lowest = compositions.min(axis=1, initial=0.0)
    wrong = np.flatnonzero(~((lowest >= 0) & (np.abs(sums - 1) <= FRACTION_SUM)))  # true for NaN too
    if len(wrong):
        row = wrong[0]
        raise ValueError(
            f"row {row} is not a composition: its fractions sum to {sums[row]} and the smallest is {lowest[row]}; "
            "fractions must be >= 0 and sum to 1"
        )
    return compositions


def whole_counts(amounts: Mapping[str, float]) -> dict[str, int] | None:
    """Amounts multiplied by the smallest N that makes all of them whole, in lowest terms.

    La1.85Sr0.15CuO4 -> N = 20: La37 Sr3 Cu20 O80. None if this needs more than MOST_WHOLE_ATOMS atoms.
    """
    given = np.array(list(amounts.values()), dtype=np.float64)
    first = 1
    while first <= MOST_WHOLE_ATOMS:
        n = np.arange(first, min(2 * first, MOST_WHOLE_ATOMS + 1))  # N in blocks, because most formulas need a small N
        scaled = given[:, None] * n
        whole = np.round(scaled)
        fits = ((np.abs(scaled - whole) <= TYPED_AMOUNT * n) & (whole >= 1)).all(0)
        if fits.any():
            return _in_lowest_terms(amounts, whole[:, fits.argmax()])
        first *= 2
    return None


def _in_lowest_terms(amounts: Mapping[str, float], whole: np.ndarray) -> dict[str, int] | None:
    """Whole amounts divided by their greatest common divisor; None above MOST_WHOLE_ATOMS atoms."""
    counts = [int(count) for count in whole]
    divisor = math.gcd(*counts)
    if sum(counts) // divisor > MOST_WHOLE_ATOMS:
        return None
    return {symbol: count // divisor for symbol, count in zip(amounts, counts, strict=True)}


def format_amount(amount: float, digits: int = 4) -> str:
    """An amount as written in a formula: empty for 1, without trailing zeros."""
    text = f"{amount:.{digits}f}".rstrip("0").rstrip(".")
    return "" if text == "1" else text


def formula_of(amounts: Mapping[str, float], digits: int = 4) -> str:
    """Amounts -> formula, elements in the order in which chemists write them; those that round to 0 are omitted.

    Raises KeyError for an unknown symbol.
    """
    parts = []
    for symbol in ordered(amounts):
        if round(amounts[symbol], digits) > 0:
            parts.append(symbol + format_amount(amounts[symbol], digits))
    return "".join(parts)


def formula_of_counts(counts: np.ndarray) -> str:
    """Atoms per formula unit, shape (118,), whole or not -> formula."""
    names = elements.symbols()
    return formula_of({names[i]: float(counts[i]) for i in np.flatnonzero(counts)})


def fraction_vector(fractions: Mapping[str, float]) -> np.ndarray:
    """Fractions of some elements -> (118,), zeros elsewhere, not normalised. Raises KeyError for an unknown symbol."""
    vector = np.zeros(elements.N_ELEMENTS)
    for symbol, fraction in fractions.items():
        vector[elements.element(symbol).index] = fraction
    return vector


def element_mask(symbols: Iterable[str]) -> np.ndarray:
    """Whether each element is among the symbols, (118,) bool. Raises KeyError for an unknown symbol."""
    mask = np.zeros(elements.N_ELEMENTS, dtype=bool)
    mask[[elements.element(symbol).index for symbol in symbols]] = True
    return mask
