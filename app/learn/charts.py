"""Charts of the teaching page that stand alone: compositions, shares, the integer loss. No Streamlit here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from app.charts import FAINT, GREY, ORANGE, TEAL, common_layout
from core.chemistry import elements
from core.screening.random_formulas import Shares

SMALLEST, LARGEST = "#b9e0dc", "#4fb3ab"  # opaque tiles, on which ON_TILE is legible in both themes
ON_TILE = "#102322"


def grid_figure(fractions: Mapping[str, float], n: int, height: int = 210) -> go.Figure:
    """The position of each fraction on the grid k/n, and its distance to the nearest grid point."""
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
    figure.update_yaxes(range=[len(fractions) - 0.6, -0.8], showgrid=False)  # first on top, room for labels
    return common_layout(figure, height)


def sizes_figure(sizes: Sequence[int], losses: Sequence[float], chosen: int, height: int = 210) -> go.Figure:
    """The integer loss for every N, with the chosen N in another colour."""
    colours = [ORANGE if n == chosen else FAINT for n in sizes]
    figure = go.Figure(
        go.Bar(x=list(sizes), y=list(losses), marker={"color": colours},
               hovertemplate="N = %{x}: %{y:.4f}<extra></extra>")
    )  # fmt: skip
    figure.update_xaxes(title={"text": "N, atoms per formula unit"})
    figure.update_yaxes(title={"text": "loss for this N"})
    return common_layout(figure, height)


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
        for row, column in zip(*np.nonzero(np.nan_to_num(z) > 0), strict=True):
            figure.add_annotation(
                text=text[row, column], x=column + 1, y=row + 1, showarrow=False,
                font={"size": 11, "color": ON_TILE}, **place,
            )  # fmt: skip
        figure.add_heatmap(
            z=z, customdata=text,
            x=list(range(1, columns + 1)), y=list(range(1, rows + 1)), xgap=1, ygap=1, zmin=0,
            zmax=max(float(image.max()), 1e-9), showscale=False, hoverongaps=False,
            colorscale=[[0, "rgba(138,146,144,0.18)"], [1e-6, SMALLEST], [1, LARGEST]],
            hovertemplate="%{customdata}: %{z:.3f}<br>row %{y}, column %{x}<extra></extra>",
            **place,
        )  # fmt: skip
    common_layout(figure, height, top=30)
    figure.update_layout(margin={"t": 30})
    figure.update_xaxes(showgrid=False, tickvals=[1, 8, 16, 24, 32])
    figure.update_yaxes(showgrid=False, autorange="reversed", tickvals=[1, 4, 7])
    return figure


def amounts_figure(amounts: np.ndarray, height: int = 260) -> go.Figure:
    """The amounts (96,) of the elements H to Cm in the order of the atomic number."""
    symbols = elements.symbols()[: len(amounts)]
    colours = [TEAL if amount >= 0 else ORANGE for amount in amounts]
    figure = go.Figure(
        go.Bar(x=list(range(len(amounts))), y=list(amounts), marker={"color": colours}, customdata=symbols,
               hovertemplate="%{customdata}: %{y:.2f}<extra></extra>")
    )  # fmt: skip
    shown = [0, 7, 13, 19, 25, 28, 32, 37, 45, 55, 63, 71, 79, 91]
    figure.update_xaxes(tickvals=shown, ticktext=[symbols[i] for i in shown], title={"text": "element"})
    figure.update_yaxes(title={"text": "atoms per formula unit"})
    return common_layout(figure, height)


def composition_figure(
    symbols: Sequence[str],
    ratios: np.ndarray,
    fixed: np.ndarray,
    free: np.ndarray,
    allowed: Sequence[bool],
    alive: bool,
    height: int = 330,
) -> go.Figure:
    """Ratios before the map (above), and fractions after it (below), as bars of each element.

    ratios, fixed, free : (n,); `free` is not drawn unless `alive`
    allowed : whether the element is in M_elem
    """  # fmt: skip
    titles = ("before: ratios x_base; struck out where the mask is 0", "after: fractions x")
    figure = make_subplots(2, 1, shared_xaxes=True, vertical_spacing=0.16, subplot_titles=titles)
    pattern = ["" if inside else "x" for inside in allowed]
    figure.add_bar(x=list(symbols), y=ratios, row=1, col=1, name="x_base",
                   marker={"color": [GREY if inside else FAINT for inside in allowed], "pattern": {"shape": pattern}},
                   hovertemplate="%{x}: ratio %{y:.3f}<extra></extra>")  # fmt: skip
    parts = [("fixed: x_const", fixed, ORANGE)] + ([("from σ", free, TEAL)] if alive else [])
    for name, values, colour in parts:
        figure.add_bar(x=list(symbols), y=values, row=2, col=1, name=name, marker={"color": colour}, showlegend=True,
                       hovertemplate="%{x}: %{y:.3f} " + name + "<extra></extra>")  # fmt: skip
    common_layout(figure, height)
    legend = {"orientation": "h", "x": 1, "xanchor": "right", "y": 0.5, "yanchor": "top"}
    figure.update_layout(barmode="stack", margin={"t": 26}, showlegend=True, legend=legend)
    figure.update_traces(showlegend=False, row=1)
    figure.update_annotations(x=0, xanchor="left", font={"size": 13})
    return figure


def two_normalisations_figure(
    symbols: Sequence[str], relu: np.ndarray, soft: np.ndarray, height: int = 380
) -> go.Figure:
    """The fractions by ReLU and by softmax side by side; exact zeros are named. relu, soft : (n,)"""
    figure = go.Figure()
    for name, values, colour in (("ReLU", relu, TEAL), ("softmax", soft, ORANGE)):
        texts = ["0 exactly" if x == 0 else f"{x:.3f}" for x in values]
        figure.add_bar(
            x=list(symbols), y=values, name=name, marker={"color": colour}, text=texts, textposition="outside",
            cliponaxis=False, hovertemplate="%{x}: %{y:.4f}<extra>" + name + "</extra>",
        )  # fmt: skip
    common_layout(figure, height)
    figure.update_layout(barmode="group", showlegend=True, margin={"t": 36},
                         legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"})  # fmt: skip
    figure.update_yaxes(title={"text": "fraction"}, range=[0, max(float(relu.max()), float(soft.max())) * 1.12])
    return figure


def shares_figure(shares: Mapping[int, Shares], chosen: int, axis: str, height: int = 300) -> go.Figure:
    """Stacked shares of neutral formulas and alloys against a number; the chosen number is outlined."""
    numbers = list(shares)
    figure = go.Figure()
    for name, values, colour in (("can be neutral", [s.neutral for s in shares.values()], TEAL),
                                 ("alloy", [s.untested for s in shares.values()], GREY)):  # fmt: skip
        figure.add_bar(
            x=numbers, y=values, name=name,
            marker={"color": colour, "line": {"width": [2.5 if n == chosen else 0 for n in numbers], "color": ORANGE}},
            hovertemplate="%{x}: %{y:.1%} " + name + "<extra></extra>",
        )  # fmt: skip
    common_layout(figure, height)
    figure.update_layout(barmode="stack", showlegend=True, margin={"t": 30},
                         legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"})  # fmt: skip
    figure.update_xaxes(title={"text": axis}, dtick=1 if len(numbers) < 9 else 4)
    figure.update_yaxes(title={"text": "share of random formulas"}, tickformat=".0%", rangemode="tozero")
    return figure
