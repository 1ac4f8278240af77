"""The method in five steps."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st


class Step(NamedTuple):
    """One step: heading, equation (LaTeX) and explanation (markdown)."""

    heading: str
    equation: str
    text: str


STEPS = (
    Step(
        "1. Compositions that always meet the constraints",
        r"x = x_\mathrm{const} + \sigma(x_\mathrm{base} \odot M_\mathrm{elem} \odot M_\mathrm{max})"
        r"\,\Bigl(1 - \textstyle\sum x_\mathrm{const}\Bigr)",
        r"A composition is a vector of 118 fractions with sum 1. Fixed fractions (and minimum fractions) are in "
        r"$x_\mathrm{const}$; forbidden elements are 0 in the mask $M_\mathrm{elem}$; "
        r"$\sigma(v) = \mathrm{ReLU}(v) / \sum \mathrm{ReLU}(v)$ distributes the rest among the other elements. So the "
        "constraints hold whatever the gradient does.",
    ),
    Step(
        "2. Stage 1: raise the critical temperature, lower the energy",
        r"L_1 = -T_\mathrm{c}(x) + \alpha\, E_\mathrm{f}(x), \qquad \alpha = 4\ \mathrm{K/(eV/atom)}",
        "Hundreds of initial compositions, each the base with some elements replaced and some added, are optimised by "
        "Adam. The formation energy excludes compositions that form no stable solid.",
    ),
    Step(
        "3. Few elements",
        r"M_\mathrm{max} = \text{the largest } n_\mathrm{max} \text{ fractions}",
        "Between the stages, only the largest fractions of each composition are kept.",
    ),
    Step(
        "4. Stage 2: integer formulas",
        r"L_2 = L_1 + \beta\, \min_N \sum_i \min_n \left| x_i - \tfrac{n}{N} \right|",
        "A unit cell contains whole atoms. The integer loss pulls all fractions towards multiples of 1/N, "
        "for the N that fits best. Then they are rounded, if necessary to a neighbouring formula whose charges "
        "balance, and both properties are predicted again for the integer formula.",
    ),
    Step(
        "5. Screening",
        r"E_\mathrm{hull}(x) = \min_f \textstyle\sum_k f_k E_k \quad \text{with} \quad \sum_k f_k x_k = x,\ f_k \ge 0",
        "The formulas must be distinct and charge-neutral, with anions more electronegative than cations, and must "
        "have a negative formation energy. The energy above hull is the energy that a formula would release by "
        "decomposing.",
    ),
)


def method() -> None:
    """The steps, with the text on the left and the equation on the right."""
    with st.container(key="method"):
        for step in STEPS:
            left, right = st.columns([1, 1], gap="large", vertical_alignment="center")
            left.markdown(f"**{step.heading}**  \n{step.text}")
            right.latex(step.equation)
