"""The next step after a run that did not beat its base: a larger search, or another base."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from app.state import session
from core.generation.registry import generator_of, registration, settings_of_method
from core.problem.problem import DesignProblem
from core.problem.settings import MAX_CANDIDATES, MAX_STEPS

MORE_CANDIDATES, MORE_STEPS, MORE_ROUNDS = 4, 2, 4  # times as many


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
    """The problem with more candidates and steps, or a longer search; None if it is as large as possible."""
    method = registration(problem.method)
    if any(setting.lengthens for setting in method.own_settings):
        return _longer_search(problem)
    settings = problem.settings
    times = min(MORE_STEPS, MAX_STEPS / sum(settings.steps)) if "steps" in method.settings else 1
    steps = tuple(int(n * times) for n in settings.steps)
    larger = replace(settings, candidates=min(MORE_CANDIDATES * settings.candidates, MAX_CANDIDATES), steps=steps)
    return None if larger == settings else replace(problem, settings=larger)


def _longer_search(problem: DesignProblem) -> DesignProblem | None:
    """The problem with larger values of the settings of its method that lengthen the search."""
    values = settings_of_method(problem)
    longer = {
        setting.name: min(MORE_ROUNDS * values[setting.name], int(setting.high))
        for setting in registration(problem.method).own_settings if setting.lengthens
    }  # fmt: skip
    if all(value == values[name] for name, value in longer.items()):
        return None
    return replace(problem, method_settings={**problem.method_settings, **longer})


def advice_text(problem: DesignProblem, larger: DesignProblem | None) -> str:
    """The suggestion in words. larger : the larger search, if there is one"""
    if larger is None:
        return "Next: another base."
    return f"Next: a larger search ({_size_text(larger)} instead of {_size_text(problem)}), or another base."


def _size_text(problem: DesignProblem) -> str:
    schedule, method = generator_of(problem).schedule(problem), registration(problem.method)
    if method.keeps_archive:
        return f"{schedule.steps:,} {method.steps_are}"
    return f"{schedule.candidates:,} {method.candidates_are} and {schedule.steps:,} {method.steps_are}"
