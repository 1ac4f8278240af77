"""The runs of a campaign as the page reads them, with what does not change kept in memory."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import streamlit as st

from core.campaigns.background import Activity
from core.campaigns.campaign import Campaign, read_campaign
from core.campaigns.expansion import PlannedRun, planned_runs
from core.campaigns.folder import CAMPAIGN, CampaignFolder
from core.campaigns.overview import NOT_STARTED, overview, state_of, stored_state
from core.runs.run import Run
from core.runs.status import ACTIVE, Phase

MOST_RUNS = 20_000  # whose ended states are kept


def table_of(folder: CampaignFolder, doing: Activity) -> tuple[Campaign, pd.DataFrame]:
    """The campaign and its overview. Raises InputError for a damaged campaign, CheckpointError without its models.

    doing : see `activity`. Runs at work are read as their workers store them; all others are inspected once
    """
    text = (folder.folder / CAMPAIGN).read_text(encoding="utf-8")
    campaign, runs = _planned(text, str(folder.folder))
    return campaign, overview(folder, campaign, runs, lambda run: _state(run, doing is not Activity.IDLE))


def _state(run: Run, at_work: bool) -> dict:
    stored = stored_state(run)
    if stored["phase"] in ACTIVE and at_work:
        return stored
    try:
        changed_ns = run.folder.stat().st_mtime_ns
    except OSError:  # not started
        return stored
    inspected = _inspected(str(run.folder), changed_ns)
    if inspected["phase"] == Phase.QUEUED:  # nobody is going to start it
        return {**inspected, "phase": NOT_STARTED}
    return inspected


@st.cache_data(show_spinner=False, max_entries=MOST_RUNS)
def _inspected(folder: str, changed_ns: int) -> dict:
    """changed_ns : of the folder, in which every file is replaced by another when it changes"""
    return state_of(Run(Path(folder)))


@st.cache_resource(show_spinner="Reading the campaign …", max_entries=10)
def _planned(text: str, folder: str) -> tuple[Campaign, tuple[PlannedRun, ...]]:
    campaign = read_campaign(text, Path(folder))
    return campaign, planned_runs(campaign)
