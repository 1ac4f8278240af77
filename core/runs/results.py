"""The result files of a run: written with sizes and checksums, and read back from CSV."""

from __future__ import annotations

import io
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from core.evaluation.candidate_table import MISSING, read
from core.evaluation.columns import COLUMNS
from core.evaluation.csv_export import to_csv
from core.files import write_atomically, write_json
from core.runs import layout
from core.runs.inspection import RECORDED, recorded_file

if TYPE_CHECKING:
    from core.evaluation.result import DesignResult

_QUOTED_SIGNS = ("'=", "'+", "'-", "'@", "'\t", "'\n")  # see `core.spreadsheet.safe_cell`


def write_result(folder: Path, result: DesignResult, step: int) -> None:
    """Write the candidates, as CSV and as Parquet, and the summary with the checksums of the files of the result.

    step : completed steps

    Raises OSError if a file cannot be written. All are on the disk when the function returns.
    """
    passing = result.passing
    summary = {
        "status": result.status,
        "step": step,
        "base": result.base,
        "funnel": [asdict(step) for step in result.funnel],
        "restarts": result.restarts,
        "device": result.device,
        "n_passing": len(passing),
        "best_tc_K": float(passing["tc_K"].iloc[0]) if len(passing) else None,
        "best_formula": str(passing["formula"].iloc[0]) if len(passing) else None,
    }
    write_table(folder, result.candidates)
    write_csv(folder, result.candidates)
    write_summary(folder, summary)


def write_table(folder: Path, table: pd.DataFrame) -> None:
    """Write the candidates with their types."""
    typed = io.BytesIO()
    table.to_parquet(typed, index=False)
    write_atomically(folder / layout.TABLE, typed.getvalue(), durable=True, private=True)


def write_csv(folder: Path, table: pd.DataFrame) -> None:
    """Write the candidates as CSV."""
    write_atomically(folder / layout.CSV, to_csv(table), durable=True, private=True)


def write_summary(folder: Path, summary: dict) -> None:
    """Write the summary of a result, with sizes and checksums of its files as they are now."""
    files = {name: recorded_file(folder / name) for name in RECORDED if (folder / name).is_file()}
    write_json(folder / layout.RESULT, {**summary, "files": files}, durable=True, private=True)


def table_of_csv(text: str) -> pd.DataFrame:
    """The candidate table in the text of candidates.csv, with the digits of that file.

    Raises ValueError or KeyError if the text holds no candidate table.
    """
    cells = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
    types = {column.name: column.dtype for column in COLUMNS}
    return read(pd.DataFrame({name: _typed(cells[name], types[name]) for name in cells if name in types}))


def _typed(cells: pd.Series, dtype: str) -> pd.Series:
    """Cells as text -> values of a type of `COLUMNS`; empty cells are missing."""
    if dtype in ("bool", "boolean"):
        return cells.map({"True": True, "False": False, "": MISSING.get(dtype)}).astype(dtype)
    if dtype.startswith(("float", "int")):
        return pd.to_numeric(cells.where(cells != "")).astype(dtype)
    return cells.map(lambda text: text[1:] if text.startswith(_QUOTED_SIGNS) else text)
