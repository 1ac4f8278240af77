"""Excel workbooks, read again by openpyxl."""

from __future__ import annotations

import io

import pandas as pd
import pytest
from openpyxl import load_workbook

from core.evaluation import excel_export
from core.evaluation.excel_export import to_excel

TABLE = pd.DataFrame({
    "formula": ["MgB2", "=1+1", "a\x00b"], "tc_K": [39.1234, float("nan"), float("inf")], "n_atoms": [3, 4, 5],
    "passes": [True, False, True], "control_disagrees": pd.array([True, None, False], dtype="boolean"),
})  # fmt: skip


def test_cells_have_their_type_and_no_text_is_a_formula():
    sheet = load_workbook(io.BytesIO(to_excel(TABLE, "Candidates")))["Candidates"]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert rows[0] == list(TABLE.columns) and sheet.freeze_panes == "A2"
    assert rows[1:] == [["MgB2", 39.1234, 3, True, True], ["=1+1", None, 4, False, None],
                        ["a\N{REPLACEMENT CHARACTER}b", "inf", 5, True, False]]  # fmt: skip
    assert sheet["A3"].data_type == "s" and sheet["B2"].number_format == "0.00" and sheet["A1"].font.b


def test_a_table_that_is_too_long_is_refused(monkeypatch):
    monkeypatch.setattr(excel_export, "MOST_ROWS", 2)
    with pytest.raises(ValueError, match="3 rows"):
        to_excel(TABLE, "Candidates")
    assert load_workbook(io.BytesIO(to_excel(TABLE.head(0), "Empty"))).active.max_row == 1
