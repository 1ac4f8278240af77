"""Charts and large type: how the parts of the teaching page look on a screen and before a class."""

from __future__ import annotations

from collections.abc import Callable

import plotly.graph_objects as go
import streamlit as st

from app.charts import CHART_CONFIG

PRESENT = "present"  # query parameter: the page is shown before a class
ENLARGED = 1.25  # height of a chart before a class, relative to that on a screen
MOST_PX = 480  # height of a chart before a class: with a heading and two lines of text it fits a screen of 800 pixels
FONT_PX, LARGE_FONT_PX = 13, 18


def presenting() -> bool:
    """Whether the page is shown before a class, in large type."""
    return bool(st.query_params.get(PRESENT))


def chart(
    figure: go.Figure, key: str, alt: str, on_select: Callable[[], None] | None = None, most_px: int = MOST_PX
) -> None:
    """A chart, before a class with larger type.

    alt : what it shows, in words
    on_select : callback of a click on a point
    most_px : its largest height before a class
    """
    size = LARGE_FONT_PX if presenting() else FONT_PX
    figure.update_layout(font={"size": size})
    figure.update_xaxes(title={"font": {"size": size}}, tickfont={"size": size - 1})
    figure.update_yaxes(title={"font": {"size": size}}, tickfont={"size": size - 1})
    if presenting() and figure.layout.height:
        figure.update_layout(height=min(round(figure.layout.height * ENLARGED), most_px))
    selection: dict = {} if on_select is None else {"on_select": on_select, "selection_mode": "points"}
    st.plotly_chart(figure, key=key, config=CHART_CONFIG, alt=alt, **selection)
