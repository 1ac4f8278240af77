"""Tables as Excel workbooks: typed cells, and no cell that is run as a formula."""

from __future__ import annotations

import io
import math

import numpy as np
import pandas as pd

from core.evaluation.columns import COLUMNS, DERIVED_COLUMNS

MOST_ROWS = 100_000  # a sheet has room for about ten times as many
_DIGITS = {column.name: column.digits for column in (*COLUMNS, *DERIVED_COLUMNS)}
_LONGEST_TEXT, _WIDEST = 32_767, 60  # characters of a cell, by the format; width of a column


def to_excel(table: pd.DataFrame, title: str) -> bytes:
    """A table as an .xlsx file with one sheet: a header that stays in sight, numbers shown with their digits.

    Missing values are empty cells, infinite ones text. Text that begins with "=" stays text.

    title : of the sheet

    Raises ValueError for more than MOST_ROWS rows.
    """
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    if len(table) > MOST_ROWS:
        raise ValueError(f"{len(table):,} rows are more than {MOST_ROWS:,}")
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    for place, name in enumerate(table.columns, 1):
        longest = max([len(str(name)), *(len(str(value)) for value in table[name].head(200))])
        sheet.column_dimensions[get_column_letter(place)].width = min(longest + 2, _WIDEST)
    formats = [_format(_DIGITS.get(name)) for name in table.columns]
    header = [WriteOnlyCell(sheet, str(name)) for name in table.columns]
    for cell in header:
        cell.font = Font(bold=True)
    sheet.append(header)
    for row in table.itertuples(index=False):
        cells = []
        for value, number_format in zip(row, formats, strict=True):
            cell = WriteOnlyCell(sheet, _value(value))
            if isinstance(cell.value, str):
                cell.data_type = "s"  # not "f", a formula
            elif isinstance(cell.value, float) and number_format:
                cell.number_format = number_format
            cells.append(cell)
        sheet.append(cells)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _format(digits: int | None) -> str:
    return "" if digits is None else "0." + "0" * digits if digits else "0"


def _value(value: object) -> object:
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    if isinstance(value, str):
        return ILLEGAL_CHARACTERS_RE.sub("\N{REPLACEMENT CHARACTER}", value)[:_LONGEST_TEXT]
    if pd.isna(value):
        return None
    value = value.item() if isinstance(value, np.generic) else value
    return str(value) if isinstance(value, float) and math.isinf(value) else value
