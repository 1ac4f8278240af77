"""Parsed formulas -> amounts, without proposals for those that are refused.

`core.chemistry.formula_reader` is the way in; this module holds what proposals and series need as well.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from core.chemistry import ambiguity, elements, nicknames
from core.chemistry.formula_grammar import GrammarError, Group, parse, total
from core.chemistry.spelling import Spelling, plain
from core.chemistry.tolerances import WHOLE_ATOM
from core.errors import InputError
from core.limits import FORMULA_CHARACTERS


@dataclass(frozen=True)
class Reading:
    """A formula as it was understood.

    amounts : symbol -> number of atoms, all above 0, in the order of first appearance
    read_as : the formula in plain spelling: without blanks, with decimal points, hydrogen as H
    """

    amounts: dict[str, float]
    read_as: str


def check_length(formula: str) -> None:
    """Raises InputError (field "formula") for a text that is too long to be a formula or a series."""
    if len(formula) > FORMULA_CHARACTERS:
        rule = f"a formula has at most {FORMULA_CHARACTERS:,} characters, and this text has {len(formula):,}"
        raise InputError("formula", formula, rule, "Enter one formula")


def exact_reading(formula: str, undetermined_as_zero: bool = False) -> Reading:
    """`core.chemistry.formula_reader.read_formula` without suggestions in its errors."""
    text = str(formula)
    check_length(text)
    if not text.strip():
        raise InputError("formula", formula, "the formula is empty", "Enter a formula, for example LaFeAsO")
    spelling = plain(text)
    if nicknames.formula_of_nickname(spelling.text) is not None:
        raise InputError("formula", formula, "this is a nickname, not a formula", "Enter the formula")
    groups = parsed(formula, spelling)
    if undetermined_variables(groups):
        if not undetermined_as_zero:
            raise undetermined_error(formula, spelling, groups)
        check_nothing_vanishes(formula, groups)
    doubt = ambiguity.doubt(spelling.text, groups)
    if doubt is not None:
        position = spelling.origin[doubt.position]
        raise InputError("formula", formula, doubt.rule, "Write it in another way", position)
    return reading(formula, groups, {})


def literal_amounts(formula: str) -> dict[str, float]:
    """Amounts of a formula to the letter: for formulas that this program wrote, and those of its reference tables.

    YBCO is then one atom each of Y, B, C and O. Raises InputError for text that does not fit the grammar and for
    undetermined amounts.
    """
    plain_amounts = _of_symbols_and_numbers(formula)
    if plain_amounts is not None:
        return plain_amounts
    spelling = plain(formula)
    groups = parsed(formula, spelling)
    if undetermined_variables(groups):
        raise undetermined_error(formula, spelling, groups)
    return reading(formula, groups, {}).amounts


_SYMBOLS_AND_NUMBERS = re.compile(r"(?:[A-Z][a-z]?(?:[0-9]{1,6}(?:\.[0-9]{1,6})?)?)+")
_SYMBOL_AND_NUMBER = re.compile(r"([A-Z][a-z]?)([0-9.]*)")


def _of_symbols_and_numbers(formula: str) -> dict[str, float] | None:
    """The amounts of a formula like Ba0.6K0.4Fe2As2, as the grammar gives them in ten times the time; None for others.

    Tables hold hundreds of thousands of such formulas.
    """
    if not isinstance(formula, str) or not _SYMBOLS_AND_NUMBERS.fullmatch(formula):
        return None
    pairs = _SYMBOL_AND_NUMBER.findall(formula)
    amounts = {symbol: float(number or 1) for symbol, number in pairs}
    if len(amounts) != len(pairs) or not all(amounts.values()) or not all(map(elements.is_element, amounts)):
        return None
    return amounts


def parsed(formula: str, spelling: Spelling) -> tuple[Group, ...]:
    """The groups of a formula. Raises InputError where it does not fit the grammar."""
    try:
        groups = parse(spelling)
    except GrammarError as error:
        raise InputError("formula", formula, error.rule, error.remedy, spelling.origin[error.position]) from error
    if not groups:
        raise InputError("formula", formula, "the formula is empty", "Enter a formula, for example LaFeAsO")
    return groups


def reading(formula: str, groups: tuple[Group, ...], values: Mapping[str, float]) -> Reading:
    """The reading of parsed groups for these values of the variables; others count as 0.

    Raises InputError for a negative amount, for a total of zero atoms and for amounts that are not finite.
    """
    amounts = total(groups, values)
    for symbol, amount in amounts.items():
        if amount < -WHOLE_ATOM:
            at = ", ".join(f"{name} = {value:g}" for name, value in values.items()) or "0"
            raise InputError(
                "formula", formula, f"the amount of {symbol} is negative at {at}", "Give the variable another value"
            )
    kept = {symbol: amount for symbol, amount in amounts.items() if amount > WHOLE_ATOM or (amount > 0 and not values)}
    if not kept:
        raise InputError("formula", formula, "all amounts are zero", "Give at least one element an amount above zero")
    if not math.isfinite(sum(kept.values())):
        raise InputError("formula", formula, "the amounts are too large", "Use smaller amounts")
    variables = undetermined_variables(groups)
    text = "".join(group.text() for group in groups) if not variables else formula_with_values(groups, values)
    return Reading(kept, text)


def formula_with_values(groups: tuple[Group, ...], values: Mapping[str, float]) -> str:
    """The formula with numbers in place of variables: La2-xSrxCuO4 with x = 0.15 is La1.85Sr0.15CuO4."""
    parts = []
    for group in groups:
        amount = 1.0 if group.amount is None else group.amount.value(values)
        if amount <= WHOLE_ATOM:
            continue
        inner = group.symbol or formula_with_values(group.inside, values)
        if not inner:
            continue
        written = group.amount.text if group.amount is not None and not group.amount.terms else amount_text(amount)
        parts.append((inner if group.symbol else f"({inner})") + written)
    return "".join(parts)


def amount_text(amount: float) -> str:
    """An amount as written in a formula, with up to six decimal places; empty for 1."""
    text = f"{amount:.6f}".rstrip("0").rstrip(".")
    return "" if text == "1" else text


def undetermined_variables(groups: tuple[Group, ...]) -> tuple[str, ...]:
    """The variables of a formula in the order of first appearance."""
    found = (variable for group in groups for g in group.walk() if g.amount is not None for variable in g.amount.terms)
    return tuple(dict.fromkeys(found))


def undetermined_error(formula: str, spelling: Spelling, groups: tuple[Group, ...]) -> InputError:
    """The error for the first undetermined amount."""
    amount = next(g.amount for group in groups for g in group.walk() if g.amount is not None and g.amount.terms)
    place = next(
        (i for i in range(amount.start, amount.end) if not (spelling.text[i].isdigit() or spelling.text[i] in "., (")),
        amount.start,
    )
    rule = "an undetermined amount has no value"
    return InputError("formula", formula, rule, "Replace it by a number", spelling.origin[place])


def check_nothing_vanishes(formula: str, groups: tuple[Group, ...]) -> None:
    """Raise InputError if an element would vanish with a variable that nothing else compensates: Oy, Kx."""
    for variable in undetermined_variables(groups):
        lost = vanishing(groups, variable)
        if lost and not compensated(groups, variable):
            rule = f"{lost[0]} would vanish with {variable} = 0"
            raise InputError("formula", formula, rule, f"Give {variable} a value, for example {variable} = 0.5")


_SMALL = 0.01  # a value of a variable


def vanishing(groups: tuple[Group, ...], variable: str) -> tuple[str, ...]:
    """The elements of the sites that are empty where this variable is 0."""
    alone = [
        g for group in groups for g in group.walk()
        if g.amount is not None and variable in g.amount.terms and abs(g.amount.constant) <= WHOLE_ATOM
        and len(g.amount.terms) == 1
    ]  # fmt: skip
    return tuple(dict.fromkeys(symbol for g in alone for symbol in (total(g.inside, {}) or {g.symbol: 0.0})))


def compensated(groups: tuple[Group, ...], variable: str) -> bool:
    """Whether some amount decreases with this variable: Sr replaces La in La2-xSrxCuO4."""
    before, after = total(groups, {}), total(groups, {variable: _SMALL})
    return any(after[symbol] < before[symbol] - WHOLE_ATOM for symbol in before)
