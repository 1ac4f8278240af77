"""The scatter plot of the candidates. No Streamlit here."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from app.charts import BLUE, FAINT, GREY, ORANGE, TEAL, VIOLET, common_layout, with_data
from core.evaluation.ranking import pareto_front

NEAR_TO_FAR = [[0.0, BLUE], [0.5, "#a08f8a"], [1.0, ORANGE]]
SCATTER_COLOURS = {  # column -> (label, short label)
    "distance_to_known": ("Distance to the nearest known", "distance"),
    "n_elements": ("Number of elements", "elements"),
}


DATA = (  # columns of the CSV file of the chart
    "rank", "formula", "tc_K", "tc_std_K", "tc_judge_K", "energy_above_hull_eV_per_atom",
    "energy_above_hull_std_eV_per_atom", "nearest_known", "distance_to_known", "n_elements", "known",
)  # fmt: skip


def candidates_figure(
    table: pd.DataFrame,
    base: tuple[str, float],
    colour_by: str = "distance_to_known",
    selected: int | None = None,
    height: int = 420,
) -> go.Figure:
    """Tc against energy above hull of the candidates that have one. The first trace holds the points, the last their
    Pareto front.

    table : rows of the candidate table with derived columns; the customdata of a point start with its candidate number
    base : formula (as plain text) and predicted Tc (K) of the base, drawn as a dashed line
    colour_by : key of SCATTER_COLOURS
    selected : number of the candidate that gets a ring
    """
    table = table[table["energy_above_hull_eV_per_atom"].notna()]
    figure = go.Figure([_points(table, colour_by), _ring(table[table["candidate"] == selected]), _front(table)])
    _base_line(figure, *base)
    figure.add_vline(x=0, line={"width": 1, "color": FAINT})
    figure.update_xaxes(title={"text": "Energy above hull (eV/atom)", "standoff": 8})
    figure.update_yaxes(title={"text": "Predicted Tc (K)", "standoff": 14}, rangemode="tozero")
    figure.update_layout(hovermode="closest", dragmode="pan", clickmode="event+select")
    return with_data(common_layout(figure, height), table[[name for name in DATA if name in table]])


def _points(table: pd.DataFrame, colour_by: str) -> go.Scatter:
    label, short = SCATTER_COLOURS[colour_by]
    bar = {"title": {"text": label, "side": "right"}, "thickness": 10, "outlinewidth": 0, "len": 0.9}
    whole = pd.api.types.is_integer_dtype(table[colour_by])
    if whole:
        bar["dtick"] = 1
    same = {"marker": {"opacity": 0.9}}  # the ring marks the selection; the other points must not fade
    return go.Scatter(
        x=table["energy_above_hull_eV_per_atom"],
        y=table["tc_K"],
        mode="markers",
        cliponaxis=False,  # draws the whole point at Tc = 0
        customdata=table[["candidate", "formula", colour_by, "nearest_known"]].to_numpy(dtype=object),
        marker={
            "size": 10,
            "opacity": 0.9,
            "symbol": _symbols(table),
            "color": table[colour_by],
            "colorscale": NEAR_TO_FAR,
            "colorbar": bar,
        },
        selected=same,
        unselected=same,
        hovertemplate=(
            "<b>%{customdata[1]}</b><br>Tc %{y:.1f} K<br>%{x:.3f} eV/atom above hull<br>"
            f"{short} %{{customdata[2]:.3~g}}<br>nearest known %{{customdata[3]}}<extra></extra>"
        ),
    )


def _symbols(table: pd.DataFrame) -> list[str]:
    """Open for known superconductors; triangles where the control model differs by more than the error."""
    shapes = table["control_disagrees"].fillna(False).map({True: "triangle-down", False: "circle"})
    return [
        ("diamond-open" if shape == "circle" else f"{shape}-open") if known else shape
        for shape, known in zip(shapes, table["known"], strict=True)
    ]


def _front(table: pd.DataFrame) -> go.Scatter:
    """The Pareto front as steps: the highest Tc up to each energy above hull, to the last candidate."""
    x, y = table["energy_above_hull_eV_per_atom"].to_numpy(), table["tc_K"].to_numpy()
    front = pareto_front(y, x)
    return go.Scatter(
        x=[*x[front], *([x.max()] if len(front) else [])],
        y=[*y[front], *y[front[-1:]]],
        name="Pareto front",
        mode="lines",
        line={"shape": "hv", "width": 2, "color": TEAL},
        hoverinfo="skip",
    )


def _ring(row: pd.DataFrame) -> go.Scatter:
    return go.Scatter(
        x=row["energy_above_hull_eV_per_atom"],
        y=row["tc_K"],
        mode="markers",
        marker={"size": 20, "symbol": "circle-open", "color": VIOLET, "line": {"width": 3}},
        hoverinfo="skip",
    )


def _base_line(figure: go.Figure, formula: str, tc_K: float) -> None:
    figure.add_hline(y=tc_K, line={"dash": "dash", "width": 1.5, "color": GREY})
    figure.add_annotation(
        x=1, xref="paper", xanchor="right", y=tc_K, yanchor="bottom", showarrow=False,
        text=f"base {formula}: {tc_K:.1f} K", font={"size": 12, "color": GREY},
    )  # fmt: skip
