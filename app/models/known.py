"""Predictions for well-known compounds beside what is known of them."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app.text.formatting import formula_text
from core.benchmarks.harness import read
from core.evaluation.columns import BY_NAME
from core.paths import ASSETS

NAME = "known"  # of the benchmark that computes the table
_LABELS = {"formula": "Formula", "known_tc_K": "Known Tc (K)", "known_as": "Known as", "source": "Source"}
_DIGITS = {"_K": 1, "_eV_per_atom": 3, "_probability": 2}


def known_compounds() -> None:
    """The stored table, and the command that computes it; nothing if it is not there."""
    stored = read(NAME, ASSETS / "benchmarks")
    if stored is None:
        return
    st.divider()
    st.header("Known compounds", anchor=False)
    st.markdown(
        "Predictions of the best models for well-known compounds, of which most were in the training data. Flags say "
        "where a Tc suggests pressure or another stoichiometry than written. "
        f"`python -m core benchmark {NAME}` computes this table."
    )
    st.markdown("\n".join(f"- {sentence}" for sentence in stored.sentences))
    st.dataframe(shown(stored.table), hide_index=True, alt="Known compounds")


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """The table with readable formulas, rounded numbers and labels."""
    view = table.assign(formula=table["formula"].map(formula_text))
    for name in view.select_dtypes("float"):
        digits = next((digits for ending, digits in _DIGITS.items() if name.endswith(ending)), 2)
        view[name] = view[name].round(digits) + 0.0  # no minus sign before a zero
    return view.rename(columns={name: _LABELS.get(name) or BY_NAME[name].label for name in view})
