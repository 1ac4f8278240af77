"""The dialog that deletes a run."""

from __future__ import annotations

from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from app import blocks, cached_data
from app.state import session
from app.text.problem_title import title_html
from core.errors import InputError
from core.runs import store
from core.runs.names import give_name, names
from core.runs.run import Run


def problem_html(run: Run) -> str:
    """The title of the problem, or a note that its file is broken."""
    try:
        return title_html(run.problem())
    except InputError:
        return "(problem.json cannot be read)"


def local_time(run: Run) -> str:
    """When the run was created, in the time zone of the browser."""
    try:
        return f"{run.created().astimezone(browser_time_zone()):%d %b %Y, %H:%M}"
    except (OverflowError, ValueError):  # a year that no time zone knows
        return "–"


def browser_time_zone() -> tzinfo:
    """The time zone of the browser; UTC if it is unknown."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


@st.dialog("Delete this run?")
def confirm_delete(run: Run) -> None:
    """Ask before a run is deleted; then go to the list of runs."""
    what = f"{problem_html(run)}, {local_time(run)}"
    removed = "Problem, progress and candidates of the run are removed from the disk."
    if blocks.deletion_question(what, removed, lambda: _delete(run), "delete"):
        session.open_runs()


def _delete(run: Run) -> None:
    """Cancel a run and remove it with its name."""
    cached_data.executor().cancel(run)
    store.delete(run)
    if run.id in names():
        give_name(run.id, "")
