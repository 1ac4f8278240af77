"""Texts that fit the grammar of formulas but are rarely meant to the letter."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.chemistry import elements
from core.chemistry.formula_grammar import Group, total
from core.chemistry.spelling import DOT
from core.chemistry.tolerances import WHOLE_ATOM

MOST_ATOMS_OF_ONE_ELEMENT = 105  # in a cell of boron; Cu111 is a surface, Bi2212 a nickname
_MOST_ELEMENTS_BESIDE_TRITIUM = 1  # T2O, LaT10; but T is a transition metal in LaT2Si2
_HYDRATE = re.compile(r"(?<=\d)\.(?=\d*\.?\d*\s*H2O\s*$)|(?<=[A-Za-z)\]])\.(?=\s*\d*\s*H2O\s*$)")
_DIMENSION = re.compile(r"\s[0-3]\s?D\s*$")
_ANIONS_THAT_SHARE_A_SITE = ({"Se", "Te"}, {"P", "As"}, {"As", "Sb"})
_METALS_IN_CAPITALS = ("NB", "SN", "PB", "HF", "BI")  # not CO or IN, which occur in molecules: COS, H4INO4


@dataclass(frozen=True)
class Doubt:
    """Why a text is not read to the letter.

    kind : "hydrate", "dimension", "amount after a blank", "second formula", "shared site",
        "one element", "tritium", "capitals"
    """

    kind: str
    position: int
    rule: str


def doubt(text: str, groups: tuple[Group, ...]) -> Doubt | None:
    """The first reason not to read the text, in plain spelling and parsed into groups, to the letter; None without."""
    everything = [g for group in groups for g in group.walk()]
    return (
        _hydrate(text)
        or _dimension(text)
        or _blanks(everything)
        or _second_formula(text, groups)
        or _shared_site(everything)
        or _one_element(everything)
        or _tritium(everything)
        or _capitals(text, groups)
    )


def water_of_hydrate(text: str) -> int | None:
    """The position of the point in CuSO4.5H2O; None in other texts."""
    match = None if DOT in text else _HYDRATE.search(text)
    return match.start() if match else None


def _hydrate(text: str) -> Doubt | None:
    point = water_of_hydrate(text)
    if point is None:
        return None
    return Doubt("hydrate", point, "the point may belong to an amount or stand before the water of a hydrate")


def _dimension(text: str) -> Doubt | None:
    """ZrNCl 2D: two dimensions, not deuterium."""
    match = _DIMENSION.search(text)
    return Doubt("dimension", match.start(), "D after a number is the dimension or deuterium") if match else None


def _blanks(groups: Sequence[Group]) -> Doubt | None:
    """Amounts are either all separated by blanks, as in text extracted from papers, or none: Nb3Sn 53."""
    given = [g.amount for g in groups if g.amount is not None]
    spaced = [amount for amount in given if amount.spaced]
    if not spaced or len(spaced) == len(given):
        return None
    rule = "a blank precedes this amount but not the others, so it may be another number"
    return Doubt("amount after a blank", spaced[-1].start, rule)


def _second_formula(text: str, groups: tuple[Group, ...]) -> Doubt | None:
    """A bracket at the end that repeats elements before it, after a blank: Fe 7 Se 8 (Fe 0.875 Se)."""
    last = groups[-1]
    if len(groups) < 2 or last.symbol or not text[last.start - 1].isspace() or last.amount is not None:
        return None
    repeated = set(total(groups[:-1], {})) & set(total(last.inside, {}))
    if not repeated or len(last.inside) == 1:
        return None
    return Doubt("second formula", last.start, "the bracket repeats elements, so it may hold a second formula")


def _shared_site(groups: Sequence[Group]) -> Doubt | None:
    """Elements that share a site, without their amounts: Ba(FeCo)2As2 is not BaFe2Co2As2."""
    for group in groups:
        counted = group.amount is not None and abs(group.amount.constant - 1) > WHOLE_ATOM
        if counted and share_a_site(group.inside):
            names = " and ".join(g.symbol for g in group.inside)
            return Doubt("shared site", group.start, f"{names} seem to share a site, and their amounts are not given")
    return None


def share_a_site(inside: Sequence[Group]) -> bool:
    """Whether these are two or more similar elements without amounts: metals of one kind, or anions."""
    if len(inside) < 2 or any(not g.symbol or g.amount is not None for g in inside):
        return False
    found = [elements.element(g.symbol) for g in inside]
    symbols = {e.symbol for e in found}
    if all(e.metal and (e.block != "p") for e in found):  # (AlGe)2 is written for ordered compounds
        return len(symbols) == len(found) and len({_large_cation(e) for e in found}) == 1
    return symbols in _ANIONS_THAT_SHARE_A_SITE


def _large_cation(element: elements.Element) -> bool:
    """Alkali metals, alkaline earths and rare earths replace each other, and so do transition metals."""
    return element.block in "sf" or element.group == 3


def _one_element(groups: Sequence[Group]) -> Doubt | None:
    if len(groups) != 1 or not groups[0].symbol or groups[0].amount is None:
        return None
    amount = groups[0].amount
    if amount.constant <= MOST_ATOMS_OF_ONE_ELEMENT:
        return None
    return Doubt("one element", amount.start, f"the number after {groups[0].symbol} is hardly a number of atoms")


def _tritium(groups: Sequence[Group]) -> Doubt | None:
    typed = [g for g in groups if g.isotope == "T"]
    others = {g.symbol for g in groups if g.symbol} - {"H"}
    if not typed or len(others) <= _MOST_ELEMENTS_BESIDE_TRITIUM:
        return None
    return Doubt("tritium", typed[0].start, "T is tritium or stands for a transition metal")


def _capitals(text: str, groups: tuple[Group, ...]) -> Doubt | None:
    """Capitals only, no metal to the letter, but metals if two letters form a symbol: NB3SN."""
    letters = [c for c in text if c.isalpha()]
    if len(letters) < 3 or not all(c.isupper() for c in letters):
        return None
    if any(elements.element(symbol).metal for symbol in total(groups, {})):
        return None
    if not any(metal in text for metal in _METALS_IN_CAPITALS):
        return None
    return Doubt("capitals", 0, "in capitals it is not clear which letters belong to one element")
