"""Past runs: open, copy, delete."""

from __future__ import annotations

import streamlit as st

from app import lookup, pieces, session
from core.errors import InputError
from core.runs import store
from core.runs.run import Run
from core.runs.status import Phase, RunStatus

WIDTHS = [3.2, 1.7, 1.3, 1.1, 1.1, 2.2]
SHOWN = 25  # more on demand: every row holds three widgets


def page() -> None:
    """The list, or an invitation."""
    pieces.styled()
    found = store.list_runs()
    if not found:
        st.title("Past runs")
        pieces.invitation("No runs yet", "Each design is kept here with its problem, its course and its candidates.")
        return
    st.title("Past runs", anchor=False)
    headings()
    shown = st.session_state.get("runs_shown", SHOWN)
    for run in found[:shown]:
        row(run)
    if len(found) > shown and st.button(f"Show {min(SHOWN, len(found) - shown)} more", type="tertiary"):
        st.session_state["runs_shown"] = shown + SHOWN
        st.rerun()


def headings() -> None:
    """Names of the columns."""
    for column, text in zip(st.columns(WIDTHS), ("Problem", "Date", "State", "Best Tc", "Passing", ""), strict=True):
        column.caption(text)


def row(run: Run) -> None:
    """One run in one line."""
    status, summary = run.status(), summary_of(run)
    with st.container(key=f"run-{run.id.replace('.', '_')}"):
        cells = st.columns(WIDTHS, vertical_alignment="center")
        cells[0].html(what_html(run))
        cells[1].html(f"<span>{local_time(run)}</span>")
        label, colour, icon = pieces.PHASES[status.phase]
        cells[2].badge(label, color=colour, icon=icon)
        best, passing = summary.get("best_tc_K"), summary.get("n_passing")
        cells[3].html(f"<b>{best:.1f} K</b>" if best is not None else "–")
        cells[4].html(f"{passing:,}" if passing is not None else "–")
        with cells[5].container(horizontal=True, horizontal_alignment="right", gap="xsmall"):
            actions(run, status)


def what_html(run: Run) -> str:
    """The problem in words, or what is wrong with its file."""
    try:
        return pieces.title_html(run.problem())
    except InputError:
        return "(its problem.json cannot be read)"


def summary_of(run: Run) -> dict:
    """The summary of a finished run; empty before."""
    try:
        return run.summary()
    except (FileNotFoundError, ValueError):
        return {}


def local_time(run: Run) -> str:
    """When it was created, by the clock of the browser."""
    return f"{run.created().astimezone(pieces.local_zone()):%d %b %Y, %H:%M}"


def actions(run: Run, status: RunStatus) -> None:
    """Open, copy, delete."""
    if st.button("Open", key=f"open-{run.id}", icon=":material/open_in_new:"):
        session.open_run(run.id, "results" if status.phase is Phase.FINISHED else "run")
    if st.button("", key=f"copy-{run.id}", icon=":material/content_copy:", help="Copy the problem to the design page"):
        copy(run)
    if st.button("", key=f"delete-{run.id}", icon=":material/delete:", help="Delete this run"):
        confirm_delete(run)


def copy(run: Run) -> None:
    """The problem of this run on the design page."""
    try:
        session.load_problem(run.problem())
    except InputError as error:
        st.error(error.message)
        return
    session.open_design()


@st.dialog("Delete this run?")
def confirm_delete(run: Run) -> None:
    """Deleting cannot be undone."""
    st.html(f"{what_html(run)}, {local_time(run)}")
    st.caption("Its problem, course and candidates are removed from the disk. This cannot be undone.")
    with st.container(horizontal=True):
        if st.button("Delete", icon=":material/delete:", key="delete_yes"):
            lookup.executor().cancel(run)
            try:
                store.delete(run)
            except InputError as error:  # the worker could not be ended
                st.error(error.message)
                return
            st.rerun()
        if st.button("Keep", key="delete_no"):
            st.rerun()


page()
