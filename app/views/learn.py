"""The method, for teaching: ten lines with their equations, and three things to play with."""

from __future__ import annotations

import streamlit as st
import torch

from app import pieces, plots, style
from core.chemistry import elements
from core.chemistry.composition import composition_vector
from core.chemistry.formula_reader import parse_formula
from core.errors import InputError
from core.generation.gradient import losses
from core.predictors.features.periodic_table_image import COLUMNS, ROWS, element_pixels, feature_map

FIGURE_2 = {"Ca": 0.23, "Sr": 0.27, "O": 0.50}  # the example of Fig. 2 of the KIAGO paper, with N = 4
LARGEST_N = 25
PAPERS = """
- **KIAGO**: A. Fujii *et al.*, *Digital Discovery* **2025**, 4, 3662,
  [doi:10.1039/d5dd00250h](https://doi.org/10.1039/d5dd00250h). The method of this app.
- **GDMCD**, its predecessor: gradient-based design with the same integer loss, towards a target instead of upwards,
  from known superconductors and mixtures of two, with two elements that may stay fractional (a preset in the settings).
- **The image**: T. Konno *et al.*, *Phys. Rev. B* **2021**, 103, 014509,
  [doi:10.1103/PhysRevB.103.014509](https://doi.org/10.1103/PhysRevB.103.014509).
- **The energy model**: D. Jha *et al.*, *Sci. Rep.* **2018**, 8, 17593,
  [doi:10.1038/s41598-018-35934-y](https://doi.org/10.1038/s41598-018-35934-y).
"""


def page() -> None:
    """Text on top, then the three toys."""
    pieces.styled()
    st.title("How a superconductor is designed by gradient", anchor=False)
    st.markdown(
        "A neural network that predicts *T*<sub>c</sub> from a composition can be asked backwards: which way must the "
        "composition move for *T*<sub>c</sub> to rise? That direction is the gradient, and following it with many "
        "compositions at once is the whole idea.",
        unsafe_allow_html=True,
    )
    method()
    st.divider()
    integer_toy()
    st.divider()
    image_toy()
    st.divider()
    st.subheader("Read more", anchor=False)
    st.markdown(PAPERS)


def method() -> None:
    """Five steps, each an equation and a sentence or two."""
    step(
        "1. Compositions that stay allowed",
        r"x = x_\mathrm{const} + \sigma(x_\mathrm{base} \odot M_\mathrm{elem} \odot M_\mathrm{max})"
        r"\,\Bigl(1 - \textstyle\sum x_\mathrm{const}\Bigr)",
        r"A composition is 118 fractions with sum 1. What you fix is $x_\mathrm{const}$ (with a floor it is the "
        r"least there is); what you forbid is 0 in the "
        r"mask $M_\mathrm{elem}$; $\sigma(v) = \mathrm{ReLU}(v) / \sum \mathrm{ReLU}(v)$ shares the rest among the "
        "others. So whatever the gradient does, your wishes hold.",
    )
    step(
        "2. Stage 1: up in critical temperature, down in energy",
        r"L_1 = -T_\mathrm{c}(x) + \alpha\, E_\mathrm{f}(x), \qquad \alpha = 4\ \mathrm{K/(eV/atom)}",
        "Thousands of starts, each the base with some elements exchanged and some added, move by the Adam method. The "
        "formation energy keeps them from compositions that no solid would have.",
    )
    step(
        "3. Few elements",
        r"M_\mathrm{max} = \text{the largest } n_\mathrm{max} \text{ fractions}",
        "At the border of the stages, only the largest fractions of each composition are kept.",
    )
    step(
        "4. Stage 2: whole atoms",
        r"L_2 = L_1 + \beta\, \min_N \sum_i \min_n \left| x_i - \tfrac{n}{N} \right|",
        "A crystal has whole atoms in its cell. The integer loss pulls all fractions to multiples of 1/N, for "
        "whichever N is nearest. Then they are rounded, where need be to a neighbour whose charges balance, and both "
        "predictions are made again for the integer formula.",
    )
    step(
        "5. Screening",
        r"E_\mathrm{hull}(x) = \min_f \textstyle\sum_k f_k E_k \quad \text{with} \quad \sum_k f_k x_k = x,\ f_k \ge 0",
        "What comes out must be distinct, balance its charges with the anions the more electronegative, and have a "
        "negative formation energy. Its distance to the hull says how much energy it would gain by falling apart.",
    )


def step(heading: str, equation: str, text: str) -> None:
    """Words on the left, the equation on the right."""
    left, right = st.columns([1, 1], gap="large", vertical_alignment="center")
    left.markdown(f"**{heading}**  \n{text}")
    right.latex(equation)


# ---- the integer loss --------------------------------------------------------------------------------------------


def integer_toy() -> None:
    """Fig. 2 of the paper with handles."""
    st.subheader("Try it: the integer loss", anchor=False)
    left, right = st.columns([1, 2], gap="large")
    with left:
        st.markdown("Fig. 2 of the paper: Ca, Sr and O with N = 4 atoms. Move the fractions; oxygen is the rest.")
        calcium = st.slider("Ca", 0.0, 0.5, FIGURE_2["Ca"], 0.01, key="learn_ca")
        strontium = st.slider("Sr", 0.0, 0.5, FIGURE_2["Sr"], 0.01, key="learn_sr")
        n = st.slider("N, atoms per formula unit", 1, LARGEST_N, 4, key="learn_n")
    fractions = {"Ca": calcium, "Sr": strontium, "O": round(1 - calcium - strontium, 10)}
    at = loss_for_each(fractions)
    best = min(at, key=lambda size: (round(at[size], 9), size))
    with right:
        cells = st.columns(2)
        cells[0].metric(f"Loss for N = {n}", f"{at[n]:.3f}")
        cells[1].metric(f"Least, at N = {best}", f"{at[best]:.3f}", help=f"Over all N from 1 to {LARGEST_N}")
        st.plotly_chart(plots.grid_figure(fractions, n), key="learn_grid", config=plots.CHART_CONFIG)
        st.plotly_chart(
            plots.sizes_figure(list(at), list(at.values()), n), key="learn_sizes", config=plots.CHART_CONFIG
        )
    st.caption(
        "The orange stretch is what each fraction lacks to the nearest mark; their sum is the loss. A large N has a "
        "mark near everything, which is why N must be limited for the loss to mean something."
    )


def loss_for_each(fractions: dict[str, float]) -> dict[int, float]:
    """N -> L_int^N of this composition, by the function that the optimiser uses."""
    sizes = torch.arange(1, LARGEST_N + 1, dtype=torch.float64)
    values = losses.grid_distance(torch.tensor([list(fractions.values())], dtype=torch.float64), sizes)[0]
    return {int(n): float(value) for n, value in zip(sizes, values, strict=True)}


# ---- the image ---------------------------------------------------------------------------------------------------


def image_toy() -> None:
    """What the papers' Tc model sees of a formula."""
    st.subheader("Try it: what the model sees", anchor=False)
    st.markdown(
        "The papers' network for Tc is one that was made for photographs. So the formula becomes an image: the "
        "periodic table, 7 rows by 32 columns, once for each block of orbitals, with each element's tile as bright as "
        "its fraction."
    )
    formula = st.text_input("Formula", "YBa2Cu3O7", key="learn_formula", width=320)
    try:
        x = composition_vector(parse_formula(formula))
    except InputError as error:
        style.show_errors([error])
        return
    image = feature_map(torch.tensor(x)[None])[0].numpy()
    st.plotly_chart(plots.image_figure(image, tiles()), key="learn_image", config=plots.CHART_CONFIG)


def tiles() -> dict[str, tuple[int, int, int]]:
    """Symbol -> channel, row, column of its flag."""
    places = element_pixels().tolist()
    size = ROWS * COLUMNS
    return {
        symbol: (place // size, place % size // COLUMNS, place % COLUMNS)
        for symbol, place in zip(elements.symbols(), places, strict=True)
    }


page()
