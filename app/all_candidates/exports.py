"""Downloads of compositions as CSV, Excel and JSON, with all columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from core.campaigns.candidates import as_frame
from core.campaigns.query import CandidateQueries
from core.evaluation.csv_export import to_csv
from core.evaluation.excel_export import to_excel
from core.runs.annotations import Annotation

_NAME = "library"
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def complete(
    library: CandidateQueries, formulas: Sequence[str], where: str, order: str, kept: Mapping[str, Annotation]
) -> pd.DataFrame:
    """All columns of these compositions, their best row that meets the condition, with star and note."""
    table = as_frame(library.select(where, order, each_composition_once=True, among=formulas))
    marks = [kept.get(formula, Annotation()) for formula in table["formula"]]
    return table.assign(starred=[mark.starred for mark in marks], note=[mark.note for mark in marks])


def downloads(
    library: CandidateQueries,
    formulas: Sequence[str],
    where: str,
    order: str,
    kept: Mapping[str, Annotation],
    selected: bool,
) -> None:
    """Three buttons; a file is made only when its button is pressed. selected : whether the user chose these rows"""

    def table() -> pd.DataFrame:
        return complete(library, formulas, where, order, kept)

    kinds = {
        "CSV": ("csv", "text/csv", lambda: to_csv(table()).encode("utf-8")),
        "Excel": ("xlsx", EXCEL, lambda: to_excel(table(), "Candidates")),
        "JSON": ("json", "application/json", lambda: to_json(table()).encode("utf-8")),
    }
    row = st.container(horizontal=True, vertical_alignment="center")
    number = f"{len(formulas):,} {'selected' if selected else 'shown'} row{'' if len(formulas) == 1 else 's'} as"
    row.html(f'<span class="quiet">{number}</span>', width="content")
    for label, (ending, mime, content) in kinds.items():
        row.download_button(label, content, f"{_NAME}.{ending}", mime, key=f"library.download.{ending}",
                            icon=":material/download:", on_click="ignore")  # fmt: skip


def to_json(table: pd.DataFrame) -> str:
    """The rows as a JSON list of objects, missing values null, elements as lists."""
    lists = table.assign(elements=[text.split() for text in table["elements"]])
    return lists.to_json(orient="records", indent=1, force_ascii=False) + "\n"
