"""The page Campaigns: many designs at once. The work is done by processes that need no browser."""

from __future__ import annotations

import streamlit as st

from app import blocks
from app.campaigns.comparison import comparison
from app.campaigns.matrix import matrix
from app.campaigns.new_campaign import new_campaign
from app.campaigns.progress import actions, progress
from app.campaigns.stored import table_of
from app.empty_page import invitation
from core.campaigns.background import Activity, activity
from core.campaigns.campaign import Campaign
from core.campaigns.folder import CampaignFolder, app_campaign, app_campaigns
from core.errors import InputError

REFRESH_S = 2.0
_CHOICE = "campaigns.choice"  # of the widget


def page() -> None:
    """The campaign that the URL names, else the first; the form of a new one on request."""
    stored = {folder.name: folder for folder in app_campaigns()}
    if st.query_params.get("new"):
        new_campaign(list(stored))
        return
    st.title("Campaigns", anchor=False)
    if not stored:
        invitation("No campaigns yet", "A campaign is the same design for many base materials and seeds. "
                   "Set one up on the design page, and press “Use for many bases”.")  # fmt: skip
        return
    folder = _chosen(stored)
    if folder is None:
        return
    doing = activity(folder)
    draw = blocks.guarded(_campaign)
    st.fragment(draw, run_every=None if doing is Activity.IDLE else REFRESH_S)(folder, doing)


def description(campaign: Campaign) -> str:
    """The number of runs as the product of what varies: "72 runs: 24 bases × 3 seeds"."""
    parts = [f"{len(axis.values):,} {(axis.name.partition('.')[2] or axis.name).replace('_', ' ')}"
             f"{'s' if axis.name in ('base', 'seed', 'method') else ' values'}"
             for axis in campaign.axes if len(axis.values) > 1]  # fmt: skip
    return f"{campaign.n_runs:,} run{'' if campaign.n_runs == 1 else 's'}{': ' if parts else ''}{' × '.join(parts)}"


def _chosen(stored: dict[str, CampaignFolder]) -> CampaignFolder | None:
    asked = st.query_params.get("campaign")
    row = st.container(horizontal=True, vertical_alignment="bottom")
    names = list(stored)
    if asked is not None and asked not in stored:
        with row:
            blocks.error(f"There is no campaign {asked} on this computer.")
    index = names.index(asked) if asked in stored else 0
    name = row.selectbox("Campaign", names, index=index, key=f"{_CHOICE}-{asked}-{len(names)}", width=420)
    if row.button("New campaign", icon=":material/add:"):
        st.query_params.from_dict({"new": "1"})
        st.rerun()
    if name != asked:
        st.query_params["campaign"] = name
    return app_campaign(name)


def _campaign(folder: CampaignFolder, before: Activity) -> None:
    """One campaign; drawn again while it is carried out. before : what was being done when the page was drawn"""
    doing = activity(folder)
    if doing is not before:
        st.rerun()  # the whole page: with a timer, or without one
    campaign, table = table_of(folder, doing)
    st.caption(description(campaign))
    progress(folder, doing, table)
    try:
        actions(folder, campaign, doing, table)
    except InputError as error:
        blocks.show_errors([error])
    matrix(folder, campaign, table)
    comparison(campaign, table)
