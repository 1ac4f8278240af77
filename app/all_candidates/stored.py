"""The candidates of all runs and campaigns as the page Library asks for them, collected once per server."""

from __future__ import annotations

import os

import streamlit as st

from core.campaigns.candidates import candidates_of, state_of
from core.campaigns.folder import RUNS, app_folders
from core.campaigns.query import CandidateQueries

REFRESH_S = 10.0  # runs that ended in the meantime are not yet shown


def queries() -> CandidateQueries | None:
    """The candidates of all runs and campaigns, at most REFRESH_S old; None without runs."""
    return _collected(_state()) if app_folders() else None


@st.cache_resource(ttl=REFRESH_S, max_entries=1, show_spinner=False)
def _state() -> str:
    return _state_of_results(_changes())


@st.cache_resource(max_entries=1, show_spinner=False)
def _state_of_results(changes: str) -> str:
    """See `state_of`, which opens a file of every run: only if something has changed."""
    return state_of(app_folders())


@st.cache_resource(max_entries=1, show_spinner="Collecting the candidates of all runs …")
def _collected(state: str) -> CandidateQueries:
    return CandidateQueries(candidates_of(app_folders()))


def _changes() -> str:
    """Text that changes whenever a name in the folder of a run changes, as every write of a run does."""
    found = []
    for folder in app_folders():
        for place in (folder, folder / RUNS):
            if place.is_dir():
                with os.scandir(place) as entries:
                    found += [(entry.path, entry.stat().st_mtime_ns) for entry in entries if entry.is_dir()]
    return repr(sorted(found))


def forget() -> None:
    """Collect again at the next call."""
    for cached in (_state, _state_of_results, _collected):
        cached.clear()
