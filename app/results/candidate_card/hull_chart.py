"""The distance to the hull of a candidate beside those of its base and of known compounds. No Streamlit here."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from app.charts import BLUE, GREY, ORANGE, TEAL, common_layout, translucent, with_data
from app.text.formatting import formula_text
from core.evaluation.hull_context import HullContext

CANDIDATE, BASE, KNOWN = "this formula", "base", "known"  # rows, from top to bottom


def hull_figure(
    formula: str, above: float, std: float, base: str | None, context: HullContext, height: int = 190
) -> go.Figure:
    """Rows on one axis of the energy above hull: the candidate, the base, the known relatives of the base.

    above, std : of the candidate in eV/atom; std may be NaN
    base : None if the formula has no base; it then has no row
    context : of the base, or of the formula without one
    """
    points = {CANDIDATE: _point(CANDIDATE, formula, above, std, ORANGE, "diamond")}
    if base is not None:
        of_base = context.above_hull_eV_per_atom, context.std_eV_per_atom
        points = {BASE: _point(BASE, base, *of_base, BLUE, "square")} | points
    figure = go.Figure([_relatives(context), *points.values()])
    if context.band is not None:
        low, median, high = context.band
        figure.add_vrect(x0=low, x1=high, fillcolor=translucent(TEAL, 0.16), line_width=0, layer="below")
        figure.add_vline(x=median, line={"color": TEAL, "width": 1.5, "dash": "dot"})
    figure.add_vline(x=0, line={"color": GREY, "width": 1})
    figure.update_yaxes(categoryorder="array", categoryarray=[KNOWN, *points], range=[-0.6, len(points) + 0.6])
    figure.update_xaxes(title={"text": "Energy above hull (eV/atom)", "standoff": 6})
    figure.update_layout(hovermode="closest")
    named = [(CANDIDATE, formula, above, std, None)]
    if base is not None:
        named.insert(0, (BASE, base, context.above_hull_eV_per_atom, context.std_eV_per_atom, None))
    known = zip(
        context.relatives, context.relatives_above_hull_eV_per_atom, context.relatives_tc_K, strict=True
    )  # fmt: skip
    rows = [*named, *((KNOWN, each, value, None, tc_K) for each, value, tc_K in known)]
    columns = ["what", "formula", "energy_above_hull_eV_per_atom", "energy_above_hull_std_eV_per_atom", "known_tc_K"]
    return with_data(common_layout(figure, height), pd.DataFrame(rows, columns=columns))


def _relatives(context: HullContext) -> go.Scatter:
    return go.Scatter(
        x=context.relatives_above_hull_eV_per_atom,
        y=[KNOWN] * len(context.relatives),
        mode="markers",
        marker={"color": TEAL, "size": 9, "symbol": "circle-open", "line": {"width": 1.5}},
        customdata=[
            (formula_text(formula), tc) for formula, tc in zip(context.relatives, context.relatives_tc_K, strict=True)
        ],
        hovertemplate="<b>%{customdata[0]}</b>, %{customdata[1]:.1f} K<br>%{x:.3f} eV/atom above hull<extra></extra>",
    )


def _point(row: str, formula: str, above: float, std: float, colour: str, symbol: str) -> go.Scatter:
    error = {"type": "data", "array": [std], "color": colour, "thickness": 1.5, "width": 5} if std == std else None
    return go.Scatter(
        x=[above],
        y=[row],
        error_x=error,
        mode="markers",
        marker={"color": colour, "size": 11, "symbol": symbol},
        customdata=[formula_text(formula)],
        hovertemplate="<b>%{customdata}</b><br>%{x:.3f} eV/atom above hull<extra></extra>",
    )
