"""Numbers, durations and formulas as plain text. Pure functions."""

from __future__ import annotations

import math
import re

from core.chemistry.composition import formula_of
from core.chemistry.exact_formula import literal_amounts
from core.errors import InputError
from core.problem.substitution_sites import ANY_ELEMENT, METALS, NON_METALS, Replacement

AMOUNT = re.compile(r"(?<=[A-Za-z)\]}])(\d+(?:\.\d*|/\d+)?|\.\d+)")  # in a formula
SUBSCRIPTS = str.maketrans("0123456789.", "₀₁₂₃₄₅₆₇₈₉.")
_GROUPS = {ANY_ELEMENT: "metals and non-metals", METALS: "metals", NON_METALS: "non-metals"}


def formula_text(formula: str) -> str:
    """A formula for places without HTML: whole amounts as Unicode subscripts; fractional ones stay as they are."""
    if re.search(r"\d\.\d|\.\d", formula):
        return formula
    return AMOUNT.sub(lambda match: match.group().translate(SUBSCRIPTS), formula)


def largest_amounts(formula: str, most: int) -> str:
    """The formula of its `most` largest amounts; an ellipsis stands for the others. Other text stays as it is."""
    try:
        parsed = literal_amounts(formula)
    except InputError:
        return formula
    if len(parsed) <= most:
        return formula
    return formula_of(dict(sorted(parsed.items(), key=lambda part: -part[1])[:most])) + "…"


def charge_text(state: int) -> str:
    """An oxidation state as chemists write it: +3, −2."""
    return f"+{state}" if state > 0 else f"−{abs(state)}"


def group_text(among: str) -> str:
    """A group of replacements: "non-metals"."""
    return _GROUPS[among]


def replacement_text(replacement: Replacement) -> str:
    """What takes the place of atoms: "+3 metals"; for all elements only "+3"."""
    state = charge_text(replacement.state)
    return state if replacement.among == ANY_ELEMENT else f"{state} {group_text(replacement.among)}"


def with_minus(number: str) -> str:
    """A number with a proper minus sign."""
    return number.replace("-", "−")


def signed_number(value: float, digits: int = 0) -> str:
    """A number with a proper minus sign; whole numbers (digits = 0) get a plus sign too; zero has no sign."""
    if round(value, digits) == 0:
        return f"{0:.{digits}f}"
    sign = "−" if value < 0 else ("+" if digits == 0 else "")
    return f"{sign}{abs(value):.{digits}f}"


def deviation_text(std: float, digits: int) -> str:
    """An expected standard deviation: " ± 12.1"; empty if it is NaN (the model does not estimate it)."""
    return "" if math.isnan(std) else f" ± {std:.{digits}f}"


def change_text(tc_K: float) -> str:
    """A change of Tc in words: "a gain of 3.2 K", "a loss of 0.4 K", "no change"."""
    if round(tc_K, 1) == 0:
        return "no change"
    return f"{'a loss' if tc_K < 0 else 'a gain'} of {abs(tc_K):.1f} K"


def duration(seconds: float) -> str:
    """A duration: 8 s, 1 min 20 s, 2 h 5 min."""
    seconds = max(0, round(seconds))
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60} s" if seconds % 60 else f"{seconds // 60} min"
    return f"{seconds // 3600} h {seconds % 3600 // 60} min"


def rough_duration(seconds: float) -> str:
    """A duration in round numbers: a few seconds, about 40 s, about 5 min, about 1.5 h."""
    if seconds < 10:
        return "a few seconds"
    if seconds < 90:
        return f"about {round(seconds, -1):.0f} s"
    return f"about {seconds / 60:.0f} min" if seconds < 5400 else f"about {seconds / 3600:.1f} h"


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th, 21st."""
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def times(count: int) -> str:
    """Once, twice, 5 times."""
    return {1: "once", 2: "twice"}.get(int(count), f"{count:,} times")


def counted_elements(number: int) -> str:
    """1 element, 2 elements."""
    return f"{number} element{'' if number == 1 else 's'}"
