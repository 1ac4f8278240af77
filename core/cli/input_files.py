"""Reads the files that a user names: UTF-8 text, and formulas from CSV."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from core.errors import InputError


def read_text(path: Path, field: str, remedy: str) -> str:
    """The text of a UTF-8 file, with or without a byte-order mark.

    field : name of the input, for the error
    remedy : advice for a file that is not UTF-8

    Raises InputError if the file is missing, unreadable or not UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise InputError(field, path, "there is no such file", "Check the name") from None
    except UnicodeDecodeError:
        raise InputError(field, path, "this file is not text in UTF-8", remedy) from None
    except OSError as error:
        raise InputError(field, path, f"this file cannot be read ({error.strerror})", "Check the name") from None


def read_formulas(path: Path) -> list[str]:
    """The formulas in a CSV file: the column named formula, otherwise the first column. A missing cell is "".

    The first line is a header unless its first cell is a formula. The delimiter is the most frequent of comma,
    semicolon and tab in the first line.

    Raises InputError if the file cannot be read, is not CSV, or is empty.
    """
    text = read_text(path, "csv", "Save it as CSV in UTF-8")
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row]
    except csv.Error as error:
        raise InputError("csv", path, f"this file is not valid CSV ({error})", "Save it as CSV in UTF-8") from None
    if not rows:
        raise InputError("csv", path, "this file is empty", "Put one formula on each line")
    header = [cell.strip().lower() for cell in rows[0]]
    column = header.index("formula") if "formula" in header else 0
    start = 0 if "formula" not in header and _is_formula(rows[0][0]) else 1
    return [row[column] if column < len(row) else "" for row in rows[start:]]


def _is_formula(text: str) -> bool:
    from core.chemistry.formula_reader import parse_formula

    try:
        parse_formula(text)
    except InputError:
        return False
    return True
