"""The next step after a run that did not beat its base: a larger search, or another base."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from app.state import session
from core.problem.problem import DesignProblem
from core.problem.settings import MAX_CANDIDATES, MAX_STEPS

MORE_CANDIDATES, MORE_STEPS = 4, 2  # times as many


def next_steps(problem: DesignProblem, verdict: str) -> None:
    """Say that the base is not beaten, and offer what to do next. verdict : see `core.evaluation.headline`"""
    larger = larger_search(problem)
    with st.container(border=True, key="next_steps"):
        st.html(f'<p class="verdict">{verdict} {advice_text(problem, larger)}</p>')
        with st.container(horizontal=True):
            if larger is not None and st.button("Larger search", icon=":material/zoom_out_map:", key="larger_search"):
                session.load_problem(larger)
                session.open_design()
            if st.button("Another base", icon=":material/search:", key="another_base"):
                session.load_problem(problem)
                session.open_design()


def larger_search(problem: DesignProblem) -> DesignProblem | None:
    """The problem with more candidates and steps, within their limits; None if it is as large as possible."""
    settings = problem.settings
    times = min(MORE_STEPS, MAX_STEPS / sum(settings.steps))
    steps = tuple(int(n * times) for n in settings.steps)
    larger = replace(settings, candidates=min(MORE_CANDIDATES * settings.candidates, MAX_CANDIDATES), steps=steps)
    return None if larger == settings else replace(problem, settings=larger)


def advice_text(problem: DesignProblem, larger: DesignProblem | None) -> str:
    """The suggestion in words. larger : the larger search, if there is one"""
    if larger is None:
        return "Next: another base."
    now, more = problem.settings, larger.settings
    return (
        f"Next: a larger search ({more.candidates:,} candidates and {sum(more.steps):,} steps instead of "
        f"{now.candidates:,} and {sum(now.steps):,}), or another base."
    )
