"""The list of past runs: search, order, open, name, copy, delete.

The index orders all runs; those that are shown are read themselves.
"""

from __future__ import annotations

import hashlib

import streamlit as st

from app import blocks
from app.empty_page import invitation
from app.runs.deletion import confirm_delete, local_time, problem_html
from app.runs.listing import ORDERS, listed
from app.runs.naming import named_html, rename
from app.runs.phases import PHASE_LABELS
from app.state import session
from core.errors import InputError
from core.runs import index, store
from core.runs.names import names
from core.runs.run import Run
from core.runs.status import WITH_RESULT, Phase, RunStatus

WIDTHS = (3.2, 1.7, 1.3, 1.1, 1.1, 2.2)
HEADINGS = ("Problem", "Date", "Status", "Best candidate", "Passing", "")
PAGE_SIZE = 25  # more on request: every row holds three widgets
_N_SHOWN = "runs_shown"  # of the session


def page() -> None:
    """The list, or an invitation to design."""
    runs = index.entries()
    if not runs:
        st.title("Past runs")
        invitation("No runs yet", "Every run is kept here with its problem, its progress and its candidates.")
        return
    st.title("Past runs", anchor=False)
    named = names()
    runs = listed(runs, named, *search_fields())
    if not runs:
        st.caption("No run has these words in its name, base or id.")
        return
    for column, text in zip(st.columns(WIDTHS), HEADINGS, strict=True):
        column.caption(text)
    shown = st.session_state.get(_N_SHOWN, PAGE_SIZE)
    for entry in runs[:shown]:
        run = store.get(entry.id)
        if run is not None:  # not deleted in the meantime
            row(run, named.get(run.id, ""))
    if len(runs) > shown and st.button(f"Show {min(PAGE_SIZE, len(runs) - shown)} more", type="tertiary"):
        st.session_state[_N_SHOWN] = shown + PAGE_SIZE
        st.rerun()


def search_fields() -> tuple[str, str]:
    """The words to search for, and the order."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(
            "Search", placeholder="name, base or id", key="runs_search", bind="query-params", width=280
        )
        order = st.selectbox("Order", list(ORDERS), format_func=ORDERS.get, key="runs_order", bind="query-params",
                             width=200)  # fmt: skip
    return text or "", order


def row(run: Run, name: str) -> None:
    """One run in one line; a damaged one with what is wrong."""
    status, summary = run.status(), summary_of(run)
    key = hashlib.sha256(run.id.encode()).hexdigest()[:16]  # a.b and a_b are different runs, not different keys
    with st.container(key=f"run-{key}"):
        cells = st.columns(WIDTHS, vertical_alignment="center")
        cells[0].html(named_html(name, problem_html(run)))
        cells[1].html(f"<span>{local_time(run)}</span>")
        label = PHASE_LABELS[status.phase]
        cells[2].badge(label.text, color=label.colour)
        best, passing = summary.get("best_tc_K"), summary.get("n_passing")
        cells[3].html(f"<b>{best:.1f} K</b>" if best is not None else "–")
        cells[4].html(f"{passing:,}" if passing is not None else "–")
        with cells[5].container(horizontal=True, horizontal_alignment="right", gap="xsmall"):
            actions(run, status)
        if status.phase is Phase.DAMAGED:
            blocks.error(f"{run.id}: {status.message}")


def summary_of(run: Run) -> dict:
    """The summary of a finished run; empty for other runs."""
    try:
        return run.summary()
    except (FileNotFoundError, InputError):
        return {}


def actions(run: Run, status: RunStatus) -> None:
    """Open, name, copy, delete."""
    if st.button("Open", key=f"open-{run.id}", icon=":material/open_in_new:"):
        session.open_run(run, "results" if status.phase in WITH_RESULT else "run")
    if st.button("Name", key=f"name-{run.id}", icon=":material/edit:", help="Name this run"):
        rename(run)
    if st.button(
        "Copy", key=f"copy-{run.id}", icon=":material/content_copy:", help="Copy the problem to the design page"
    ):
        copy(run)
    if st.button("Delete", key=f"delete-{run.id}", icon=":material/delete:", help="Delete this run"):
        confirm_delete(run)


def copy(run: Run) -> None:
    """Go to the design page with the problem of this run."""
    try:
        session.load_problem(run.problem())
    except InputError as error:
        blocks.error(error.message)
        return
    session.open_design()
