"""Formulas of tables as chemists write them: Y2O3 for O3Y2, Ca(OH)2 for CaH2O2; see `core.chemistry.element_order`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from core.chemistry.composition import format_amount
from core.chemistry.element_order import is_metal, ordered
from core.chemistry.exact_formula import literal_amounts


@lru_cache(maxsize=100_000)
def chemists_formula(formula: str) -> str:
    """The same amounts in the order in which chemists write them. Raises InputError for an unreadable formula.

    The text is read to the letter; doped compounds keep their fractional amounts.
    """
    return formula_in_order(literal_amounts(formula))


def formula_in_order(amounts: Mapping[str, float]) -> str:
    """Amounts -> formula; metals with as much H as O are hydroxides. Raises KeyError for an unknown symbol."""
    others = [symbol for symbol in amounts if symbol not in ("O", "H")]
    if amounts.get("O") and amounts.get("O") == amounts.get("H") and others and all(map(is_metal, others)):
        group = format_amount(amounts["O"])
        hydroxide = "OH" if not group else f"(OH){group}"
        return _joined(ordered({symbol: amounts[symbol] for symbol in others}), amounts) + hydroxide
    return _joined(ordered(amounts), amounts)


def conventional_formula(formula: str) -> str:
    """MgB2 for B2Mg, UPt3 for Pt3U: `chemists_formula` of a formula that begins with what chemists write last.

    Other formulas stay as their source writes them (YBa2Cu3O7), because users search for them in this form.
    Raises InputError for an unreadable formula.
    """
    given = list(literal_amounts(formula))
    order = ordered(dict.fromkeys(given, 1.0))
    return chemists_formula(formula) if order.index(given[0]) > order.index(given[-1]) else formula


def _joined(symbols: list[str], amounts: Mapping[str, float]) -> str:
    return "".join(symbol + format_amount(amounts[symbol]) for symbol in symbols)
