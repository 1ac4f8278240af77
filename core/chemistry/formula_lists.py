"""Pasted text -> its formulas: one per line, or several in a line, separated by commas, semicolons, tabs or "and".

A line that reads as one formula or series is one, also with decimal commas and blanks (La1,85Sr0,15CuO4); a tab always
separates. Compounds with only blanks between them are refused with both readings: MgB2 Nb3Sn may be one formula.
"""

from __future__ import annotations

import re

from core.chemistry import nicknames
from core.chemistry.exact_formula import exact_reading
from core.chemistry.formula_reader import read_members
from core.errors import InputError

_DECIMAL = re.compile(r"(?<=\d),(?=\d)")
_SEPARATOR = re.compile(r",|;|\t|\sand\s")
_BRACKETS = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}
_LIST = ", "  # between the formulas of a proposal


def split_formulas(text: str) -> list[str | InputError]:
    """The formulas and series of a text, in order; empty lines are left out.

    A formula that cannot be read stays as it is, for the reader to refuse. An InputError (field "formula") stands for a
    line that is neither one formula nor clearly several; its suggestions can be split again.
    """
    return [found for line in text.splitlines() if line.strip() for found in _of_line(line.strip())]


def _of_line(line: str) -> list[str] | list[InputError]:
    parts = _parts(line)
    if len(parts) == 1:
        return _of_words(line)
    if "\t" not in line and _refusal(line) is None:
        return [line]
    formulas = [part for part in parts if _could_be_formula(part)]
    if len(formulas) == len(parts):
        return parts
    if not formulas:
        return [line]
    strange = next(part for part in parts if part not in formulas)
    rule = f"“{strange}” is not a formula"
    return [InputError("formula", line, rule, "Leave it out", line.index(strange), (_LIST.join(formulas),))]


def _of_words(line: str) -> list[str] | list[InputError]:
    """A line without separators: an error if each of its words is a compound."""
    words = line.split()
    if len(words) < 2 or not all(map(_is_compound, words)):
        return [line]
    rule = "these may be several formulas, or one formula written with blanks"
    options = (_LIST.join(words), "".join(words))
    return [InputError("formula", line, rule, "Write commas between formulas, no blanks within one", None, options)]


def _parts(line: str) -> list[str]:
    """The pieces between separators that are outside brackets and no decimal commas."""
    decimal = {match.start() for match in _DECIMAL.finditer(line)}
    depth, start, parts = 0, 0, []
    separators = {match.start(): match.end() for match in _SEPARATOR.finditer(line) if match.start() not in decimal}
    for place, character in enumerate(line):
        depth += _BRACKETS.get(character, 0)
        if place in separators and depth == 0:
            parts.append(line[start:place])
            start = separators[place]
    return [part.strip() for part in (*parts, line[start:]) if part.strip()]


def _is_compound(word: str) -> bool:
    """Whether a word is a nickname, or reads as a formula with several elements."""
    if nicknames.formula_of_nickname(word) is not None:
        return True
    try:
        return len(exact_reading(word).amounts) > 1
    except InputError:
        return False


def _could_be_formula(text: str) -> bool:
    """Whether a text is a formula or a series, or is refused with a proposal."""
    refusal = _refusal(text)
    return refusal is None or bool(refusal.suggestions)


def _refusal(text: str) -> InputError | None:
    """Why a text cannot be read; None if it can be."""
    try:
        read_members(text)
    except InputError as error:
        return error
    return None
