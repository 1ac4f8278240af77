"""Formulas in CSV files as spreadsheets write them, read row by row, with the other columns kept.

The delimiter is the one of a line "sep=;" at the top, otherwise the most frequent of comma, semicolon and tab in the
first line. Decimal commas are recognised where the delimiter is a comma too: La1,85Sr0,15CuO4 in one column is one
formula.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from core.chemistry.formula_reader import read_members
from core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from core.evaluation.user_formulas import UserFormula

FORMULA_COLUMNS = ("formula", "chemical formula", "chemical_formula", "composition", "compound", "material")
OTHER_COLUMNS = ("tc", "tc (k)", "tc_k", "tc/k", "t_c", "tc[k]", "id", "no", "no.", "name", "sample", "note")
_SEPARATOR_LINE = re.compile(r"^\s*\"?sep=(.)\"?\s*$", re.IGNORECASE)
_DECIMAL_COMMAS = re.compile(r"[^,]*\d(?:,\d[^,]*)+")  # each comma between two digits
_COMMA_BEFORE_ELEMENT = re.compile(r",\d+\s*[A-Z(\[]")
_REMEDY = "Save it as CSV in UTF-8"


@dataclass(frozen=True)
class Row:
    """One row of the file: the text of its formula, or the reason why it is not clear which, and the other cells."""

    formula: str | InputError
    others: tuple[str, ...]


class FormulaCsv:
    """A CSV file of formulas, open for reading; use it in a with-statement.

    Attributes
    ----------
    others : names of the columns beside that of the formulas
    size : of the file, in bytes

    Raises InputError if the file cannot be read, is not CSV, or is empty; also while it is read.
    """

    def __init__(self, path: Path, content: bytes | None = None):
        """content : of an uploaded file, of which `path` is only the name; None: the file is read from the disk"""
        self._path = path
        self._binary: BinaryIO = _opened(path) if content is None else io.BytesIO(content)
        self.size = path.stat().st_size if content is None else len(content)
        self._bytes_read = 0
        self._start()

    def __enter__(self) -> FormulaCsv:
        return self

    def __exit__(self, *_) -> None:
        self._binary.close()

    @property
    def bytes_read(self) -> int:
        """How much of the file has been read."""
        return self._bytes_read

    def rows(self) -> Iterator[Row]:
        """The rows after the header, one at a time; empty lines are left out."""
        if self._first is not None:
            yield self._row(self._first)
        for cells in self._cells():
            yield self._row(cells)

    def _start(self) -> None:
        """Read the header, if there is one, and find the column of the formulas."""
        line = self._first_line()
        separator = _SEPARATOR_LINE.match(line)
        if separator:
            delimiter, line = separator.group(1), None
        else:
            delimiter = "\n" if _is_decimal_formula(line) else max(",;\t", key=line.count)
        self._one_column = delimiter == "\n"
        self._delimiter = "," if self._one_column else delimiter
        self._reader = csv.reader(self._lines(line), delimiter=self._delimiter)
        first = next(self._cells(), None)
        if first is None:
            raise InputError("csv", self._path, "this file is empty", "Put one formula on each line")
        names = [cell.strip() for cell in first]
        lower = [name.lower() for name in names]
        self._column = next((lower.index(name) for name in FORMULA_COLUMNS if name in lower), 0)
        header = not self._one_column and (
            bool({*FORMULA_COLUMNS, *OTHER_COLUMNS} & set(lower)) or not _could_be_formula(first[self._column])
        )
        self._width = 1 if self._one_column else len(first)
        self._first = None if header else first
        if not header:
            names = [f"column {i + 1}" for i in range(self._width)]
        self.others = tuple(name for i, name in enumerate(names) if i != self._column)

    def _first_line(self) -> str:
        for line in self._decoded():
            if line.strip():
                return line
        raise InputError("csv", self._path, "this file is empty", "Put one formula on each line")

    def _decoded(self) -> Iterator[str]:
        """The lines of the file as text, without a byte-order mark."""
        try:
            for line in self._binary:
                encoding = "utf-8-sig" if self._bytes_read == 0 else "utf-8"
                self._bytes_read += len(line)
                yield line.decode(encoding)
        except UnicodeDecodeError:
            raise InputError("csv", self._path, "this file is not text in UTF-8", _REMEDY) from None

    def _lines(self, first: str | None) -> Iterator[str]:
        if first is not None:
            yield first
        yield from self._decoded()

    def _cells(self) -> Iterator[list[str]]:
        try:
            for cells in self._reader:
                if any(cell.strip() for cell in cells) or (cells and len(cells) > 1):
                    yield cells
        except csv.Error as error:
            raise InputError("csv", self._path, f"this file is not valid CSV ({error})", _REMEDY) from None

    def _row(self, cells: Sequence[str]) -> Row:
        extra = len(cells) - self._width
        column, end = self._column, self._column + 1
        if extra > 0 and self._delimiter == ",":
            end += extra
        inside, others = cells[column:end], [*cells[:column], *cells[end:]]
        others += [""] * (len(self.others) - len(others))
        return Row(_formula_in(inside), tuple(others[: len(self.others)]))


def with_other_columns(
    table: pd.DataFrame, formulas: Sequence[UserFormula], rows: Sequence[Row], others: Sequence[str]
) -> pd.DataFrame:
    """The table of some formulas with the other columns of their file after those of the formula.

    formulas : one per row of the table; `UserFormula.source` is the index of its row
    others : names of the other columns; one that the table has already gets the ending " (input)"
    """
    from core.evaluation.user_formulas import READ

    table = table.copy()
    for place, name in enumerate(others):
        cells = [rows[formula.source].others[place] for formula in formulas]
        free = name
        while free in table.columns:
            free += " (input)"
        table.insert(len(READ) + place, free, cells)
    return table


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise InputError("csv", path, "there is no such file", "Check the name") from None
    except OSError as error:
        raise InputError("csv", path, f"this file cannot be read ({error.strerror})", "Check the name") from None


def _formula_in(cells: Sequence[str]) -> str | InputError:
    """The formula in one cell, or in several that a decimal comma separates."""
    if len(cells) < 2:
        return cells[0] if cells else ""
    text = ",".join(cells)
    if _DECIMAL_COMMAS.fullmatch(text) and _COMMA_BEFORE_ELEMENT.search(text):
        return text
    rule = "this row has more cells than the first one, so a comma may be a decimal comma or separate two cells"
    options = tuple(t for t in (text.replace(",", "."), cells[0].strip()) if _could_be_formula(t))
    return InputError(
        "formula", text, rule, "Write decimal points, or put quotation marks around a cell", None, options
    )


def _is_decimal_formula(line: str) -> bool:
    """Whether the whole line is one formula with decimal commas."""
    text = line.strip()
    return bool(_DECIMAL_COMMAS.fullmatch(text) and _COMMA_BEFORE_ELEMENT.search(text)) and _could_be_formula(text)


def _could_be_formula(text: str) -> bool:
    """Whether a text is a formula, or is refused with a proposal."""
    try:
        read_members(text)
    except InputError as error:
        return bool(error.suggestions)
    return True
