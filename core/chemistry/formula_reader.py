"""Parser for formulas as typed or pasted; errors give the position of the invalid character."""

from __future__ import annotations

import math
import re

from core.chemistry import elements
from core.errors import InputError

_SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_NUMBER = re.compile(r"\d+(?:\.\d*)?|\.\d+")
_OPENING, _CLOSING = "([{", ")]}"
_VARIABLES = "xyzdδ"


def parse_formula(formula: str) -> dict[str, float]:
    """Parse a formula into amounts: symbol -> number of atoms, in the order of first appearance.

    Brackets may nest; amounts are plain decimals; Unicode subscripts and spaces are accepted; deuterium (D) is
    read as hydrogen; elements with the amount 0 are omitted. Variables ("O7-z", "Ox") have no value and are rejected.

    Raises InputError (field "formula", with the position) for anything else, and for a total of zero atoms.
    """
    if not str(formula).strip():
        raise InputError("formula", formula, "the formula is empty", "Enter a formula, for example LaFeAsO")
    return _positive(_Reader(formula).amounts(), formula)


def _positive(amounts: dict[str, float], formula: str) -> dict[str, float]:
    """Amounts above 0. Raises InputError if there are none, or if their sum is not finite."""
    kept = {symbol: amount for symbol, amount in amounts.items() if amount > 0}
    if not kept:
        raise InputError("formula", formula, "all amounts are zero", "Give at least one element an amount above zero")
    if not math.isfinite(sum(kept.values())):
        raise InputError("formula", formula, "the amounts are too large", "Use smaller amounts")
    return kept


class _Reader:
    """One pass over a formula from left to right; `stack` holds the amounts inside each open bracket."""

    def __init__(self, formula: str):
        self.formula = formula
        self.text = str(formula).translate(_SUBSCRIPTS)
        self.position = 0
        self.stack: list[dict[str, float]] = [{}]
        self.opened: list[int] = []

    def amounts(self) -> dict[str, float]:
        while self.position < len(self.text):
            character = self.text[self.position]
            if character.isspace():
                self.position += 1
            elif character in _OPENING:
                self.opened.append(self.position)
                self.stack.append({})
                self.position += 1
            elif character in _CLOSING:
                self._close_bracket()
            else:
                self._add(self._symbol(), self._amount())
        if self.opened:
            raise self._error("this bracket is never closed", "Close or remove it", self.opened[-1])
        return self.stack[0]

    def _error(self, rule: str, remedy: str, position: int) -> InputError:
        return InputError("formula", self.formula, rule, remedy, position)

    def _add(self, symbol: str, amount: float) -> None:
        self.stack[-1][symbol] = self.stack[-1].get(symbol, 0.0) + amount

    def _close_bracket(self) -> None:
        """Multiply the amounts inside the bracket by the factor after it."""
        here = self.position
        if not self.opened:
            raise self._error("this bracket was never opened", "Remove it, or add the opening bracket", here)
        opening = self.text[self.opened.pop()]
        if _OPENING.index(opening) != _CLOSING.index(self.text[here]):
            raise self._error(f"this bracket closes a “{opening}”", "Use the matching bracket", here)
        inside = self.stack.pop()
        if not inside:
            raise self._error("the brackets are empty", "Fill or remove them", here)
        self.position += 1
        factor = self._amount()
        for symbol, amount in inside.items():
            self._add(symbol, amount * factor)

    def _amount(self) -> float:
        """The number at the current position, 1 without one."""
        match = _NUMBER.match(self.text, self.position)
        if not match:
            return 1.0
        value = float(match.group())
        if not math.isfinite(value):
            raise self._error("the amount is not a finite number", "Write a decimal number", self.position)
        self.position = match.end()
        return value

    def _symbol(self) -> str:
        """The element symbol at the current position; two letters take precedence over one."""
        here = self.position
        two, one = self.text[here : here + 2], self.text[here]
        lower = two[1:] if two[1:].islower() else ""  # a lowercase letter that belongs to the symbol
        if elements.is_element(two):
            self.position += 2
            return two
        if one == "D" and not lower:
            self.position += 1
            return "H"
        if elements.is_element(one) and not lower:
            self.position += 1
            return one
        raise self._no_symbol(one, lower)

    def _no_symbol(self, one: str, lower: str) -> InputError:
        """The error for text that is not an element symbol."""
        here = self.position
        if one in "+-−±":
            if _NUMBER.match(self.text, here + 1):
                rule = "an amount cannot be negative or a difference"
                return self._error(rule, "Write the resulting amount", here)
            return self._error("an undetermined amount has no value", "Replace it by a number, or leave it out", here)
        if elements.is_element(one) and lower in _VARIABLES:
            return self._error("an undetermined amount has no value", "Replace the letter by a number", here + 1)
        if one.isdigit() or one == ".":
            return self._error("an amount must follow an element or a bracket", "Put the element first", here)
        return self._error(f"“{one + lower}” is not an element", "Check the spelling and the capitals", here)
