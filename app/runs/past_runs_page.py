"""The list of past runs: open, copy, delete."""

from __future__ import annotations

from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from app import cached_data
from app.empty_page import invitation
from app.runs.phases import PHASE_LABELS
from app.state import session
from app.text.problem_title import title_html
from core.errors import InputError
from core.runs import store
from core.runs.run import Run
from core.runs.status import WITH_RESULT, RunStatus

WIDTHS = (3.2, 1.7, 1.3, 1.1, 1.1, 2.2)
HEADINGS = ("Problem", "Date", "Status", "Best candidate", "Passing", "")
PAGE_SIZE = 25  # more on request: every row holds three widgets
_N_SHOWN = "runs_shown"  # of the session


def page() -> None:
    """The list, or an invitation to design."""
    runs = store.list_runs()
    if not runs:
        st.title("Past runs")
        invitation("No runs yet", "Every run is kept here with its problem, its progress and its candidates.")
        return
    st.title("Past runs", anchor=False)
    for column, text in zip(st.columns(WIDTHS), HEADINGS, strict=True):
        column.caption(text)
    shown = st.session_state.get(_N_SHOWN, PAGE_SIZE)
    for run in runs[:shown]:
        row(run)
    if len(runs) > shown and st.button(f"Show {min(PAGE_SIZE, len(runs) - shown)} more", type="tertiary"):
        st.session_state[_N_SHOWN] = shown + PAGE_SIZE
        st.rerun()


def row(run: Run) -> None:
    """One run in one line."""
    status, summary = run.status(), summary_of(run)
    with st.container(key=f"run-{run.id.replace('.', '_')}"):
        cells = st.columns(WIDTHS, vertical_alignment="center")
        cells[0].html(problem_html(run))
        cells[1].html(f"<span>{local_time(run)}</span>")
        label = PHASE_LABELS[status.phase]
        cells[2].badge(label.text, color=label.colour, icon=label.icon)
        best, passing = summary.get("best_tc_K"), summary.get("n_passing")
        cells[3].html(f"<b>{best:.1f} K</b>" if best is not None else "–")
        cells[4].html(f"{passing:,}" if passing is not None else "–")
        with cells[5].container(horizontal=True, horizontal_alignment="right", gap="xsmall"):
            actions(run, status)


def problem_html(run: Run) -> str:
    """The title of the problem, or a note that its file is broken."""
    try:
        return title_html(run.problem())
    except InputError:
        return "(problem.json cannot be read)"


def summary_of(run: Run) -> dict:
    """The summary of a finished run; empty for other runs."""
    try:
        return run.summary()
    except (FileNotFoundError, ValueError):
        return {}


def local_time(run: Run) -> str:
    """When the run was created, in the time zone of the browser."""
    return f"{run.created().astimezone(browser_time_zone()):%d %b %Y, %H:%M}"


def browser_time_zone() -> tzinfo:
    """The time zone of the browser; UTC if it is unknown."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def actions(run: Run, status: RunStatus) -> None:
    """Open, copy, delete."""
    if st.button("Open", key=f"open-{run.id}", icon=":material/open_in_new:"):
        session.open_run(run.id, "results" if status.phase in WITH_RESULT else "run")
    if st.button("", key=f"copy-{run.id}", icon=":material/content_copy:", help="Copy the problem to the design page"):
        copy(run)
    if st.button("", key=f"delete-{run.id}", icon=":material/delete:", help="Delete this run"):
        confirm_delete(run)


def copy(run: Run) -> None:
    """Go to the design page with the problem of this run."""
    try:
        session.load_problem(run.problem())
    except InputError as error:
        st.error(error.message)
        return
    session.open_design()


@st.dialog("Delete this run?")
def confirm_delete(run: Run) -> None:
    """Ask before a run is deleted."""
    st.html(f"{problem_html(run)}, {local_time(run)}")
    st.caption("Problem, progress and candidates of the run are removed from the disk. This cannot be undone.")
    with st.container(horizontal=True):
        if st.button("Delete", icon=":material/delete:", key="delete_yes"):
            cached_data.executor().cancel(run)
            try:
                store.delete(run)
            except InputError as error:  # the worker could not be stopped
                st.error(error.message)
                return
            st.rerun()
        if st.button("Keep", key="delete_no"):
            st.rerun()
