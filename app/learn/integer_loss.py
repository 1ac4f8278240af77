"""The integer loss, to try: Fig. 2 of the KIAGO paper with sliders."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st
import torch

from app.learn.charts import grid_figure, sizes_figure
from app.learn.show import chart
from core.generation.gradient import losses

FIGURE_2 = {"Ca": 0.23, "Sr": 0.27, "O": 0.50}  # the example of the figure, with N = 4
LARGEST_N = 25


def integer_loss() -> None:
    """The section."""
    left, right = st.columns([1, 2], gap="large")
    with left:
        st.markdown("Fig. 2 of the KIAGO paper: Ca, Sr and O with N = 4 atoms. Move the fractions; O is the rest.")
        calcium = st.slider("Ca", 0.0, 0.5, FIGURE_2["Ca"], 0.01, key="learn_ca")
        strontium = st.slider("Sr", 0.0, 0.5, FIGURE_2["Sr"], 0.01, key="learn_sr")
        n = st.slider("N, atoms per formula unit", 1, LARGEST_N, 4, key="learn_n")
    fractions = {"Ca": calcium, "Sr": strontium, "O": round(1 - calcium - strontium, 10)}
    loss = loss_by_size(fractions)
    best = min(loss, key=lambda size: (round(loss[size], 9), size))
    with right:
        cells = st.columns(2)
        cells[0].metric(f"Loss for N = {n}", f"{loss[n]:.3f}")
        cells[1].metric(f"Smallest loss, at N = {best}", f"{loss[best]:.3f}", help=f"For N from 1 to {LARGEST_N}")
        chart(grid_figure(fractions, n), "learn_grid", "Fractions on the grid of whole atoms")
        chart(sizes_figure(list(loss), list(loss.values()), n), "learn_sizes", "Integer loss by number of atoms")
    st.caption(
        "The orange bars are the distances of the fractions to the nearest mark; their sum is the loss. With a large N "
        "there is a mark near every fraction, so N must be limited for the loss to be meaningful."
    )


def loss_by_size(fractions: Mapping[str, float]) -> dict[int, float]:
    """N -> L_int^N of this composition (KIAGO eq. 10), computed by the function of the optimiser."""
    sizes = torch.arange(1, LARGEST_N + 1, dtype=torch.float64)
    values = losses.grid_distance(torch.tensor([list(fractions.values())], dtype=torch.float64), sizes)[0]
    return {int(n): float(value) for n, value in zip(sizes, values, strict=True)}
