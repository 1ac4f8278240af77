"""The card of the selected candidate, beside the scatter plot: its name and its tabs."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence

import pandas as pd
import streamlit as st

from app.blocks import guarded
from app.results.candidate_card.charges import charges
from app.results.candidate_card.overview import overview
from app.results.candidate_card.stability import stability
from app.results.candidate_card.structures import structures
from app.results.candidate_card.take_home import take_home
from app.results.candidate_card.trajectory import trajectory
from app.results.candidate_card.what_if import what_if
from app.star_and_note import star_and_note
from app.text.formatting import times
from app.text.html import formula_html
from core.problem.problem import DesignProblem
from core.runs.run import Run
from core.screening.registry import find_screen

TABS = "candidate.tabs"  # the label of the open tab, in the session


def candidate_card(
    run: Run, problem: DesignProblem, row: pd.Series, summary: Mapping, best: Sequence[str] = ()
) -> None:
    """Everything that is known about a candidate.

    row : its row of the candidate table; best : the formulas of the best candidates
    """
    under = (
        f"Rank {row['rank']:,} · {screening_text(row['failed_screen'])} · {html.escape(row['family'])} · "
        f"found {times(row['times_found'])}"
    )
    tabs = {
        "Overview": lambda: overview(run.id, problem, row, summary),
        "Charges": lambda: charges(row, problem.charge_rule, problem),
        "Stability": lambda: stability(row, problem),
        "Structures": lambda: structures(row["formula"], run, best),
        "What if": lambda: what_if(problem, row),
        "Trajectory": lambda: trajectory(run, problem, row),
        "Take home": lambda: take_home(run, row),
    }
    tabbed_card(row["formula"], under, tabs, lambda: star_and_note(row["formula"]))


@st.fragment
@guarded
def tabbed_card(
    formula: str, under_html: str, tabs: Mapping[str, Callable[[], None]], beside: Callable[[], None] = lambda: None
) -> None:
    """A bordered card: the formula, a line under it, and tabs, of which only the open one is drawn.

    The card is drawn again alone when another tab is opened.

    tabs : label -> what draws the tab; beside : draws what stands beside the formula
    """
    with st.container(border=True, key="candidate"):
        with st.container(horizontal=True, vertical_alignment="top"):
            st.html(f'<h2 class="candidate-name">{formula_html(formula)}</h2><p class="under">{under_html}</p>')
            guarded(beside)()
        for tab, draw in zip(st.tabs(list(tabs), key=TABS, on_change="rerun"), tabs.values(), strict=True):
            if tab.open:
                with tab:
                    draw()


def screening_text(failed: str) -> str:
    """Whether a candidate passes. failed : name of the first screen that it fails, as stored; empty if it passes"""
    if not failed:
        return "passes every screen"
    screen = find_screen(failed)
    return f"fails the screen “{screen.label if screen else failed}”"
