"""The state of the periodic table: which elements are forbidden, fixed or substituted."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from core.chemistry import elements
from core.errors import InputError


@dataclass(frozen=True)
class TableState:
    """The choices of the user. Elements not listed are allowed.

    fixed : symbol -> atoms per formula unit of the base (the number on the tile)

    Raises InputError (field "table") for an unknown symbol, an element in two states, or an amount that is not a
    positive number.
    """

    forbidden: frozenset[str]
    fixed: Mapping[str, float]
    substituted: frozenset[str]

    def __post_init__(self):
        listed = [*self.forbidden, *self.fixed, *self.substituted]
        for symbol in listed:
            if not elements.is_element(symbol):
                raise InputError("table", symbol, "this is not an element", "Check spelling and capitals")
            if listed.count(symbol) > 1:
                raise InputError("table", symbol, "an element has only one state", "List it once")
        for symbol, amount in self.fixed.items():
            if not (math.isfinite(amount) and amount > 0):
                raise InputError("table", amount, f"the amount of {symbol} is not positive", "Increase it")
