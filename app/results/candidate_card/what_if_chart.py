"""Tc and energy above hull against the amount of one element. No Streamlit here."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from app.charts import BLUE, GREY, TEAL, common_layout, translucent, with_data
from core.evaluation.amount_line import AMOUNT

_ROWS = (  # value, its error, colour, title of the axis
    ("tc_K", "tc_std_K", TEAL, "Tc (K)"),
    ("energy_above_hull_eV_per_atom", "energy_above_hull_std_eV_per_atom", BLUE, "Above hull (eV/atom)"),
)


def amount_figure(line: pd.DataFrame, symbol: str, amount: float, height: int = 340) -> go.Figure:
    """Two charts above each other, each with a band of one standard deviation and a line at the chosen amount.

    line : see `core.evaluation.amount_line`; symbol : the element; amount : atoms per formula unit
    """
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.06)
    for place, (value, std, colour, title) in enumerate(_ROWS, 1):
        low, high = line[value] - np.nan_to_num(line[std]), line[value] + np.nan_to_num(line[std])
        edge = {"x": line[AMOUNT], "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
        figure.add_trace(go.Scatter(**edge, y=low), row=place, col=1)
        figure.add_trace(
            go.Scatter(**edge, y=high, fill="tonexty", fillcolor=translucent(colour, 0.18)), row=place, col=1
        )
        figure.add_trace(
            go.Scatter(
                x=line[AMOUNT], y=line[value], mode="lines+markers", line={"color": colour, "width": 2.5},
                text=line["formula"], hovertemplate="%{text}: %{y:.4~g}<extra></extra>",
            ), row=place, col=1,
        )  # fmt: skip
        figure.update_yaxes(title={"text": title, "standoff": 4}, row=place, col=1)
    figure.add_vline(x=amount, line={"width": 1.5, "dash": "dash", "color": GREY})
    figure.update_xaxes(title={"text": f"Atoms of {symbol} per formula unit", "standoff": 4}, row=2, col=1)
    columns = ["formula", AMOUNT, *(name for row in _ROWS for name in row[:2])]
    return with_data(common_layout(figure, height), line[columns].rename(columns={AMOUNT: f"atoms_of_{symbol}"}))
