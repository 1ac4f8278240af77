"""The look that all charts share, and the charts of quantities against the optimiser step. No Streamlit here.

Backgrounds are transparent and text has the colour of the page, so one figure serves the light and the dark theme. For
the same reason the colours are of medium lightness; they stay distinct in the common kinds of colour blindness (after
Okabe and Ito: blue, orange, teal, violet), and no meaning is carried by colour alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.evaluation.csv_export import to_csv
from core.generation.schedule import Schedule

TEAL, BLUE, ORANGE, VIOLET, GREY = "#1a918c", "#3f82c4", "#d6852a", "#9a70be", "#8a9290"
FAINT = "rgba(138,146,144,0.35)"
CHART_CONFIG = {  # of st.plotly_chart: a bar under the pointer, in which app/components/chart_files puts its buttons
    "displayModeBar": "hover",
    "displaylogo": False,
    "displayNotifier": False,
    "modeBarButtons": [["toImage"]],
    "toImageButtonOptions": {"scale": 3},
    "scrollZoom": False,
    "doubleClick": "reset",
}
LIVE_PX = 270  # height of the charts of a run in progress
MOST_POINTS = 500  # of a trace


@dataclass(frozen=True)
class Quantity:
    """A quantity that is drawn against the step. log : whether its axis is logarithmic"""

    title: str
    unit: str
    colour: str
    log: bool = False

    @property
    def title_html(self) -> str:
        """Title and unit."""
        unit = f" <span style='opacity:.65;font-weight:400'>{self.unit}</span>" if self.unit else ""
        return f"{self.title}{unit}"


QUANTITIES = {  # column -> quantity
    "tc_K": Quantity("Critical temperature", "K", TEAL),
    "formation_energy_eV_per_atom": Quantity("Formation energy", "eV/atom", BLUE),
    "integer_loss": Quantity("Integer loss", "", VIOLET, log=True),  # falls over several decades
}
PREDICTED = ("tc_K", "formation_energy_eV_per_atom")
LEAST_ON_LOG = 1e-5  # an integer loss below this is zero for all practical purposes, and 0 has no logarithm
_DIGITS = 7  # of numbers in the data of a chart
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def translucent(colour: str, alpha: float) -> str:
    """A colour "#rrggbb" with this opacity."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha})"


def common_layout(figure: go.Figure, height: int, title: str = "", top: int = 34) -> go.Figure:
    """Give a figure the common look. A constant uirevision keeps zoom and hover when new data arrive."""
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": top if title else 10, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        showlegend=False,
        uirevision="constant",
        hoverlabel={"namelength": -1},
    )
    if title:
        figure.update_layout(
            title={"text": title, "x": 0, "xanchor": "left", "y": 1, "yanchor": "top", "font": {"size": 14}}
        )
    figure.update_xaxes(automargin=True, zeroline=False, gridcolor="rgba(138,146,144,0.12)")
    figure.update_yaxes(automargin=True, zeroline=False, gridcolor="rgba(138,146,144,0.22)")
    return figure


def with_data(figure: go.Figure, table: pd.DataFrame) -> go.Figure:
    """The figure with the table that its button CSV stores, instead of the points as they are drawn.

    Numbers have _DIGITS digits: more are noise.
    """
    numbers = {name: [float(f"{value:.{_DIGITS}g}") for value in table[name]] for name in table.select_dtypes("float")}
    table = table.assign(**numbers)
    return figure.update_layout(meta={"csv": to_csv(table)})


def stored_figure(figure: Mapping, height: int = 400) -> go.Figure:
    """A figure that was stored as plain data, with the common look and a legend above it."""
    drawn = common_layout(go.Figure(figure), height)
    drawn.update_layout(
        showlegend=True, margin={"t": 48}, legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"}
    )
    return drawn


# ---- against the step --------------------------------------------------------------------------------------------


def thinned(table: pd.DataFrame, most: int = MOST_POINTS) -> pd.DataFrame:
    """At most this many rows, evenly spaced, including the first and the last."""
    if len(table) <= most:
        return table
    return table.iloc[np.unique(np.linspace(0, len(table) - 1, most).round().astype(int))]


def moving_average(table: pd.DataFrame, steps: int) -> pd.DataFrame:
    """Predicted quantities averaged over this step and those before it, `steps` in all.

    Ensemble members that are used in turn differ in their predictions and would draw a zigzag.

    table : one row per step, with columns that start with the name of a quantity
    """
    smooth = [column for column in table if column.startswith(PREDICTED)]
    return table.assign(**{name: table[name].astype(float).rolling(steps, min_periods=1).mean() for name in smooth})


def progress_figure(
    progress: pd.DataFrame, quantity: str, schedule: Schedule, height: int = LIVE_PX, axis: str = "step"
) -> go.Figure:
    """Best, median and 5–95% band of a quantity against the step, with the boundary between the stages.

    progress : columns `core.runs.progress.PROGRESS_COLUMNS`; may be empty
    axis : what a step is called
    """
    about = QUANTITIES[quantity]
    table = thinned(progress)
    x = table["step"]
    best, median, low, high = (_on_axis(table[f"{quantity}_{s}"], about.log) for s in ("best", "median", "p5", "p95"))
    hover = f"%{{y:.4~g}} {about.unit}".rstrip()
    lines = {"x": x, "mode": "lines", "hovertemplate": hover}
    band = lines | {"line": {"width": 0}}
    median_line = {"color": about.colour, "width": 1.5, "dash": "dot"}
    best_line = {"color": about.colour, "width": 1.2 if about.log else 2.5}
    figure = go.Figure(
        [
            go.Scatter(**band, y=low, name="5%"),
            go.Scatter(**band, y=high, name="95%", fill="tonexty", fillcolor=translucent(about.colour, 0.18)),
            go.Scatter(**lines, y=median, name="median", line=median_line),
            go.Scatter(**lines, y=best, name="best", line=best_line),
        ]
    )
    _step_axis(figure, schedule, about.log, axis)
    figure.update_layout(hovermode="x unified")
    if quantity == "tc_K":
        figure.update_yaxes(rangemode="tozero")
    return common_layout(figure, height, about.title_html)


def validity_figure(validity: pd.DataFrame, schedule: Schedule, height: int = LIVE_PX) -> go.Figure:
    """The share of valid samples against the step. validity : see `core.runs.run.Run.validity`"""
    table = thinned(validity)
    line = go.Scatter(x=table["step"], y=100 * table["valid_share"], mode="lines", name="valid",
                      line={"color": ORANGE, "width": 2.5}, hovertemplate="%{y:.3~g}%")  # fmt: skip
    figure = go.Figure([line])
    _step_axis(figure, schedule, log=False)
    figure.update_yaxes(range=[0, 100])
    figure.update_layout(hovermode="x unified")
    return common_layout(figure, height, Quantity("Valid samples", "%", ORANGE).title_html)


def archive_figure(archive: pd.DataFrame, height: int = LIVE_PX) -> go.Figure:
    """Best and mean objective of the best formulas of a search against the number of formulas tested.

    archive : columns of `core.runs.run.Run.archive`; may be empty
    """
    table = thinned(archive)
    lines = {"x": table["tested"], "mode": "lines", "hovertemplate": "%{y:.4~g} K"}
    figure = go.Figure(
        [
            go.Scatter(**lines, y=table["objective_K_mean"], name="mean", line={"color": VIOLET, "dash": "dot"}),
            go.Scatter(**lines, y=table["objective_K_best"], name="best", line={"color": VIOLET, "width": 2.5}),
        ]
    )
    figure.update_xaxes(title={"text": "formulas tested", "standoff": 4}, rangemode="tozero")
    figure.update_layout(hovermode="x unified")
    return common_layout(figure, height, Quantity("Objective of the best 30", "K", VIOLET).title_html)


def trajectory_figure(trajectory: pd.DataFrame, quantity: str, schedule: Schedule, height: int = 190) -> go.Figure:
    """A quantity of one candidate against the step. trajectory : columns "step" and `quantity`"""
    about = QUANTITIES[quantity]
    table = thinned(trajectory)
    line = go.Scatter(
        x=table["step"],
        y=_on_axis(table[quantity], about.log),
        mode="lines",
        line={"color": about.colour, "width": 2},
        hovertemplate=f"step %{{x}}: %{{y:.4~g}} {about.unit}<extra></extra>",
    )
    figure = go.Figure([line])
    _step_axis(figure, schedule, about.log)
    return common_layout(figure, height, about.title_html)


def _on_axis(values: pd.Series, log: bool) -> pd.Series:
    return values.clip(lower=LEAST_ON_LOG) if log else values


def _step_axis(figure: go.Figure, schedule: Schedule, log: bool, axis: str = "step") -> None:
    """The axis of steps, with its full length from the start, so that curves grow and the axis never changes."""
    figure.update_xaxes(title={"text": axis, "standoff": 4}, range=[0, max(schedule.steps, 1)])
    if log:
        powers = range(-6, 2)
        names = [f"10{str(p).translate(_SUPERSCRIPTS)}" if p else "1" for p in powers]
        figure.update_yaxes(type="log", tickvals=[10.0**p for p in powers], ticktext=names)
    for number, end in enumerate(schedule.ends[:-1], 1):
        if not 0 < end < schedule.steps:
            continue
        figure.add_vline(x=end, line={"dash": "dash", "width": 1, "color": GREY})
        for text, anchor in ((f"stage {number} ", "right"), (f" stage {number + 1}", "left")):
            figure.add_annotation(
                x=end, y=1, yref="paper", yanchor="bottom", text=text, xanchor=anchor, showarrow=False,
                font={"size": 11, "color": GREY},
            )  # fmt: skip
