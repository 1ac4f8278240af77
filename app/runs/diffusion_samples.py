"""The same samples of a diffusion at several steps of its run: how noise becomes compounds."""

from __future__ import annotations

import numpy as np
import streamlit as st

from app.blocks import section
from app.runs.progress_html import samples_html
from core.generation.diffusion.formulas import LEAST_AMOUNT
from core.runs.run import Run

ROWS = 7  # steps that are shown
MOST_ELEMENTS = 6  # in a formula


def samples_at_steps(run: Run) -> None:
    """Some recorded steps, from the first to the last; nothing for a method without samples."""
    samples = run.samples()
    if samples.empty:
        return
    section("The same samples at several steps")
    rows = np.unique(np.linspace(0, len(samples) - 1, ROWS).round().astype(int))
    st.html(samples_html(samples.iloc[rows].to_dict("records"), MOST_ELEMENTS))
    st.caption(
        f"From noise to compounds: amounts of at least {LEAST_AMOUNT:g} atoms, of more than {MOST_ELEMENTS} elements "
        "only the largest."
    )
