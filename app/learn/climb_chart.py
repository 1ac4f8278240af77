"""A ternary map of Tc with the paths of two optimisers, as an animation. No Streamlit here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.colors import sample_colorscale
from plotly.subplots import make_subplots

from app.charts import GREY, common_layout
from app.learn.ternary import HEIGHT, positions, triangles
from core.generation.gradient.climb import ADAM, GRADIENT

LEVELS, SCALE = 32, "Viridis"
FRAMES = 40
NAMES = {ADAM: "Adam", GRADIENT: "gradient descent"}
COLOURS = {ADAM: "#ff7f2a", GRADIENT: "#ff5fa8"}  # bright on every colour of the scale
EDGE = "#101513"


def climb_figure(
    symbols: Sequence[str],
    fractions: np.ndarray,
    values: np.ndarray,
    divisions: int,
    paths: Mapping[str, tuple[np.ndarray, np.ndarray]],
    unit: str,
    height: int = 520,
) -> go.Figure:
    """The map on the left, the value against the step on the right; buttons play the steps.

    fractions, values : (n, 3) and (n,) of the grid with this number of divisions
    paths : rule -> fractions (k, 3) and values (k,) along its path
    unit : name and unit of the values
    """
    figure = make_subplots(1, 2, column_widths=[0.62, 0.38], horizontal_spacing=0.15)
    _map(figure, fractions, values, divisions, symbols, unit)
    for rule, (along, height_of) in paths.items():
        spot = positions(along)
        figure.add_scatter(x=spot[:, 0], y=spot[:, 1], mode="lines", hoverinfo="skip", showlegend=False,
                           line={"color": EDGE, "width": 6}, row=1, col=1)  # fmt: skip
        figure.add_scatter(x=spot[:, 0], y=spot[:, 1], mode="lines", hoverinfo="skip", name=NAMES[rule],
                           line={"color": COLOURS[rule], "width": 3}, row=1, col=1)  # fmt: skip
        figure.add_scatter(x=spot[-1:, 0], y=spot[-1:, 1], mode="markers", hoverinfo="skip", showlegend=False,
                           marker={"color": COLOURS[rule], "size": 13, "line": {"width": 2, "color": EDGE}},
                           row=1, col=1)  # fmt: skip
        figure.add_scatter(x=np.arange(len(height_of)), y=height_of, mode="lines", showlegend=False, name=NAMES[rule],
                           line={"color": COLOURS[rule], "width": 3}, hovertemplate="step %{x}: %{y:.1f} K",
                           row=1, col=2)  # fmt: skip
    start = positions(next(iter(paths.values()))[0][:1])
    white = {"color": "white", "size": 9, "line": {"width": 2, "color": EDGE}}
    figure.add_scatter(x=start[:, 0], y=start[:, 1], mode="markers", hoverinfo="skip", showlegend=False, marker=white,
                       row=1, col=1)  # fmt: skip
    _animate(figure, paths)
    common_layout(figure, height)
    steps = max(len(along) for along, _ in paths.values()) - 1
    low = min(float(v.min()) for _, v in paths.values())
    high = max(float(v.max()) for _, v in paths.values())
    pad = 0.06 * max(high - low, 1)
    figure.update_layout(
        showlegend=True, margin={"t": 40, "b": 90}, hovermode="closest",
        legend={"orientation": "h", "x": 0.66, "y": 1.02, "yanchor": "bottom"},
    )  # fmt: skip
    figure.update_xaxes(visible=False, range=[-0.04, 1.04], row=1, col=1)
    figure.update_yaxes(visible=False, range=[-0.06, HEIGHT + 0.06], scaleanchor="x", row=1, col=1)
    figure.update_xaxes(title={"text": "step"}, range=[0, max(steps, 1)], row=1, col=2)
    figure.update_yaxes(title={"text": unit}, range=[low - pad, high + pad], row=1, col=2)
    return figure


def _map(
    figure: go.Figure, fractions: np.ndarray, values: np.ndarray, divisions: int, symbols: Sequence[str], unit: str
) -> None:
    """Small triangles coloured by the mean of their corners, names of the corners, and points to hover and to click."""
    corners = triangles(divisions)
    spot, mean = positions(fractions), values[corners].mean(1)
    low, high = float(values.min()), max(float(values.max()), float(values.min()) + 1e-6)
    level = np.clip(((mean - low) / (high - low) * LEVELS).astype(int), 0, LEVELS - 1)
    colours = sample_colorscale(SCALE, [(k + 0.5) / LEVELS for k in range(LEVELS)])
    for k in np.unique(level):
        chosen = corners[level == k]
        # Corners of each triangle, the first one again, and a gap.
        outline = np.full((len(chosen), 5, 2), np.nan)
        outline[:, :4] = spot[chosen[:, [0, 1, 2, 0]]]
        x, y = outline.reshape(-1, 2).round(4).T
        figure.add_scatter(x=x, y=y, mode="lines", fill="toself", fillcolor=colours[k], hoverinfo="skip",
                           line={"color": colours[k], "width": 1}, showlegend=False, row=1, col=1)  # fmt: skip
    texts = ["<br>".join(f"{s} {100 * f:.0f}%" for s, f in zip(symbols, row, strict=True)) for row in fractions]
    figure.add_scatter(
        x=spot[:, 0], y=spot[:, 1], mode="markers", customdata=np.arange(len(spot)), showlegend=False, text=texts,
        hovertemplate="%{text}<br>%{marker.color:.1f} K<extra></extra>",
        marker={"size": 9, "opacity": 0, "color": values, "colorscale": SCALE, "cmin": low, "cmax": high,
                "showscale": True, "colorbar": {"title": {"text": "K", "side": "top"}, "x": 0.53, "len": 0.8,
                                                "thickness": 12, "outlinewidth": 0}},
        selected={"marker": {"opacity": 0}}, unselected={"marker": {"opacity": 0}}, row=1, col=1,
    )  # fmt: skip
    for symbol, corner, anchor in zip(symbols, np.eye(3), ("top", "top", "bottom"), strict=True):
        x, y = positions(corner[None])[0]
        figure.add_annotation(x=x, y=y, text=f"<b>{symbol}</b>", showarrow=False, yanchor=anchor, row=1, col=1)


def _animate(figure: go.Figure, paths: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> None:
    """Frames in which the paths grow, with buttons and a slider of the step."""
    first = len(figure.data) - 1 - 4 * len(paths)
    moving = list(range(first, first + 4 * len(paths)))
    longest = max(len(along) for along, _ in paths.values())
    frames, stops = [], sorted({*np.linspace(0, longest - 1, FRAMES).round().astype(int).tolist()})
    for step in stops:
        data = []
        for along, height_of in paths.values():
            k = min(step, len(along) - 1) + 1
            spot = positions(along[:k]).round(4)
            line = go.Scatter(x=spot[:, 0], y=spot[:, 1])
            data += [line, line, go.Scatter(x=spot[-1:, 0], y=spot[-1:, 1]),
                     go.Scatter(x=np.arange(k), y=height_of[:k].round(2))]  # fmt: skip
        frames.append(go.Frame(data=data, name=str(step), traces=moving))
    figure.frames = frames
    play_controls(figure, [str(step) for step in stops], "step ", active=len(stops) - 1)


def play_controls(
    figure: go.Figure, names: Sequence[str], prefix: str, active: int = 0, frame_ms: int = 70, redraw: bool = False
) -> None:
    """A button that plays the frames of these names, one that stops, and a slider, below the chart.

    redraw : needed for frames with bars
    """
    still = {"frame": {"duration": 0, "redraw": redraw}, "mode": "immediate", "transition": {"duration": 0}}
    moving = {"frame": {"duration": frame_ms, "redraw": redraw}, "fromcurrent": False, "transition": {"duration": 0}}
    figure.update_layout(
        updatemenus=[{
            "type": "buttons", "direction": "left", "showactive": False, "x": 0, "xanchor": "left", "y": 0,
            "yanchor": "top", "pad": {"t": 44, "l": 0}, "bgcolor": "rgba(138,146,144,0.25)", "bordercolor": GREY,
            "buttons": [{"label": "▶ Play", "method": "animate", "args": [list(names), moving]},
                        {"label": "❚❚ Stop", "method": "animate", "args": [[None], still]}],
        }],
        sliders=[{
            "active": active, "x": 0.2, "len": 0.8, "y": 0, "pad": {"t": 32}, "currentvalue": {"prefix": prefix},
            "ticklen": 0, "minorticklen": 0, "font": {"color": "rgba(0,0,0,0)"}, "bordercolor": GREY,
            "bgcolor": "rgba(138,146,144,0.35)", "activebgcolor": GREY,
            "steps": [{"label": name, "method": "animate", "args": [[name], still]} for name in names],
        }],
    )  # fmt: skip
    figure.layout.sliders[0].currentvalue.font = {"color": GREY}
