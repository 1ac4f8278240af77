"""The reports of a measured Tc in SuperCon, each with its reference."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app import cached_data
from core.predictors.checkpoint import CheckpointError
from core.reference_data.tc_reports import TcReport

COLUMNS = ("Tc (K)", "Formula in SuperCon", "Reference", "Entry")


@st.fragment
def reports(formula: str) -> None:
    """What stands in SuperCon about the composition of a known superconductor, drawn when it is opened."""
    box = st.expander("Reports and references", key="candidate.reports", on_change="rerun")
    if not box.open:
        return
    with box:
        try:
            found = cached_data.tc_reports(formula)
        except CheckpointError as error:
            st.caption(str(error))
            return
        if not found:
            st.caption("It is not in SuperCon, but in the set of Stanev et al. 2018, which gives no references.")
            return
        st.dataframe(table(found), hide_index=True, alt="Reports of the measured Tc, with their references")
        st.caption("NIMS MDR SuperCon 220808, CC BY 4.0; formulas and references as they stand there.")


def table(found: tuple[TcReport, ...]) -> pd.DataFrame:
    """One row for each report."""
    rows = [(report.tc_K, report.formula, report.reference, report.number) for report in found]
    return pd.DataFrame(rows, columns=list(COLUMNS))
