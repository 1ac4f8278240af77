"""One candidate of the example run as bars that move, with its Tc beside them. No Streamlit here."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from app.charts import BLUE, FAINT, GREY, ORANGE, TEAL, VIOLET, common_layout
from app.learn.climb_chart import play_controls

STAGE_COLOURS = {1: TEAL, 2: VIOLET}
FRAME_MS = 140
LEAST_SHOWN = 0.005  # fraction below which an element is not drawn at all


def fractions_by_step(part: pd.DataFrame) -> tuple[list[str], np.ndarray]:
    """Symbols (n,) of all elements that occur, the largest last fraction first, and fractions (steps, n).

    part : rows of one candidate of the benchmark example-run
    """
    steps: list[Mapping[str, float]] = [json.loads(text) for text in part["fractions"]]
    most = {
        symbol: max(step.get(symbol, 0.0) for step in steps) for symbol in dict.fromkeys(s for x in steps for s in x)
    }
    symbols = sorted((s for s, x in most.items() if x >= LEAST_SHOWN), key=lambda s: (-steps[-1].get(s, 0.0), -most[s]))
    return symbols, np.array([[step.get(symbol, 0.0) for symbol in symbols] for step in steps])


def stages_figure(
    part: pd.DataFrame, symbols: Sequence[str], fractions: np.ndarray, atoms: int, height: int = 490
) -> go.Figure:
    """Fractions of one candidate at every recorded step as frames, and its Tc and integer loss against the step.

    part : its rows, with step, stage, tc_K, tc_control_K, integer_loss
    fractions : (steps, n) of these symbols
    atoms : N, atoms of the final formula; lines mark multiples of 1/N
    """
    figure = make_subplots(
        2, 2, column_widths=[0.58, 0.42], row_heights=[0.62, 0.38], vertical_spacing=0.14, horizontal_spacing=0.1,
        specs=[[{"rowspan": 2}, {}], [None, {}]],
    )  # fmt: skip
    last, stages, steps = len(part) - 1, list(part["stage"]), list(part["step"])
    figure.add_bar(
        x=list(symbols), y=fractions[last], row=1, col=1, showlegend=False,
        marker={"color": [STAGE_COLOURS[stages[last]]] * len(symbols)}, hovertemplate="%{x}: %{y:.3f}<extra></extra>",
    )  # fmt: skip
    curves = (("model", "tc_K", TEAL, 1), ("control model", "tc_control_K", ORANGE, 1), ("", "integer_loss", BLUE, 2))
    for name, column, colour, row in curves:
        figure.add_scatter(x=steps, y=part[column], mode="lines", name=name, line={"color": colour, "width": 2},
                           showlegend=bool(name), hovertemplate="step %{x}: %{y:.3g}<extra>" + name + "</extra>",
                           row=row, col=2)  # fmt: skip
    moving = [0]
    for _, column, colour, row in curves:
        figure.add_scatter(x=steps[last:], y=part[column].iloc[last:], mode="markers", showlegend=False,
                           hoverinfo="skip", marker={"color": colour, "size": 11}, row=row, col=2)  # fmt: skip
        moving.append(len(figure.data) - 1)
    top = float(fractions.max()) * 1.1
    for n in range(1, int(top * atoms) + 1):
        figure.add_hline(y=n / atoms, line={"color": FAINT, "width": 1, "dash": "dot"}, row=1, col=1)
    boundary = next((step for step, stage in zip(steps, stages, strict=True) if stage == 2), None)
    if boundary is not None:
        for row in (1, 2):
            figure.add_vline(x=boundary - 0.5, line={"color": GREY, "width": 1, "dash": "dash"}, row=row, col=2)
    names = [f"stage {stage}, step {step}" for stage, step in zip(stages, steps, strict=True)]
    figure.frames = [
        go.Frame(
            name=names[k], traces=moving,
            data=[go.Bar(y=fractions[k].round(4), marker={"color": [STAGE_COLOURS[stages[k]]] * len(symbols)}),
                  *(go.Scatter(x=[steps[k]], y=[part[column].iloc[k]]) for _, column, _, _ in curves)],
        )
        for k in range(len(part))
    ]  # fmt: skip
    common_layout(figure, height)
    play_controls(figure, names, "", active=last, frame_ms=FRAME_MS, redraw=True)
    figure.update_layout(showlegend=True, margin={"t": 36, "b": 90},
                         legend={"orientation": "h", "x": 0.64, "y": 1.02, "yanchor": "bottom"})  # fmt: skip
    figure.update_yaxes(title={"text": "fraction of the atoms"}, range=[0, top], showgrid=False, row=1, col=1)
    figure.update_yaxes(title={"text": "Tc (K)"}, rangemode="tozero", row=1, col=2)
    figure.update_yaxes(title={"text": "integer loss"}, rangemode="tozero", row=2, col=2)
    figure.update_xaxes(title={"text": "step"}, row=2, col=2)
    return figure
