"""A candidate to take home: files, a citation, and links to look it up elsewhere."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app.exports.candidate_files import bibtex, candidate_json, latex_row
from app.exports.external_links import external_links
from core.evaluation.csv_export import to_csv
from core.runs.run import Run


def take_home(run: Run, row: pd.Series) -> None:
    """The whole tab."""
    columns = run.candidates().columns
    plain = row[[name for name in columns if name in row.index]]
    files = {
        "JSON": ("json", "application/json", candidate_json(plain, run.id)),
        "CSV": ("csv", "text/csv", to_csv(pd.DataFrame([plain], columns=list(plain.index)))),
        "BibTeX": (
            "bib",
            "text/plain",
            bibtex(plain, run.id, run.created(), str(run.provenance().get("project_version", ""))),
        ),
    }
    with st.container(horizontal=True, gap="small"):
        for label, (ending, mime, text) in files.items():
            st.download_button(
                label, text.encode("utf-8"), f"{row['formula']}.{ending}", mime, icon=":material/download:",
                key=f"take_{ending}", on_click="ignore",
            )  # fmt: skip
    st.caption("Row of a LaTeX table")
    st.code(latex_row(plain), language="latex", wrap_lines=True)
    st.caption("Elsewhere: these links leave the app, and tell the site what you look for.")
    with st.container(horizontal=True, gap="small", key="external_links"):
        for link in external_links(row["formula"]):
            st.link_button(link.label, link.url, icon=":material/open_in_new:", help=f"Leaves the app: {link.about}")
