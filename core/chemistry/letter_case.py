"""The formulas that a text in lower case or in capitals can stand for: mgb2 is MgB2, cos is CoS or COS."""

from __future__ import annotations

import re
from functools import cache, lru_cache

from core.chemistry import elements

_MOST_LETTERS = 24  # of a formula typed in one case
_MOST_READINGS = 200
_RUN = re.compile(r"[a-z]+")


def with_capitals(text: str, most: int = 3) -> list[str]:
    """The formulas with these letters, those with the fewest symbols first; none for texts with other characters.

    A formula of capitals only has an amount after each element (C1O1S1), because COS could be read in two ways.
    """
    lower = text.lower().replace(" ", "")
    if not re.fullmatch(r"[a-z0-9.()\[\]]+", lower) or sum(c.isalpha() for c in lower) > _MOST_LETTERS:
        return []
    found = [""]
    end = 0
    for run in _RUN.finditer(lower):
        between = lower[end : run.start()]
        found = [left + between + right for left in found for right in _split(run.group())][:_MOST_READINGS]
        end = run.end()
    found = [_explicit(formula + lower[end:]) for formula in found]
    return sorted(found, key=_symbols)[:most]


def _symbols(formula: str) -> int:
    return sum(c.isupper() for c in formula)


@cache
def _stable() -> frozenset[str]:
    """Lower-case symbols of the elements that occur in superconductors; short-lived ones do not."""
    kept = {"Tc", "Th", "U"}
    return frozenset(e.symbol.lower() for e in elements.all_elements() if not e.radioactive or e.symbol in kept)


@lru_cache(maxsize=4096)
def _split(letters: str) -> tuple[str, ...]:
    """All divisions of lower-case letters into symbols, as formulas."""
    if not letters:
        return ("",)
    found: list[str] = []
    for size in (2, 1):
        symbol = letters[:size]
        if len(symbol) == size and symbol in _stable():
            found += [symbol.capitalize() + rest for rest in _split(letters[size:])]
    return tuple(found[:_MOST_READINGS])


def _explicit(formula: str) -> str:
    """The formula, with an amount after each symbol if it has capitals only."""
    if any(c.islower() for c in formula) or any(c.isdigit() for c in formula):
        return formula if any(c.islower() for c in formula) else re.sub(r"([A-Z])(?![\d.])", r"\g<1>1", formula)
    return re.sub(r"([A-Z])", r"\g<1>1", formula)
