"""Amounts as they stand in formulas: numbers, fractions, and expressions with undetermined variables such as 7-δ."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

NUMBER = r"(?:\d+(?:[.,]\d+|\.)?|\.\d+)(?:[eE][-+]?\d+)?"
VARIABLE = r"[xyzdδmnpuvw](?![a-z])"
_FRACTION = r"\d{1,3}/\d{1,3}(?![\d.])"
_TERM = rf"(?:[0-4](?:\.\d+)?)?{VARIABLE}"  # a variable with a small coefficient: 2x
_SIGNED_VARIABLE = rf"(?:{VARIABLE}|[XZ](?![a-z])|[YD](?=\s*$))"  # capitals only after a sign: O7-X, O4-Y
_SIGNED_TERM = rf"(?:[0-4](?:\.\d+)?)?{_SIGNED_VARIABLE}"
_SIGN = r"[ ]*[-+][ ]*"
_CONSTANT = rf"(?:{_FRACTION}|{NUMBER})"
# Undetermined amounts in the orders in which they are typed and in which text is extracted from papers.
_EXPRESSIONS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\([ ]*(?P<e>{_CONSTANT}(?:{_SIGN}{_SIGNED_TERM})+)[ ]*\)",  # (2-x)
        rf"(?P<s>[-+])[ ]*(?P<t>{_TERM})[ ]+(?P<n>{_CONSTANT})(?![\d.]|{_SIGN}[\dxyz])",  # -x 1
        rf"(?P<t>{_TERM})[ ]+(?P<n>{_CONSTANT})[ ]*(?P<s>[-+])(?=[ ]*(?:[A-Z()]|$))",  # x 1-
        rf"(?P<e>{_CONSTANT}(?:{_SIGN}{_SIGNED_TERM})+)",  # 1-x-y
        rf"(?P<e>{_TERM}(?:{_SIGN}(?:{_TERM}|{_CONSTANT}))*)",  # x, 2n+4+x
        rf"(?P<n>{_CONSTANT})[ ]*(?P<d>[-+])(?=[ ]*(?:[)\]}}]|$))",  # 7-, the variable is missing
    )
)
_PLAIN = re.compile(rf"{_FRACTION}|{NUMBER}")
_PIECE = re.compile(rf"(?P<sign>[-+]?)[ ]*(?:(?P<c>[0-4](?:\.\d+)?)?(?P<v>{_SIGNED_VARIABLE})|(?P<n>{_CONSTANT}))")
MISSING_VARIABLE = "δ"  # of "O7-", whose variable is cut off


@dataclass(frozen=True)
class Amount:
    """An amount: constant + sum of coefficient * variable.

    text : as a plain decimal or expression, without blanks
    start, end : its place in the text; start is that of its first character that is not blank
    spaced : whether blanks precede it
    terms : variable -> coefficient
    """

    constant: float
    text: str
    start: int
    end: int
    spaced: bool
    terms: Mapping[str, float]

    def value(self, values: Mapping[str, float]) -> float:
        """The number of atoms; variables without a value count as 0."""
        return self.constant + sum(c * values.get(variable, 0.0) for variable, c in self.terms.items())


def amount_at(text: str, position: int) -> Amount | None:
    """The amount at this position, blanks before it included; None if there is none."""
    start = position
    while start < len(text) and text[start].isspace():
        start += 1
    if start == len(text) or text[start].isupper():
        return None
    for pattern in _EXPRESSIONS:
        match = pattern.match(text, start)
        if match:
            return _expression(match, start, start > position)
    match = _PLAIN.match(text, start)
    if not match:
        return None
    written = match.group().replace(",", ".").removesuffix(".")
    return Amount(number(written), written, start, match.end(), start > position, {})


def number(text: str) -> float:
    """The value of a plain number or a fraction such as 2/3; infinite if the denominator is 0."""
    numerator, slash, denominator = text.replace(",", ".").partition("/")
    if not slash:
        return float(numerator)
    return float(numerator) / float(denominator) if float(denominator) else float("inf")


def _expression(match: re.Match, start: int, spaced: bool) -> Amount:
    parts = match.groupdict()
    written = parts.get("e")
    if parts.get("d"):
        written = f"{parts['n']}{parts['d']}{MISSING_VARIABLE}"
    elif written is None:
        written = f"{parts['n']}{parts['s']}{parts['t']}"
    written = written.replace(" ", "").replace(",", ".")
    constant, terms = 0.0, {}
    for piece in _PIECE.finditer(written):
        sign = -1.0 if piece["sign"] == "-" else 1.0
        if piece["v"]:
            terms[piece["v"]] = terms.get(piece["v"], 0.0) + sign * float(piece["c"] or 1)
        else:
            constant += sign * number(piece["n"])
    return Amount(constant, written, start, match.end(), spaced, terms)
