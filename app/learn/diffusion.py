"""Diffusion on compositions: a stored example with a slider, and what each method can keep, from stored benchmarks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from app.learn.charts import amounts_figure
from app.learn.show import chart
from app.text.formatting import largest_amounts, with_minus
from app.text.html import formula_html
from core.benchmarks.harness import read
from core.benchmarks.paper import C_ES, GUIDED, KIAGO, SUPERDIFF
from core.paths import ASSETS

FOLDER = ASSETS / "benchmarks"
EXAMPLE = "superdiff-example"
# What a method can keep -> benchmark, and the column with its share.
KNOWLEDGE = {
    "the rest of the base, to within 1%": ("table5-7", "success"),
    "the elements allowed in a substitution": ("table5-7", "allowed"),
    "the charge balance of a substitution": ("table5-7", "neutral"),
    "40% hydrogen, three elements, 15 atoms": ("table9-10", "fulfils"),
    "charges of free formulas, Pauling test": ("table2", "neutral_share"),
    "whole numbers of atoms": ("table2", "whole_share"),
}
MOST_ELEMENTS = 9  # in a formula
METHODS = (KIAGO, C_ES, SUPERDIFF, GUIDED)


def diffusion() -> None:
    """The section; a note if the example is missing."""
    st.markdown(
        "A diffusion model (SuperDiff: S. Yuan, S. V. Dordevic, *Sci. Rep.* **2024**, 14, 10275, "
        "[doi:10.1038/s41598-024-61040-3](https://doi.org/10.1038/s41598-024-61040-3)) learns from known "
        "superconductors to recognise the noise in a vector of amounts. From pure noise it removes a little at a time, "
        "until a composition is left. ILVR ties the sample to a base: after every step its coarse part, the amounts "
        "averaged over neighbours in the periodic sequence, is replaced by that of the base."
    )
    outcome = read(EXAMPLE, FOLDER)
    if outcome is None:
        st.info(f"The example is missing. `python -m core benchmark {EXAMPLE}` computes it.", icon=":material/info:")
    else:
        example(outcome.table)
    knowledge(FOLDER)


def example(table: pd.DataFrame) -> None:
    """One sample at one step."""
    left, right = st.columns([1, 2], gap="large")
    with left:
        names = list(table["example"].unique())
        name = st.segmented_control("Samples", names, default=names[0], required=True, key="learn_diffusion_example")
        chosen = table[table["example"] == name]
        number = st.select_slider("Sample", list(chosen["sample"].unique()), key="learn_diffusion_sample")
        steps = list(chosen["step"].unique())
        step = st.select_slider("Denoising step", steps, key="learn_diffusion_step")
    row = chosen[(chosen["sample"] == number) & (chosen["step"] == step)].iloc[0]
    with right:
        cells = st.columns(3)
        cells[0].metric("Predicted Tc (K)", f"{row['tc_K']:.1f}")
        cells[1].metric("Formation energy (eV/atom)", with_minus(f"{row['formation_energy_eV_per_atom']:.2f}"))
        cells[2].metric("Standard deviation of the noise", f"{row['noise']:.2f}")
        chart(amounts_figure(amounts(row)), "learn_diffusion_amounts", "Amounts of the elements of the sample")
        st.markdown(formula_html(largest_amounts(row["formula"], MOST_ELEMENTS)), unsafe_allow_html=True)
    st.caption(
        "Amounts of the elements H to Cm; orange ones are negative. The formula has those of at least 0.08 atoms, of "
        f"more than {MOST_ELEMENTS} elements only the largest."
    )


def amounts(row: pd.Series) -> np.ndarray:
    """The stored amounts (96,) of a sample at a step."""
    return np.array(json.loads(row["amounts"]))


def knowledge(folder: Path) -> None:
    """The table of shares."""
    st.markdown("**What each method keeps**, as the share of its formulas that keep it:")
    st.table(knowledge_table(folder), border="horizontal")
    st.caption(
        "Measured, see the Benchmarks page. KIAGO has fixed amounts and masks in its map from parameters to "
        "compositions, and an integer loss before its formulas are rounded to whole numbers; C-ES exchanges elements "
        "of the same oxidation state, atom by atom. SuperDiff's amounts have four decimals. A diffusion model has "
        "none of these: what its samples keep is what the data and the base suggest."
    )


def knowledge_table(folder: Path) -> pd.DataFrame:
    """Mean over the bases of each share, as text; "not measured" without stored results of a method."""
    rows = {}
    for what, (name, column) in KNOWLEDGE.items():
        outcome = read(name, folder)
        found = outcome.table.groupby("method")[column].mean() if outcome and column in outcome.table else pd.Series()
        shares = {method: found.get(method, np.nan) for method in METHODS}
        rows[what] = {m: "not measured" if np.isnan(share) else f"{share:.0%}" for m, share in shares.items()}
    return pd.DataFrame.from_dict(rows, orient="index")
