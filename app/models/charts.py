"""Charts of the errors of a model. No Streamlit here."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle

import pandas as pd
import plotly.graph_objects as go

from app.charts import BLUE, GREY, ORANGE, TEAL, common_layout, with_data


def reliability_figure(parts: Mapping[str, Mapping[str, float]], height: int = 230) -> go.Figure:
    """Observed against nominal coverage of intervals, and the line where both agree.

    parts : part of the held-out data -> nominal coverage ("50%") -> share of the errors inside the interval
    """
    figure = go.Figure(go.Scatter(x=[0, 100], y=[0, 100], mode="lines", line={"color": GREY, "dash": "dot"},
                                  hoverinfo="skip", showlegend=False))  # fmt: skip
    for (name, inside), color in zip(parts.items(), cycle((TEAL, BLUE, ORANGE))):
        nominal, observed = [float(text.rstrip("%")) for text in inside], [100 * share for share in inside.values()]
        figure.add_scatter(x=nominal, y=observed, mode="lines+markers", line={"color": color}, name=name,
                           hovertemplate="nominal %{x:.0f}%: %{y:.1f}%<extra></extra>")  # fmt: skip
    figure.update_xaxes(title="nominal coverage (%)", range=[0, 100])
    figure.update_yaxes(title="observed coverage (%)", range=[0, 100])
    table = pd.DataFrame(parts).rename_axis("nominal_coverage").reset_index()
    return with_data(common_layout(figure, height), table).update_layout(showlegend=len(parts) > 1)


def errors_figure(errors: Mapping[str, float], axis_title: str, height: int = 230) -> go.Figure:
    """Bars in the order given. errors : group -> error; axis_title : the kind of error, with its unit"""
    figure = go.Figure(go.Bar(x=list(errors), y=list(errors.values()), marker_color=BLUE,
                              hovertemplate="%{x}: %{y:.2f}<extra></extra>"))  # fmt: skip
    figure.update_xaxes(type="category")
    figure.update_yaxes(title=axis_title, rangemode="tozero")
    return with_data(common_layout(figure, height), pd.DataFrame({"group": list(errors), axis_title: errors.values()}))
