"""The runs of a campaign as a matrix: one row per base, one column per seed."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app.blocks import section
from app.charts import TEAL, translucent
from app.runs.phases import PHASE_LABELS
from app.state import session
from app.text.formatting import formula_text, signed_number
from core.campaigns.campaign import Campaign
from core.campaigns.comparison import further_fields
from core.campaigns.folder import CampaignFolder
from core.campaigns.overview import NOT_STARTED
from core.runs import layout
from core.runs.status import WITH_RESULT, Phase

MOST_ROWS, _FEW_SEEDS = 500, 6
_SEED_WIDTH = 130  # pixels
_FAINT, _STRONG = 0.08, 0.55  # opacity of the colour for no gain, and for the largest


def matrix(folder: CampaignFolder, campaign: Campaign, table: pd.DataFrame) -> None:
    """Best Tc and gain over the base in each cell, or the state of its run; a click opens the run."""
    section("Runs")
    keys = [name for name in ("base", "method", *further_fields(table)) if name == "base" or name in campaign.varied]
    cells, gains, runs = texts_of(table, keys)
    if len(cells) > MOST_ROWS:
        st.caption(f"The first {MOST_ROWS:,} of {len(cells):,} rows; “Runs (CSV)” has all.")
        cells, gains = cells.head(MOST_ROWS), gains.head(MOST_ROWS)
    shades = gains.map(_shade)
    styled = cells.style.apply(lambda _: shades, axis=None)
    config = {name: st.column_config.TextColumn(width=_SEED_WIDTH) for name in cells.columns}
    event = st.dataframe(styled, column_config=config, key=f"campaign.matrix-{folder.name}",
                         on_select="rerun", selection_mode="single-cell",
                         width="stretch" if len(cells.columns) > _FEW_SEEDS else "content",
                         alt="Best Tc of each run")  # fmt: skip
    st.caption("Tc of the best candidate that passes every screen, and its gain over the base, in K. Stronger "
               "colour: a larger gain. Click a cell to open its run.")  # fmt: skip
    for row, column in event["selection"]["cells"]:
        if column in runs.columns and row < len(runs):
            _opened(folder, str(runs[column].iloc[row]), cells[column].iloc[row])


def texts_of(table: pd.DataFrame, keys: list[str]) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """What is shown, the gain (K), and the key of the run: (rows, seeds) each, in the order of the campaign.

    table : see `core.campaigns.overview.overview`
    keys : the columns that name a row
    """
    named = table.assign(
        base=table["base"].map(formula_text), _text=[_text(row) for _, row in table.iterrows()],
        _column=[f"Seed {seed}" for seed in table["seed"]],
    )  # fmt: skip
    place = named.groupby(keys, sort=False, dropna=False).ngroup()
    labels = [(name.partition(".")[2] or name).replace("_", " ").capitalize() for name in keys]
    seeds = list(dict.fromkeys(named["_column"]))
    names = pd.MultiIndex.from_frame(named.groupby(place)[keys].first())
    index = names if len(keys) > 1 else pd.Index(names.get_level_values(0), name=keys[0])

    def wide(column: str) -> pd.DataFrame:
        shape = named.assign(_place=place).pivot(index="_place", columns="_column", values=column)[seeds]
        return shape.set_axis(index.set_names(labels), axis=0).rename_axis(columns=None)

    return wide("_text"), wide("gain_K"), wide("run")


def _text(row: pd.Series) -> str:
    if row["phase"] == NOT_STARTED:
        return "–"
    phase = Phase(row["phase"])
    if phase not in WITH_RESULT:
        return PHASE_LABELS[phase].text
    if pd.isna(row["best_tc_K"]):
        return "none passes"
    gain = signed_number(row["gain_K"], 1)
    return f"{row['best_tc_K']:.1f} ({'+' if row['gain_K'] > 0 else ''}{gain})"


def _shade(gain_K: float) -> str:
    if pd.isna(gain_K) or gain_K <= 0:
        return ""
    return f"background-color: {translucent(TEAL, min(_STRONG, _FAINT + gain_K / 60))}"


def _opened(folder: CampaignFolder, key: str, text: str) -> None:
    run = folder.run(key)
    if text == "–" or not layout.is_run(run.folder):
        st.html('<p class="quiet">This run has not started yet.</p>')
        return
    session.open_run(run, "results" if run.stored_status().phase in WITH_RESULT else "run")
