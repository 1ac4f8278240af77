"""Formulas with undetermined amounts and the values of their variables: "La2-xSrxCuO4, x = 0..0.3 in 7 steps".

    series  = formula "," variable "=" values ("," variable "=" values)*
    values  = number ".." number "in" count "steps"  |  number ("," number)*

The steps are the values, both ends included: 0..0.3 in 7 steps is 0, 0.05, ..., 0.3. Several variables are combined.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass

from core.chemistry import ambiguity
from core.chemistry.exact_formula import (
    Reading,
    check_nothing_vanishes,
    parsed,
    reading,
    undetermined_variables,
)
from core.chemistry.spelling import plain
from core.errors import InputError

MOST_FORMULAS = 1000
DEFAULT_STEPS = 7
_ASSIGNMENT = re.compile(r"[,;]\s*(?:with|for|and)?\s*([a-zδ])\s*=\s*")
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_RANGE = re.compile(
    rf"({_NUMBER})\s*(?:\.\.+|-|to)\s*({_NUMBER})(?:\s*(?:,\s*)?(?:in\s+)?(\d+)\s*(?:steps?|points?|values?)?)?\s*$"
)
_SYNTAX = "Write it as La2-xSrxCuO4, x = 0..0.3 in 7 steps"


@dataclass(frozen=True)
class Member:
    """One formula of a series: its values of the variables, and its reading."""

    values: Mapping[str, float]
    reading: Reading


@dataclass(frozen=True)
class Series:
    """A formula with variables, and its members in the order of the values.

    formula : with the variables, as given
    variables : those with values, in the order given
    """

    formula: str
    variables: tuple[str, ...]
    members: tuple[Member, ...]


def is_series(text: str) -> bool:
    """Whether a text gives values to variables."""
    return "=" in text and _ASSIGNMENT.search(plain(str(text)).text) is not None


def read_series(text: str, undetermined_as_zero: bool = False) -> Series:
    """Read a series. Raises InputError (field "formula"), also for more than MOST_FORMULAS members."""
    spelling = plain(text)
    first = _ASSIGNMENT.search(spelling.text)
    if first is None:
        raise InputError("formula", text, "no variable has a value", _SYNTAX)
    formula = spelling.text[: first.start()].strip()
    values = _values(text, spelling.text)
    spelling = plain(formula)
    groups = parsed(formula, spelling)
    present = undetermined_variables(groups)
    absent = [name for name in values if name not in present]
    if absent:
        raise InputError("formula", text, f"the formula does not contain {absent[0]}", f"Leave {absent[0]} out")
    missing = [name for name in present if name not in values]
    if missing and not undetermined_as_zero:
        raise InputError("formula", text, f"{missing[0]} has no value", f"Add a value, for example {missing[0]} = 0")
    if missing:
        check_nothing_vanishes(formula, groups)
    doubt = ambiguity.doubt(spelling.text, groups)
    if doubt is not None:
        raise InputError("formula", text, doubt.rule, "Write it in another way", doubt.position)
    members = []
    for combination in itertools.product(*values.values()):
        chosen = dict(zip(values, combination, strict=True))
        members.append(Member(chosen, reading(text, groups, chosen)))
    return Series(formula, tuple(values), tuple(members))


def _values(text: str, plain_text: str) -> dict[str, tuple[float, ...]]:
    """Variable -> its values."""
    assignments = list(_ASSIGNMENT.finditer(plain_text))
    ends = [match.start() for match in assignments[1:]] + [len(plain_text)]
    found: dict[str, tuple[float, ...]] = {}
    count = 1
    for match, end in zip(assignments, ends, strict=True):
        values = _numbers(text, plain_text[match.end() : end].strip())
        if match.group(1) in found:
            raise InputError("formula", text, f"{match.group(1)} has two ranges", "Give each variable one range")
        found[match.group(1)] = values
        count *= len(values)
    if count > MOST_FORMULAS:
        rule = f"this series has {count:,} formulas, more than {MOST_FORMULAS:,}"
        raise InputError("formula", text, rule, "Use fewer steps")
    return found


def _numbers(text: str, written: str) -> tuple[float, ...]:
    match = _RANGE.match(written)
    if match:
        low, high, steps = float(match.group(1)), float(match.group(2)), int(match.group(3) or DEFAULT_STEPS)
        if steps < 2 or steps > MOST_FORMULAS:
            rule = f"a range has 2 to {MOST_FORMULAS:,} steps, not {steps:,}"
            raise InputError("formula", text, rule, "Give another number of steps")
        return tuple(round(low + (high - low) * i / (steps - 1), 9) for i in range(steps))
    parts = [part.strip() for part in written.split(",")]
    if not all(re.fullmatch(_NUMBER, part) for part in parts):
        raise InputError("formula", text, f"“{written}” is neither a range nor a list of numbers", _SYNTAX)
    return tuple(float(part) for part in parts)
