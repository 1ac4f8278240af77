"""Cells of a CSV that spreadsheets open without running any of them as a formula."""

from __future__ import annotations

import unicodedata

_SIGNS = ("=", "+", "-", "@")
_INVISIBLE = ("Cc", "Cf", "Mn", "Me")  # control and formatting characters, marks without width


def safe_cell(value: object) -> object:
    """Text with a quote before a leading = + - @, tab or line feed, which spreadsheets read as a formula.

    Blanks and invisible characters before the sign are passed over, as some spreadsheets do, and a full-width sign
    counts as the sign. A carriage return becomes a line feed: Python 3.11 does not quote it, and spreadsheets begin a
    new row there. Other values are returned unchanged.
    """
    if not isinstance(value, str):
        return value
    text = value.replace("\r\n", "\n").replace("\r", "\n")
    return "'" + text if text[:1] in ("\t", "\n") or _first_sign(text) in _SIGNS else text


def _first_sign(text: str) -> str:
    """The first visible character, in its compatible form: "＝" is "="; "" if there is none."""
    for character in text:
        if not character.isspace() and unicodedata.category(character) not in _INVISIBLE:
            return unicodedata.normalize("NFKC", character)[:1]
    return ""
