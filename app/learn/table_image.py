"""The periodic-table image, the input of the published Tc model, to try."""

from __future__ import annotations

import streamlit as st
import torch

from app.blocks import show_errors
from app.learn.charts import image_figure
from app.learn.show import chart
from core.chemistry import elements
from core.chemistry.composition import composition_vector
from core.chemistry.formula_reader import parse_formula
from core.errors import InputError
from core.predictors.features.periodic_table_image import COLUMNS, ROWS, element_pixels, periodic_table_image


def table_image() -> None:
    """The section."""
    st.markdown(
        "The Tc model of the papers is a network for images, so the formula is drawn as an image: the periodic "
        "table, 7 rows by 32 columns, once for each block of orbitals, with the fraction of each element as the "
        "brightness of its tile."
    )
    formula = st.text_input("Formula", "YBa2Cu3O7", key="learn_formula", width=320)
    try:
        x = composition_vector(parse_formula(formula))
    except InputError as error:
        show_errors([error])
        return
    image = periodic_table_image(torch.tensor(x)[None])[0].numpy()
    chart(image_figure(image, tiles()), "learn_image", "The four channels of the periodic-table image")


def tiles() -> dict[str, tuple[int, int, int]]:
    """Symbol -> channel, row and column of its tile."""
    size = ROWS * COLUMNS
    return {
        symbol: (pixel // size, pixel % size // COLUMNS, pixel % COLUMNS)
        for symbol, pixel in zip(elements.symbols(), element_pixels().tolist(), strict=True)
    }
