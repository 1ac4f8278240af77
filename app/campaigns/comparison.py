"""The gain over each base, by method, with its spread over the seeds."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from app.blocks import section
from app.charts import BLUE, CHART_CONFIG, ORANGE, TEAL, VIOLET, common_layout
from app.text.formatting import duration, formula_text
from core.campaigns.campaign import Campaign
from core.campaigns.comparison import by_base, several_ways
from core.generation.registry import registration

MOST_BASES = 40  # in the chart
COLOURS, SYMBOLS = (TEAL, ORANGE, BLUE, VIOLET), ("circle", "diamond", "square", "x")
_COLUMNS = {
    "best_tc_K": ("Best Tc (K)", "Highest Tc of a candidate that passes every screen, of all seeds", "%.1f"),
    "mean_gain_K": ("Mean gain (K)", "Over the predicted Tc of the base, of the best candidate of each seed", "%.1f"),
    "std_gain_K": ("Spread (K)", "Sample standard deviation of the gain over the seeds", "%.1f"),
    "lowest_gain_K": ("Lowest (K)", "Lowest gain of a seed", "%.1f"),
    "highest_gain_K": ("Highest (K)", "Highest gain of a seed", "%.1f"),
    "n_results": ("Runs", "Runs with a result", "%d"),
    "n_passing_runs": ("Passing", "Runs with a candidate that passes every screen", "%d"),
}


def comparison(campaign: Campaign, table: pd.DataFrame) -> None:
    """A table of all bases; a chart too where a base is tried in several ways."""
    rows = by_base(table)
    rows = rows[rows["n_results"] > 0]
    if rows.empty:
        return
    section("Gain over the base" if not several_ways(campaign) else "Methods compared")
    if several_ways(campaign):
        st.plotly_chart(gain_figure(rows), config=CHART_CONFIG, key="campaign.gains",
                        alt="Mean gain over each base with its range over the seeds")  # fmt: skip
        st.caption("Mean over the seeds; the line reaches from the lowest to the highest gain of a seed."
                   + (f" The first {MOST_BASES} bases." if rows["base"].nunique() > MOST_BASES else ""))  # fmt: skip
    names = ["base", *(name for name in ("method", *further_fields_of(rows)) if name in campaign.varied)]
    view = rows[[*names, *_COLUMNS, "mean_elapsed_s"]].assign(
        base=rows["base"].map(formula_text),
        mean_elapsed_s=[("–" if pd.isna(value) else duration(value)) for value in rows["mean_elapsed_s"]],
    )
    config = {name: st.column_config.NumberColumn(label, help=text, format=form)
              for name, (label, text, form) in _COLUMNS.items()}  # fmt: skip
    config |= {name: st.column_config.Column((name.partition(".")[2] or name).replace("_", " ").capitalize())
               for name in names}  # fmt: skip
    config["mean_elapsed_s"] = st.column_config.Column("Time per run", help="Mean working time")
    st.dataframe(view, hide_index=True, column_config=config, alt="Gain over each base")


def gain_figure(rows: pd.DataFrame) -> go.Figure:
    """Mean gain with its range, one colour and symbol per method. rows : see `by_base`; the first MOST_BASES bases"""
    bases = list(dict.fromkeys(rows["base"]))[:MOST_BASES]
    shown = rows[rows["base"].isin(bases)]
    ways = [name for name in ("method", *further_fields_of(rows)) if shown[name].nunique() > 1] or ["method"]
    groups = list(shown.groupby(ways, sort=False, dropna=False))
    figure = go.Figure()
    for place, (values, group) in enumerate(groups):
        offset = (place - (len(groups) - 1) / 2) * 0.5 / max(1, len(groups))
        mean = group["mean_gain_K"]
        figure.add_trace(go.Scatter(
            x=[bases.index(base) + offset for base in group["base"]], y=mean, mode="markers",
            name=_label(ways, values),
            marker={"color": COLOURS[place % len(COLOURS)], "symbol": SYMBOLS[place % len(SYMBOLS)], "size": 9},
            error_y={"type": "data", "array": group["highest_gain_K"] - mean,
                     "arrayminus": mean - group["lowest_gain_K"], "thickness": 1.5, "width": 4},
            text=[formula_text(base) for base in group["base"]],
            hovertemplate="%{text}: mean gain %{y:.1f} K<extra>%{fullData.name}</extra>",
        ))  # fmt: skip
    common_layout(figure, 360)
    figure.update_layout(showlegend=True, legend={"orientation": "h", "y": 1.08, "x": 0})
    figure.update_xaxes(tickvals=list(range(len(bases))), ticktext=[formula_text(base) for base in bases])
    figure.update_yaxes(title="Gain over the base (K)", zeroline=True, zerolinecolor="rgba(138,146,144,0.6)")
    return figure


def further_fields_of(rows: pd.DataFrame) -> list[str]:
    """The further fields of the rows of `by_base`."""
    measured = {"base", "method", "n_runs", "mean_elapsed_s", *_COLUMNS}
    return [name for name in rows.columns if name not in measured]


def _label(ways: list[str], values: tuple) -> str:
    parts = [registration(value).label if name == "method" else f"{name.partition('.')[2] or name} {value}"
             for name, value in zip(ways, values, strict=True)]  # fmt: skip
    return ", ".join(parts)
