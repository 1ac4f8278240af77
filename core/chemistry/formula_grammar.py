"""The grammar of formulas: text -> amounts, or an error at the first character that does not fit.

    formula  = [number] part ("·" [number] part)*      adducts such as CuSO4·5H2O
    part     = (group [amount])+
    group    = symbol | "(" part ")" | "[" part "]" | "{" part "}"

Deuterium (D) and tritium (T) are read as hydrogen. Which of the texts that fit are read, and what is proposed for the
others, is decided in `core.chemistry.formula_reader`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from core.chemistry import elements
from core.chemistry.amounts import Amount, amount_at
from core.chemistry.spelling import DOT, Spelling

OPENING, CLOSING = "([{", ")]}"
_COEFFICIENT = re.compile(r"\s*\d+(?:[.,]\d+)?\s*")
_VARIABLES = "xyzdδmnpuvw"
_ISOTOPES = "DT"
PLACEHOLDER = re.compile(r"(?:LRE|HRE|REE|RE|Ln|AE|Ae|TM|Pn|Ch|Tr|R|A|M|T)(?![a-wyz])|X(?![a-z])")


class GrammarError(ValueError):
    """Text that does not fit the grammar.

    kind : "symbol", "placeholder", "sign", "amount first", "never closed", "never opened", "other bracket",
        "empty brackets", "not finite", or "character"
    position : index in the text
    rule, remedy : as in `core.errors.InputError`
    """

    def __init__(self, kind: str, position: int, rule: str, remedy: str):
        super().__init__(rule)
        self.kind, self.position, self.rule, self.remedy = kind, position, rule, remedy


@dataclass(frozen=True)
class Group:
    """A symbol or a bracket with its amount.

    symbol : element symbol as read, "" for a bracket
    inside : the groups in the bracket
    amount : None without one, which means 1
    start : position of the symbol or of the opening bracket
    isotope : "D" or "T" if that was typed for hydrogen
    """

    symbol: str
    inside: tuple[Group, ...]
    amount: Amount | None
    start: int
    isotope: str = ""

    def amounts(self, values: Mapping[str, float]) -> dict[str, float]:
        """Symbol -> number of atoms for these values of the variables; variables without a value count as 0."""
        factor = 1.0 if self.amount is None else self.amount.value(values)
        if self.symbol:
            return {self.symbol: factor}
        return {symbol: n * factor for symbol, n in total(self.inside, values).items()}

    def walk(self) -> Iterator[Group]:
        """This group and all groups inside it."""
        yield self
        for group in self.inside:
            yield from group.walk()

    def text(self) -> str:
        """The group in plain spelling, without blanks."""
        written = "" if self.amount is None else self.amount.text
        return (self.symbol or f"({''.join(group.text() for group in self.inside)})") + written


def total(groups: tuple[Group, ...], values: Mapping[str, float]) -> dict[str, float]:
    """Symbol -> number of atoms in all groups, in the order of first appearance."""
    amounts: dict[str, float] = {}
    for group in groups:
        for symbol, n in group.amounts(values).items():
            amounts[symbol] = amounts.get(symbol, 0.0) + n
    return amounts


def parse(spelling: Spelling) -> tuple[Group, ...]:
    """The groups of a formula in plain spelling. Raises GrammarError."""
    return _Parser(spelling.text).formula()


class _Parser:
    """One pass from left to right; `stack` holds the groups inside each open bracket."""

    def __init__(self, text: str):
        self.text = text
        self.position = 0
        self.stack: list[list[Group]] = [[]]
        self.opened: list[int] = []

    def formula(self) -> tuple[Group, ...]:
        if DOT in self.text and not any(c in self.text for c in "=/"):
            return self._adduct()
        return self._part(len(self.text))

    def _adduct(self) -> tuple[Group, ...]:
        """The parts between the dots, each in a bracket with its coefficient."""
        parts, ends = [], [m.start() for m in re.finditer(DOT, self.text)] + [len(self.text)]
        for place, end in enumerate(ends):
            start = self.position
            coefficient = _COEFFICIENT.match(self.text, start)
            factor = amount_at(self.text, start) if coefficient else None
            self.position = min(coefficient.end(), end) if coefficient else start
            factor = None if factor is None else replace(factor, spaced=False)  # a blank around the dot says nothing
            groups = self._part(end)
            if not groups:
                raise GrammarError("character", min(end, len(self.text) - 1), "a part beside the dot is empty",
                                   "Write the formula on both sides of the dot")  # fmt: skip
            plain = place == 0 and factor is None
            parts += list(groups) if plain else [Group("", groups, factor, start)]
            self.position, self.stack, self.opened = end + 1, [[]], []
        return tuple(parts)

    def _part(self, end: int) -> tuple[Group, ...]:
        while self.position < end:
            character = self.text[self.position]
            if character.isspace():
                self.position += 1
            elif character in OPENING:
                self.opened.append(self.position)
                self.stack.append([])
                self.position += 1
            elif character in CLOSING:
                self._close_bracket()
            else:
                start = self.position
                symbol, isotope = self._symbol()
                self._add(Group(symbol, (), self._amount(), start, isotope))
        if self.opened:
            raise GrammarError("never closed", self.opened[-1], "this bracket is never closed", "Close or remove it")
        return tuple(self.stack[0])

    def _add(self, group: Group) -> None:
        self.stack[-1].append(group)

    def _close_bracket(self) -> None:
        here = self.position
        if not self.opened:
            raise GrammarError("never opened", here, "this bracket was never opened",
                               "Remove it, or add the opening bracket")  # fmt: skip
        start = self.opened.pop()
        opening = self.text[start]
        if OPENING.index(opening) != CLOSING.index(self.text[here]):
            raise GrammarError("other bracket", here, f"this bracket closes a “{opening}”", "Use the matching bracket")
        inside = tuple(self.stack.pop())
        if not inside:
            raise GrammarError("empty brackets", here, "the brackets are empty", "Fill or remove them")
        self.position += 1
        self._add(Group("", inside, self._amount(), start))

    def _amount(self) -> Amount | None:
        """The amount at the current position, None without one."""
        amount = amount_at(self.text, self.position)
        if amount is None:
            return None
        if not math.isfinite(amount.constant):
            raise GrammarError("not finite", amount.start, "the amount is not a finite number",
                               "Write a decimal number")  # fmt: skip
        self.position = amount.end
        return amount

    def _symbol(self) -> tuple[str, str]:
        """The element at the current position and, for hydrogen, its isotope; two letters take precedence over one."""
        here = self.position
        two, one = self.text[here : here + 2], self.text[here]
        lower = two[1:] if two[1:].islower() else ""  # a lowercase letter that belongs to the symbol
        if elements.is_element(two):
            self.position += len(two)
            return two, ""
        alone = not lower or self._is_variable(here + 1)
        if alone and elements.is_element(one):
            self.position += 1
            return one, ""
        if alone and one in _ISOTOPES and two != "TM":  # TM stands for a transition metal
            self.position += 1
            return "H", one
        raise self._no_symbol(one, lower)

    def _is_variable(self, position: int) -> bool:
        after = self.text[position + 1 : position + 2]
        return self.text[position] in _VARIABLES and not after.islower()

    def _no_symbol(self, one: str, lower: str) -> GrammarError:
        """The error for text that is not an element symbol."""
        here = self.position
        if one in "+-±":
            return self._sign(here)
        placeholder = PLACEHOLDER.match(self.text, here)
        if placeholder:
            rule = f"“{placeholder.group()}” stands for several elements"
            return GrammarError("placeholder", here, rule, "Replace it by one of them")
        if one.isdigit() or one == ".":
            return GrammarError("amount first", here, "an amount must follow an element or a bracket",
                                "Put the element first")  # fmt: skip
        if one in ",;/&|":
            rule = f"a formula cannot contain “{one}”, which separates several formulas or elements"
            return GrammarError("list", here, rule, "Give one formula, with the amount of every element")
        kind = "symbol" if one.isalpha() else "character"
        return GrammarError(kind, here, f"“{one + lower}” is not an element", "Check the spelling and the capitals")

    def _sign(self, here: int) -> GrammarError:
        rest = self.text[here + 1 :].lstrip()
        if re.match(r"\d*\.?\d*\s*[A-Z(]", rest) and here and rest[0] not in "xyz":
            rule = "a formula is one compound, not several joined by a sign"
            return GrammarError("several", here, rule, "Give each compound a formula of its own")
        if rest[:1].isdigit() or rest[:1] == ".":
            return GrammarError("sign", here, "an amount cannot be negative or a difference",
                                "Write the resulting amount")  # fmt: skip
        return GrammarError("sign", here, "an undetermined amount has no value", "Replace it by a number")
