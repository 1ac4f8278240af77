"""Tables as CSV text that spreadsheets open without running any cell as a formula."""

from __future__ import annotations

import csv
import io

import pandas as pd

from core.evaluation.columns import COLUMNS, DERIVED_COLUMNS, STRUCTURE_COLUMNS
from core.spreadsheet import safe_cell

_DIGITS = {column.name: column.digits for column in (*COLUMNS, *DERIVED_COLUMNS, *STRUCTURE_COLUMNS)}


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
