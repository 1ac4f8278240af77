"""Tables as CSV text that spreadsheets open without running any cell as a formula."""

from __future__ import annotations

import csv
import io
import unicodedata

import pandas as pd

from core.evaluation.columns import COLUMNS, DERIVED_COLUMNS

_SIGNS = ("=", "+", "-", "@")
_INVISIBLE = ("Cc", "Cf", "Mn", "Me")  # control and formatting characters, marks without width
_DIGITS = {column.name: column.digits for column in (*COLUMNS, *DERIVED_COLUMNS)}


def to_csv(table: pd.DataFrame, header: bool = True) -> str:
    """A table as CSV text: UTF-8, units in the headers, "\\n" line ends, numbers with the digits of their column.

    Missing values are empty cells; text is made safe for spreadsheets.

    header : False for a further part of a table
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    if header:
        writer.writerow([safe_cell(name) for name in table.columns])
    digits = [_DIGITS.get(name) for name in table.columns]
    for row in table.itertuples(index=False):
        writer.writerow([_cell(value, d) for value, d in zip(row, digits, strict=True)])
    return out.getvalue()


def _cell(value: object, digits: int | None) -> object:
    if pd.isna(value):
        return ""
    if digits is not None and isinstance(value, float):
        return f"{round(value, digits) + 0.0:.{digits}f}"  # + 0.0: no minus before a zero
    return safe_cell(value)


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
