"""The method in five steps, with the default settings, and the papers."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

from core.problem.settings import NEUTRAL, OptimiserSettings

PAPERS = """
- **KIAGO**: A. Fujii *et al.*, *Digital Discovery* **2025**, 4, 3662,
  [doi:10.1039/d5dd00250h](https://doi.org/10.1039/d5dd00250h). The gradient method of this app: its
  steps are shown here. The default, memetic search, takes the same loss, whose gradient suggests its local moves.
- **GDMCD**, its predecessor: gradient-based design with the same integer loss, towards a target Tc, from known
  superconductors and mixtures of two, with two elements that may stay fractional (a preset in the settings).
- **The periodic-table image**: T. Konno *et al.*, *Phys. Rev. B* **2021**, 103, 014509,
  [doi:10.1103/PhysRevB.103.014509](https://doi.org/10.1103/PhysRevB.103.014509).
- **The published model of the formation energy**: D. Jha *et al.*, *Sci. Rep.* **2018**, 8, 17593,
  [doi:10.1038/s41598-018-35934-y](https://doi.org/10.1038/s41598-018-35934-y).
"""


class Part(NamedTuple):
    """One part of the method: heading, equation (LaTeX) and explanation (markdown)."""

    heading: str
    equation: str
    text: str


def parts(s: OptimiserSettings) -> tuple[Part, ...]:
    """The five parts, with the numbers of these settings."""
    return (
        Part(
            "1. Compositions that always meet the constraints",
            r"x = x_\mathrm{const} + \sigma(x_\mathrm{base} \odot M_\mathrm{elem} \odot M_\mathrm{max})"
            r"\,\Bigl(1 - \textstyle\sum x_\mathrm{const}\Bigr)",
            r"A composition is a vector of 118 fractions with sum 1. Fixed fractions (and minimum fractions) are in "
            r"$x_\mathrm{const}$; forbidden elements are 0 in the mask $M_\mathrm{elem}$; "
            r"$\sigma(v) = \mathrm{ReLU}(v) / \sum \mathrm{ReLU}(v)$ distributes the rest among the other elements. So "
            "the constraints hold whatever the gradient does.",
        ),
        Part(
            "2. Stage 1: raise the critical temperature, lower the energy",
            r"\begin{gathered} L_1 = -\bigl(T_\mathrm{c}(x) - \kappa\, s(x)\bigr) + \alpha\, E_\mathrm{f}(x) \\ "
            rf"\kappa = {s.risk_aversion:g},\ \alpha = {s.formation_energy_weight:g}\ \mathrm{{K/(eV/atom)}}"
            r"\end{gathered}",
            f"{s.candidates:,} initial compositions, each the base with some elements replaced and some added, are "
            f"optimised by {s.steps[0]:,} steps of Adam. $s$ is the expected error of $T_\\mathrm{{c}}$: a gain that "
            "the model is unsure of counts less (in the papers κ = 0). The formation energy $E_\\mathrm{f}$ keeps out "
            "compositions that are not stable even against their elements.",
        ),
        Part(
            "3. Few elements",
            rf"M_\mathrm{{max}} = \text{{the largest }} n_\mathrm{{max}} = {s.max_elements} \text{{ fractions}}",
            f"Between the stages, only the {s.max_elements} largest fractions of each composition are kept.",
        ),
        Part(
            "4. Stage 2: integer formulas",
            r"L_2 = L_1 + \beta\, \min_N \sum_i \min_n \left| x_i - \tfrac{n}{N} \right|, \quad "
            rf"N = {s.n_unit[0]} \ldots {s.n_unit[1]}",
            "A unit cell contains whole atoms. The integer loss pulls all fractions towards multiples of 1/N, for the "
            f"N that fits best, in {s.steps[1]:,} more steps; its weight β "
            + (f"grows from 0 to {s.integer_weight:,.0f} K. " if s.integer_schedule == "linear"
               else f"is {s.integer_weight:,.0f} K. ")
            + "Then they are rounded, "
            + ("if necessary to a neighbouring formula whose charges balance, " if s.rounding == NEUTRAL else "")
            + "and both properties are predicted again for the integer formula.",
        ),
        Part(
            "5. Screening",
            r"\Delta E_\mathrm{hull}(x) = E_\mathrm{f}(x) - \min_f \textstyle\sum_k f_k E_k \quad \text{with} \quad "
            r"\sum_k f_k x_k = x,\ f_k \ge 0",
            "The formulas must be distinct and charge-neutral, with anions more electronegative than cations, and must "
            "have a negative formation energy. The energy above hull is the energy that a formula would release by "
            "decomposing.",
        ),
    )  # fmt: skip


def method() -> None:
    """The idea, its parts with the text on the left and the equation on the right, and the papers."""
    st.markdown(
        "A differentiable model that predicts *T*<sub>c</sub> from a composition also gives the direction in which "
        "the composition must change for *T*<sub>c</sub> to rise: the gradient. The gradient method (KIAGO) "
        "changes many compositions at once along their gradients; the numbers are its default settings here. The app "
        "starts with another method, memetic search, which tries integer formulas with the same objective.",
        unsafe_allow_html=True,
    )
    with st.container(key="method"):
        for part in parts(OptimiserSettings()):
            left, right = st.columns([1, 1], gap="large", vertical_alignment="center")
            left.markdown(f"**{part.heading}**  \n{part.text}")
            right.latex(part.equation)
    with st.expander("The papers"):
        st.markdown(PAPERS)
