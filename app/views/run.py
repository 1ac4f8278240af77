"""A run while it works: progress, three live charts, the best of the moment. It only reads the run's folder."""

from __future__ import annotations

import streamlit as st

from app import lookup, pieces, plots, session
from app.summary import effective_settings
from core.problem.problem import DesignProblem
from core.problem.settings import SUBSTITUTION
from core.runs import store
from core.runs.run import Run
from core.runs.status import ACTIVE, Phase, RunStatus

STATE_S, COURSE_S = 1.0, 2.5  # between two looks; drawing charts takes time that the run on the same cores lacks


def page() -> None:
    """The run named in the URL, or an invitation."""
    pieces.styled()
    run = session.current_run()
    if run is None:
        what_to_do = "Choose a known superconductor, click the elements you allow, and press Run."
        pieces.no_run("No run yet", what_to_do, session.missing_run())
        return
    problem = run.problem()
    st.html(
        f'<h1 class="page-title">{pieces.title_html(problem)}</h1><p class="under">{pieces.settings_text(problem)}</p>'
    )
    # While the run lives, only the fragments run again, by the clock; when it has ended, nothing does.
    live = run.status().phase in ACTIVE
    st.fragment(state, run_every=STATE_S if live else None)(run, live)
    st.fragment(course, run_every=COURSE_S if live else None)(run)


def state(run: Run, live: bool) -> None:
    """Where the run stands, and what can be done about it."""
    status = run.status()
    if live and status.phase not in ACTIVE:
        st.rerun()  # the whole page, this time without the clock
    problem = run.problem()
    steps = effective_settings(problem).steps
    left, right = st.columns([3, 1], vertical_alignment="center")
    with left:
        st.html(f'<p class="state" role="status">{state_text(run, status)}</p>')
        st.html(pieces.progress_html(status, steps))
    with right.container(horizontal=True, horizontal_alignment="right"):
        actions(run, status)
    if status.phase is Phase.FAILED:
        st.error(status.message or "The worker exited without an error message.", icon=":material/error:")


def course(run: Run) -> None:
    """How it went so far."""
    problem = run.problem()
    if problem.method != SUBSTITUTION:  # there a candidate is looked at once: a point is no course
        charts(run, problem)
    best_now(run, run.status())


def state_text(run: Run, status: RunStatus) -> str:
    """Where the run stands, in words."""
    if status.phase is Phase.QUEUED:
        place = queue_place(run)
        starting = "<b>Starting</b> · loading the models"
        return starting if place == 1 else f"<b>Waiting</b> · {pieces.ordinal(place)} in line"
    at = f"step {status.step:,} of {status.total_steps:,}"
    spent = pieces.duration(status.elapsed_s)
    if status.phase is Phase.RUNNING:
        left = f" · about {pieces.duration(status.remaining_s)} left" if status.remaining_s is not None else ""
        return f"<b>Stage {status.stage}</b> · {at}{left}"
    return {
        Phase.SCREENING: "<b>Screening</b> · rounding to whole atoms, balancing charges, measuring the hull",
        Phase.FINISHED: f"<b>Finished</b> in {spent}",
        Phase.CANCELLED: f"<b>Cancelled</b> at {at}, after {spent}",
        Phase.INTERRUPTED: f"<b>Interrupted</b> at {at}; nothing is lost, it can go on from there",
        Phase.FAILED: f"<b>Failed</b> at {at}",
    }[status.phase]


def queue_place(run: Run) -> int:
    """1 if nothing is before this run."""
    before = [r for r in store.list_runs() if r.created() < run.created() and r.status().phase in ACTIVE]
    return max(1, len(before) - lookup.executor().capacity() + 2)


def actions(run: Run, status: RunStatus) -> None:
    """The one or two things that can be done now."""
    if status.phase in ACTIVE:
        if st.button("Cancel", icon=":material/stop:", key="cancel"):
            lookup.executor().cancel(run)
            st.rerun()
    elif status.phase is Phase.FINISHED:
        if st.button("See results", type="primary", icon=":material/arrow_forward:", key="see_results"):
            session.open_run(run.id, "results")
    else:
        again = "Try again" if status.phase is Phase.FAILED else "Resume"
        if st.button(again, type="primary", icon=":material/play_arrow:", key="resume"):
            lookup.executor().submit(run)
            st.rerun()
        if st.button("Change the problem", icon=":material/edit:", key="change"):
            session.load_problem(run.problem())
            session.open_design()


def charts(run: Run, problem: DesignProblem) -> None:
    """Tc, formation energy and integer loss against the step."""
    turns = lookup.turns(problem.tc_predictor, problem.formation_energy_predictor)
    progress = plots.averaged(run.progress(), turns)
    mean = f"<span>Tc and energy: mean of {turns} steps, a step for each member of the models</span>"
    st.html(
        '<div class="legend"><span><i class="best"></i>best</span><span><i class="median"></i>median</span>'
        f'<span><i class="band"></i>5–95 % of the candidates</span>{mean if turns > 1 else ""}</div>'
    )
    for column, quantity in zip(st.columns(3), plots.QUANTITIES, strict=True):
        column.plotly_chart(
            plots.progress_figure(progress, quantity, problem.settings.steps),
            key=f"live-{quantity}",
            config=plots.CHART_CONFIG,
            alt=f"{plots.QUANTITIES[quantity][0]} of the candidates against the step",
        )


def best_now(run: Run, status: RunStatus) -> None:
    """The five best compositions of the last step, and how many candidates were restarted."""
    top = run.top()
    left, right = st.columns([2, 1], gap="large")
    with left:
        pieces.section("Best five now" if status.phase in ACTIVE else "Best five at the end")
        if top:
            st.html(pieces.top_html(top))
            st.caption("Before rounding and screening: the highest predicted Tc, whatever else is wrong with them.")
        else:
            st.caption("They appear with the first steps.")
    with right:
        pieces.section("Restarted")
        st.html(
            f'<p class="big"><b>{status.restarts:,}</b></p><p class="under">candidates died (nothing positive was '
            "left, or a value was not finite) and began again from a fresh guess.</p>"
        )


page()
