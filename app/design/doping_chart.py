"""The chart of a doping line. No Streamlit here."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from app.charts import ORANGE, TEAL, common_layout, translucent, with_data
from core.evaluation.doping_line import DopingLine


def doping_figure(line: DopingLine, height: int = 300) -> go.Figure:
    """Predicted Tc with a band of one standard deviation, and the known superconductors on the line as points."""
    predicted, reported = line.predicted.sort_values(line.variable), line.reported
    x, tc = predicted[line.variable], predicted["tc_K"]
    std = np.nan_to_num(predicted["tc_std_K"])
    edge = {"x": x, "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
    figure = go.Figure(
        [
            go.Scatter(**edge, y=np.maximum(tc - std, 0)),
            go.Scatter(**edge, y=tc + std, fill="tonexty", fillcolor=translucent(TEAL, 0.18)),
            go.Scatter(
                x=x, y=tc, mode="lines+markers", name="predicted", line={"color": TEAL, "width": 2.5},
                text=predicted["formula"], hovertemplate="%{text}: %{y:.1f} K<extra>predicted</extra>",
            ),
            go.Scatter(
                x=reported[line.variable], y=reported["tc_K"], mode="markers", name="reported",
                marker={"color": ORANGE, "size": 9, "symbol": "diamond"},
                text=reported["formula"], hovertemplate="%{text}: %{y:.1f} K<extra>reported</extra>",
            ),
        ]
    )  # fmt: skip
    common_layout(figure, height)
    figure.update_layout(
        showlegend=True, margin={"t": 36}, legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"}
    )
    figure.update_xaxes(title={"text": f"{line.variable} in {line.series.formula}", "standoff": 4})
    figure.update_yaxes(title={"text": "Tc (K)", "standoff": 4}, rangemode="tozero")
    columns = ["formula", line.variable, "tc_K"]
    both = pd.concat([predicted[[*columns, "tc_std_K"]].assign(source="predicted"),
                      reported[columns].assign(source="reported")])  # fmt: skip
    return with_data(figure, both)
