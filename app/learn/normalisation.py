"""ReLU normalisation against softmax, to try."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st
import torch

from app.learn.charts import two_normalisations_figure
from app.learn.show import chart
from core.generation.gradient.simplex_map import SimplexMap
from core.predictors.registry import known_elements
from core.problem.settings import TC_PREDICTOR

SYMBOLS = ("La", "Fe", "As", "O", "F")
PRESETS = {  # name -> ratios of SYMBOLS
    "Two negative": (0.30, 0.25, 0.25, -0.10, -0.02),
    "Small values": (0.30, 0.25, 0.25, 0.18, 0.02),
    "All equal": (0.20, 0.20, 0.20, 0.20, 0.20),
    "One large": (1.00, 0.05, 0.05, 0.05, 0.05),
}


def normalisation() -> None:
    """The section."""
    left, right = st.columns(2, gap="large")
    left.latex(r"\sigma(v)_i = \frac{\mathrm{ReLU}(v_i)}{\sum_j \mathrm{ReLU}(v_j)},\quad \mathrm{ReLU}(v)=\max(0,v)")
    right.latex(r"\mathrm{softmax}(v)_i = \frac{e^{v_i}}{\sum_j e^{v_j}}")
    st.markdown(
        "Both turn any numbers into fractions that sum to 1. Softmax gives **every** element a fraction above 0; ReLU "
        "gives exactly 0 to every negative number, so that a composition has few elements, as a real compound has."
    )
    left, right = st.columns([1, 2], gap="large")
    with left:
        st.pills("Examples", list(PRESETS), key="learn_preset", on_change=take_preset, default=next(iter(PRESETS)))
        first = PRESETS[next(iter(PRESETS))]
        values = {
            symbol: st.slider(symbol, -0.5, 1.0, first[i], 0.01, key=f"learn_v_{symbol}")
            for i, symbol in enumerate(SYMBOLS)
        }
        others = len(known_elements(TC_PREDICTOR)) - len(SYMBOLS)
        with_others = st.toggle(f"The other {others} elements too, with v = 0", key="learn_others",
                                help="All elements that the default Tc model knows")  # fmt: skip
    relu, soft = normalised(values, others if with_others else 0)
    with right:
        cells = st.columns(2)
        every = len(values) + (others if with_others else 0)
        cells[0].metric("Elements above 0 by ReLU", f"{int((relu > 0).sum())} of {every}")
        cells[1].metric("Elements above 0 by softmax", f"{int((soft > 0).sum())} of {every}")
        symbols = [*values, *(["others"] if with_others else [])]
        shown = [np.append(x[: len(values)], x[len(values) :].sum() if with_others else []) for x in (relu, soft)]
        chart(two_normalisations_figure(symbols, *shown), "learn_normalisations", "Fractions by ReLU and by softmax")
    if not relu.any():
        st.warning("No value is positive: σ would divide by 0. In a run this candidate is restarted.",
                   icon=":material/info:")  # fmt: skip
    st.caption(
        "ReLU keeps the proportions: twice the value is twice the fraction. Softmax does not: adding the same number "
        "to all values changes nothing, and small differences give nearly equal fractions. A negative value has no "
        "gradient by ReLU, so an element that has left a composition comes back only in a restart."
    )


def take_preset() -> None:
    """Callback: the values of the chosen example."""
    for symbol, value in zip(SYMBOLS, PRESETS.get(st.session_state["learn_preset"], ()), strict=False):
        st.session_state[f"learn_v_{symbol}"] = value


def normalised(values: Mapping[str, float], others: int) -> tuple[np.ndarray, np.ndarray]:
    """Fractions (n,) of values and of `others` further zeros, by the map of the optimiser and by softmax.

    By the map all are 0 if no value is positive.
    """
    v = torch.tensor([*values.values(), *([0.0] * others)], dtype=torch.float64)
    simplex = SimplexMap(torch.zeros_like(v), torch.ones_like(v, dtype=torch.bool))
    return simplex.compose(v[None])[0].numpy(), torch.softmax(v, 0).numpy()
