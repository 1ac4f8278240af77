"""Tables -> plotly figures. No streamlit here.

Backgrounds are transparent and text takes the colour of the page, so one figure serves light and dark. The colours
are of middle lightness for the same reason, and stay apart in the common kinds of colour blindness (after Okabe and
Ito: blue, orange, teal, violet); meaning is never carried by colour alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

TEAL, BLUE, ORANGE, VIOLET, GREY = "#1a918c", "#3f82c4", "#d6852a", "#9a70be", "#8a9290"
NEAR_TO_FAR = [[0.0, BLUE], [0.5, "#a08f8a"], [1.0, ORANGE]]
FAINT = "rgba(138,146,144,0.35)"

# What can be drawn against the step: column -> (title, unit, colour, log axis).
QUANTITIES = {
    "tc_K": ("Critical temperature", "K", TEAL, False),
    "formation_energy_eV_per_atom": ("Formation energy", "eV/atom", BLUE, False),
    "integer_loss": ("Integer loss", "", VIOLET, True),  # it falls over several decades
}
PREDICTED = ("tc_K", "formation_energy_eV_per_atom")
LEAST_ON_LOG = 1e-5  # a loss below this is on the grid for all that matters, and 0 has no logarithm
MOST_POINTS = 500  # a trace
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
CHART_CONFIG = {"displayModeBar": False, "scrollZoom": False, "doubleClick": "reset"}
SCATTER_COLOURS = {
    "distance_to_known": ("Distance to the nearest known", "distance"),
    "n_elements": ("Number of elements", "elements"),
}


def _rgba(colour: str, alpha: float) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha})"


def _quiet(figure: go.Figure, height: int, title: str = "", top: int = 34) -> go.Figure:
    """The look that all figures share. A constant uirevision keeps zoom and hover when new data come."""
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


def thinned(table: pd.DataFrame, most: int = MOST_POINTS) -> pd.DataFrame:
    """At most this many rows, evenly spread, first and last among them."""
    if len(table) <= most:
        return table
    return table.iloc[np.unique(np.linspace(0, len(table) - 1, most).round().astype(int))]


def averaged(table: pd.DataFrame, turns: int) -> pd.DataFrame:
    """Tc and formation energies as means over this step and those before it, `turns` together: members of a model that
    are climbed in turn say different things, and would draw a zigzag.

    table : a row for each step, columns that begin with the name of a quantity
    """
    smooth = [column for column in table if column.startswith(PREDICTED)]
    return table.assign(**{name: table[name].astype(float).rolling(turns, min_periods=1).mean() for name in smooth})


def _title(quantity: str) -> str:
    name, unit, _, _ = QUANTITIES[quantity]
    return f"{name} <span style='opacity:.65;font-weight:400'>{unit}</span>" if unit else name


def _on_axis(values: pd.Series, log: bool) -> pd.Series:
    return values.clip(lower=LEAST_ON_LOG) if log else values


def progress_figure(progress: pd.DataFrame, quantity: str, steps: tuple[int, int], height: int = 270) -> go.Figure:
    """Best, median and 5-95 % band of one quantity against the step, with the border of the stages.

    progress : the columns of `core.runs.store.PROGRESS_COLUMNS`; may be empty. steps : of the two stages.
    """
    _, unit, colour, log = QUANTITIES[quantity]
    table = thinned(progress)
    x = table["step"]
    best, median, low, high = (_on_axis(table[f"{quantity}_{s}"], log) for s in ("best", "median", "p5", "p95"))
    shown = f"%{{y:.4~g}} {unit}".rstrip()
    band = {"x": x, "mode": "lines", "line": {"width": 0}}
    figure = go.Figure(
        [
            go.Scatter(**band, y=low, name="5 %", hovertemplate=shown),
            go.Scatter(**band, y=high, name="95 %", fill="tonexty", fillcolor=_rgba(colour, 0.18), hovertemplate=shown),
            go.Scatter(
                x=x, y=median, name="median", line={"color": colour, "width": 1.5, "dash": "dot"}, hovertemplate=shown
            ),
            go.Scatter(
                x=x, y=best, name="best", line={"color": colour, "width": 1.2 if log else 2.5}, hovertemplate=shown
            ),
        ]
    )
    _against_steps(figure, steps, log)
    figure.update_layout(hovermode="x unified")
    if quantity == "tc_K":
        figure.update_yaxes(rangemode="tozero")
    return _quiet(figure, height, _title(quantity))


def trajectory_figure(trajectory: pd.DataFrame, quantity: str, steps: tuple[int, int], height: int = 190) -> go.Figure:
    """One candidate's way: a quantity against the step. trajectory : columns step and `quantity`."""
    _, unit, colour, log = QUANTITIES[quantity]
    table = thinned(trajectory)
    line = go.Scatter(
        x=table["step"],
        y=_on_axis(table[quantity], log),
        line={"color": colour, "width": 2},
        hovertemplate=f"step %{{x}}: %{{y:.4~g}} {unit}<extra></extra>",
    )
    figure = go.Figure([line])
    _against_steps(figure, steps, log)
    return _quiet(figure, height, _title(quantity))


def _against_steps(figure: go.Figure, steps: tuple[int, int], log: bool) -> None:
    """The axis of steps has its full length from the start, so that curves grow and nothing jumps."""
    first, second = steps
    figure.update_xaxes(title={"text": "step", "standoff": 4}, range=[0, max(first + second, 1)])
    if log:
        powers = range(-6, 2)
        names = [f"10{str(p).translate(_RAISED)}" if p else "1" for p in powers]
        figure.update_yaxes(type="log", tickvals=[10.0**p for p in powers], ticktext=names)
    if first and second:
        figure.add_vline(x=first, line={"dash": "dash", "width": 1, "color": GREY})
        for text, anchor in (("stage 1 ", "right"), (" stage 2", "left")):
            figure.add_annotation(
                x=first, y=1, yref="paper", yanchor="bottom", text=text, xanchor=anchor, showarrow=False,
                font={"size": 11, "color": GREY},
            )  # fmt: skip


# ---- results -----------------------------------------------------------------------------------------------------


def candidates_figure(
    table: pd.DataFrame,
    base: tuple[str, float],
    colour_by: str = "distance_to_known",
    selected: int | None = None,
    height: int = 420,
) -> go.Figure:
    """Tc against energy above hull of the candidates that have one. The first trace holds the points.

    table : rows of the candidate table; each point's customdata begin with its candidate number.
    base : formula (as plain text) and predicted Tc of the base, drawn as a dashed line.
    selected : number of the candidate with a ring around it.
    """
    table = table[table["energy_above_hull_eV_per_atom"].notna()]
    figure = go.Figure([_points(table, colour_by), _ring(table[table["candidate"] == selected])])
    _base_line(figure, *base)
    figure.add_vline(x=0, line={"width": 1, "color": FAINT})
    figure.update_xaxes(title={"text": "Energy above hull (eV/atom)", "standoff": 8})
    figure.update_yaxes(title={"text": "Predicted Tc (K)", "standoff": 14}, rangemode="tozero")
    figure.update_layout(hovermode="closest", dragmode="pan", clickmode="event+select")
    return _quiet(figure, height)


def _points(table: pd.DataFrame, colour_by: str) -> go.Scatter:
    label, short = SCATTER_COLOURS[colour_by]
    bar = {"title": {"text": label, "side": "right"}, "thickness": 10, "outlinewidth": 0, "len": 0.9}
    whole = pd.api.types.is_integer_dtype(table[colour_by])
    if whole:
        bar["dtick"] = 1
    steady = {"marker": {"opacity": 0.9}}  # the ring shows the choice; nothing else should fade
    return go.Scatter(
        x=table["energy_above_hull_eV_per_atom"],
        y=table["tc_K"],
        mode="markers",
        cliponaxis=False,  # whole points at Tc = 0
        customdata=table[["candidate", "formula", colour_by, "nearest_known"]].to_numpy(dtype=object),
        marker={
            "size": 10,
            "opacity": 0.9,
            "symbol": ["diamond-open" if known else "circle" for known in table["known"]],
            "color": table[colour_by],
            "colorscale": NEAR_TO_FAR,
            "colorbar": bar,
        },
        selected=steady,
        unselected=steady,
        hovertemplate=(
            "<b>%{customdata[1]}</b><br>Tc %{y:.1f} K<br>%{x:.3f} eV/atom above hull<br>"
            f"{short} %{{customdata[2]:.3~g}}<br>nearest known %{{customdata[3]}}<extra></extra>"
        ),
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


# ---- benchmarks --------------------------------------------------------------------------------------------------


def stored_figure(figure: Mapping, height: int = 400) -> go.Figure:
    """A figure that a benchmark stored as plain data, with the look of the others and a legend above it."""
    drawn = _quiet(go.Figure(figure), height)
    drawn.update_layout(
        showlegend=True, margin={"t": 48}, legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"}
    )
    return drawn


# ---- teaching ----------------------------------------------------------------------------------------------------


def reliability_figure(inside: Mapping[str, float], height: int = 230) -> go.Figure:
    """Share of errors that an interval promises ("50%") -> share found inside it, and the line where both agree."""
    promised, found = [float(name.rstrip("%")) for name in inside], [100 * share for share in inside.values()]
    figure = go.Figure(go.Scatter(x=[0, 100], y=[0, 100], mode="lines", line={"color": GREY, "dash": "dot"},
                                  hoverinfo="skip"))  # fmt: skip
    figure.add_scatter(x=promised, y=found, mode="lines+markers", line={"color": TEAL},
                       hovertemplate="promised %{x:.0f}%: %{y:.1f}%<extra></extra>")  # fmt: skip
    figure.update_xaxes(title="of the errors inside, promised (%)", range=[0, 100])
    figure.update_yaxes(title="found (%)", range=[0, 100])
    return _quiet(figure, height)


def errors_figure(errors: Mapping[str, float], of: str, height: int = 230) -> go.Figure:
    """Name of a group -> its error, as bars in the order given; `of` names error and unit, on the axis."""
    figure = go.Figure(go.Bar(x=list(errors), y=list(errors.values()), marker_color=BLUE,
                              hovertemplate="%{x}: %{y:.2f}<extra></extra>"))  # fmt: skip
    figure.update_xaxes(type="category")
    figure.update_yaxes(title=of, rangemode="tozero")
    return _quiet(figure, height)


def grid_figure(fractions: Mapping[str, float], n: int, height: int = 210) -> go.Figure:
    """Where each fraction lies on the grid k/n, and how far it is from the nearest grid point."""
    grid = np.arange(n + 1) / n
    figure = go.Figure()
    for symbol, x in fractions.items():
        near = round(x * n) / n
        row = [symbol, symbol]
        figure.add_scatter(
            x=grid, y=[symbol] * len(grid), mode="markers", hoverinfo="skip",
            marker={"symbol": "line-ns", "size": 13, "line": {"width": 1.5, "color": FAINT}},
        )  # fmt: skip
        figure.add_scatter(x=[near, x], y=row, mode="lines", hoverinfo="skip", line={"color": ORANGE, "width": 6})
        figure.add_scatter(
            x=[x], y=[symbol], mode="markers+text", textposition="top center",
            text=[f"{x:.2f}, off by {abs(x - near):.2f}"], marker={"color": TEAL, "size": 8},
            hovertemplate=f"{symbol} {x:.3f}, nearest {near:.3f}: off by {abs(x - near):.3f}<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(range=[-0.03, 1.03], title={"text": f"fraction of the atoms; a mark every 1/{n}"})
    figure.update_yaxes(range=[len(fractions) - 0.6, -0.8], showgrid=False)  # the first on top, room for its text
    return _quiet(figure, height)


def sizes_figure(sizes: Sequence[int], losses: Sequence[float], chosen: int, height: int = 210) -> go.Figure:
    """The loss for every N, with the chosen N in another colour."""
    colours = [ORANGE if n == chosen else FAINT for n in sizes]
    figure = go.Figure(
        go.Bar(x=list(sizes), y=list(losses), marker={"color": colours},
               hovertemplate="N = %{x}: %{y:.4f}<extra></extra>")
    )  # fmt: skip
    figure.update_xaxes(title={"text": "N, atoms per formula unit"})
    figure.update_yaxes(title={"text": "loss for this N"})
    return _quiet(figure, height)


def image_figure(image: np.ndarray, tiles: Mapping[str, tuple[int, int, int]], height: int = 420) -> go.Figure:
    """The four channels of a periodic-table image as heat maps.

    image : (4, 7, 32). tiles : symbol -> (channel, row, column), where an element's flag stands.
    """
    channels, rows, columns = image.shape
    names = [f"{block} block" for block in "spdf"]
    figure = make_subplots(2, 2, subplot_titles=names, horizontal_spacing=0.03, vertical_spacing=0.24)
    for channel in range(channels):
        z, text = np.full((rows, columns), np.nan), np.full((rows, columns), "", dtype=object)
        for symbol, (block, row, column) in tiles.items():
            if block == channel:
                z[row, column], text[row, column] = image[channel, row, column], symbol
        place = {"row": channel // 2 + 1, "col": channel % 2 + 1}
        for row, column in zip(*np.nonzero(np.nan_to_num(z) > 0), strict=True):  # notes have the theme's colour of text
            figure.add_annotation(
                text=text[row, column], x=column + 1, y=row + 1, showarrow=False, font={"size": 11}, **place
            )
        figure.add_heatmap(
            z=z, customdata=text,
            x=list(range(1, columns + 1)), y=list(range(1, rows + 1)), xgap=1, ygap=1, zmin=0,
            zmax=max(float(image.max()), 1e-9), showscale=False, hoverongaps=False,
            colorscale=[[0, "rgba(138,146,144,0.18)"], [1e-6, _rgba(TEAL, 0.25)], [1, _rgba(TEAL, 0.7)]],
            hovertemplate="%{customdata}: %{z:.3f}<br>row %{y}, column %{x}<extra></extra>",
            **place,
        )  # fmt: skip
    _quiet(figure, height, top=30)
    figure.update_layout(margin={"t": 30})
    figure.update_xaxes(showgrid=False, tickvals=[1, 8, 16, 24, 32])
    figure.update_yaxes(showgrid=False, autorange="reversed", tickvals=[1, 4, 7])
    return figure
