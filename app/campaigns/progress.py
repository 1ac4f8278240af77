"""How far a campaign is, and the buttons that stop it, go on, and add seeds."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app.text.formatting import duration
from core.campaigns.background import Activity, command_of, last_words, start, stop
from core.campaigns.campaign import Campaign
from core.campaigns.expansion import planned_runs
from core.campaigns.folder import CampaignFolder
from core.campaigns.template import with_more_seeds
from core.runs.status import ACTIVE, WITH_RESULT, Phase

MOST_NEW_SEEDS = 100
_WITHOUT = (Phase.FAILED, Phase.CANCELLED, Phase.INTERRUPTED, Phase.DAMAGED)


def progress(folder: CampaignFolder, doing: Activity, table: pd.DataFrame) -> None:
    """The bar with the remaining time, the link to the dashboard, and why runs have no result."""
    phases = table["phase"]
    done, total = int(phases.isin(list(WITH_RESULT)).sum()), len(table)
    at_work, failed = int((phases.isin(list(ACTIVE - {Phase.QUEUED}))).sum()), int((phases == Phase.FAILED).sum())
    words = [f"{done:,} of {total:,} runs have a result"]
    command = command_of(folder)
    if doing is Activity.STARTING:
        words.append("starting")
    elif doing is Activity.STOPPING:
        words.append("stopping; the runs at work keep what they have")
    elif doing is Activity.AT_WORK:
        words.append(f"{at_work:,} at work" if done < total else "finishing")
        left_s = command.remaining_s(done + failed, total)
        if done < total:
            words.append("the remaining time is known after the first run" if left_s is None
                         else f"about {duration(left_s)} left")  # fmt: skip
    st.progress(done / total, text=" · ".join(words))
    _without_result(folder, doing, table)


def _without_result(folder: CampaignFolder, doing: Activity, table: pd.DataFrame) -> None:
    wrong = table[table["phase"].isin(list(_WITHOUT)) & (table["message"] != "")]
    if doing is not Activity.IDLE:
        return
    if not wrong.empty:
        with st.expander(f"Runs without a result ({len(wrong):,})"):
            st.dataframe(wrong[["base", "method", "seed", "phase", "message"]], hide_index=True)
    elif not table["phase"].isin(list(WITH_RESULT)).all() and (words := last_words(folder)):
        with st.expander("Output of the last command"):
            st.code(words, language=None)


def actions(folder: CampaignFolder, campaign: Campaign, doing: Activity, table: pd.DataFrame) -> None:
    """Stop, or go on and add seeds. Raises InputError, as the actions do."""
    row = st.container(horizontal=True, vertical_alignment="bottom", key="campaign-actions")
    if doing is not Activity.IDLE:
        text = "Cancels the runs at work. They continue from where they are when the campaign goes on"
        if row.button("Stop", icon=":material/stop:", disabled=doing is not Activity.AT_WORK, help=text):
            stop(folder)
            st.rerun()
        if dashboard := command_of(folder).dashboard:
            row.link_button("Dashboard of the workers (Dask)", dashboard, type="tertiary",
                            icon=":material/monitoring:")  # fmt: skip
        return
    complete = table["phase"].isin(list(WITH_RESULT)).all()
    text = "Does what is missing, and tries failed runs again"
    if not complete and row.button("Go on", type="primary", icon=":material/play_arrow:", help=text):
        start(folder)
        st.rerun()
    more = row.number_input("Seeds to add", 1, MOST_NEW_SEEDS, 1, width=130, key=f"campaign.more-{folder.name}")
    if row.button("Add seeds", icon=":material/add:", help="Every base is designed with further seeds; runs with a "
                  "result are not repeated"):  # fmt: skip
        larger = with_more_seeds(campaign, int(more))
        planned_runs(larger)
        folder.store(larger)
        start(folder)
        st.rerun()
    row.download_button("Runs (CSV)", lambda: _csv(table), f"{folder.name}-runs.csv", "text/csv",
                        icon=":material/download:", on_click="ignore")  # fmt: skip


def _csv(table: pd.DataFrame) -> bytes:
    from core.evaluation.csv_export import to_csv

    return to_csv(table.round(4)).encode("utf-8")
