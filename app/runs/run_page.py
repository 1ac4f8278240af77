"""The page of a run in progress: status, live charts, the best compositions. The page only reads the run's folder."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from app import blocks, cached_data
from app.blocks import section
from app.charts import CHART_CONFIG, LIVE_PX, PREDICTED, QUANTITIES, archive_figure, progress_figure, validity_figure
from app.empty_page import no_run
from app.runs.best_five import best_five
from app.runs.change_problem import change_button
from app.runs.damage_block import damage_block, rebuilt_note
from app.runs.deletion import problem_html
from app.runs.diffusion_samples import samples_at_steps
from app.runs.member_average import averaged
from app.runs.phases import status_html
from app.runs.progress_html import archive_legend_html, legend_html, progress_bar_html
from app.state import session
from app.text.problem_title import settings_text, title_html
from core.errors import InputError
from core.generation.registry import registration
from core.problem.problem import DesignProblem
from core.runs import index, store
from core.runs.run import Run
from core.runs.status import ACTIVE, WITH_RESULT, Phase, RunStatus

ROUNDS_OF_A_CURVE = 3  # fewest that are drawn while a search goes on
STATUS_S, PROGRESS_S = 1.0, 4.0  # between two updates; drawing charts takes time from the run on the same cores


def page() -> None:
    """The run named in the URL, or an invitation to design."""
    run = session.current_run()
    if run is None:
        text = "Choose a known superconductor, choose the elements to allow, and press Run."
        no_run("No run yet", text, session.missing_run())
        return
    rebuilt_note(run)
    active = run.status().phase in ACTIVE
    if not active and run.damages():
        st.html(f'<h1 class="page-title">{problem_html(run)}</h1><p class="under">{run.id}</p>')
        damage_block(run)
        return
    problem = run.problem()
    st.html(f'<h1 class="page-title">{title_html(problem)}</h1><p class="under">{settings_text(problem)}</p>')
    # While the run is active, a timer redraws the two fragments, not the page; afterwards nothing is redrawn.
    waiting = active and not run.has_progress()
    draw_status, draw_progress = blocks.guarded(status_block), blocks.guarded(progress_block)
    st.fragment(draw_status, run_every=STATUS_S if active else None)(run, problem, active, waiting)
    st.fragment(draw_progress, run_every=PROGRESS_S if active else None)(run, problem)


def status_block(run: Run, problem: DesignProblem, was_active: bool, was_waiting: bool) -> None:
    """Status, progress bar, and the actions that the status allows."""
    status = run.status()
    if was_active and status.phase not in ACTIVE:
        st.rerun()  # the whole page, this time without the timer
    if was_waiting and run.has_progress():
        st.rerun()  # the first step is shown at once, not with the next update of the charts
    left, right = st.columns([3, 1], vertical_alignment="center")
    with left:
        position = queue_position(run) if status.phase is Phase.QUEUED else 1
        schedule, steps_are = run.schedule(), registration(problem.method).steps_are
        text = status_html(status, position, steps_are, len(schedule.stages))
        st.html(f'<p class="state" role="status">{text}</p>')
        st.html(progress_bar_html(status, schedule))
    with right.container(horizontal=True, horizontal_alignment="right"):
        actions(run, status)
    if status.phase is Phase.FAILED:
        blocks.error(status.message or "The worker exited without an error message.")


def queue_position(run: Run) -> int:
    """1 if the run starts next."""
    created = run.created().isoformat()
    active = [entry.id for entry in index.entries() if entry.phase in ACTIVE and entry.created < created]
    runs = [found for run_id in active if (found := store.get(run_id)) is not None]
    before = [found for found in runs if found.status().phase in ACTIVE]
    return max(1, len(before) - cached_data.executor().capacity() + 2)


def actions(run: Run, status: RunStatus) -> None:
    """Buttons for the actions that the status allows."""
    executor = cached_data.executor()
    if status.phase in ACTIVE:
        if status.phase is Phase.RUNNING and can_stop(run) and st.button(
            "Stop and keep", icon=":material/stop:", key="stop",
            help="Round and screen the candidates so far, like those of a finished run; it can be continued later",
        ):  # fmt: skip
            done(executor.stop, run)
        cancel = st.button("Cancel", icon=":material/close:", key="cancel", help="Stop without results")
        if cancel and done(executor.cancel, run):
            st.rerun()
        return
    if status.phase in WITH_RESULT and st.button(
        "See results", type="primary", icon=":material/arrow_forward:", key="see_results"
    ):
        session.open_run(run, "results")
    if status.phase is not Phase.FINISHED:
        resume_actions(run, status)


def resume_actions(run: Run, status: RunStatus) -> None:
    """Buttons of a run that ended before its last step."""
    executor = cached_data.executor()
    label, kind = "Try again" if status.phase is Phase.FAILED else "Resume", "primary"
    if status.phase is Phase.STOPPED:
        label, kind = "Continue", "secondary"
    resume = st.button(label, type=kind, icon=":material/play_arrow:", key="resume")
    if resume and done(executor.submit, run):
        st.rerun()
    keeps = status.phase in (Phase.CANCELLED, Phase.INTERRUPTED) and can_stop(run) and run.has_resume_point()
    keep = keeps and st.button("Keep", icon=":material/filter_alt:", key="keep", help="Round and screen the candidates "
                               "at the last stored step")  # fmt: skip
    if keep and done(executor.stop, run):
        st.rerun()
    change_button(run)


def can_stop(run: Run) -> bool:
    """Whether the run can stop before its last step with a result."""
    return registration(run.problem().method).can_stop


def done(action: Callable[[Run], None], run: Run) -> bool:
    """Whether an action on the run succeeded; its error is shown."""
    try:
        action(run)
    except InputError as error:
        blocks.error(error.message)
        return False
    return True


def progress_block(run: Run, problem: DesignProblem) -> None:
    """The charts, the best compositions of the last step, and the number of restarted candidates."""
    method, status = registration(problem.method), run.status()
    if method.keeps_archive:
        archive_charts(run, status)
        best_five(run, status)
        return
    if method.optimises:
        progress_charts(run, problem)
    left, right = st.columns([2, 1], gap="large")
    with left:
        best_five(run, status)
        samples_at_steps(run)
    if method.optimises:
        with right:
            restarts(status)


def archive_charts(run: Run, status: RunStatus) -> None:
    """The objective of the best formulas against the number tested, and Tc and formation energy of those kept.

    In the first rounds there is only room for the charts, because a browser needs seconds for the first chart, and
    shows the first formulas only afterwards.
    """
    progress, schedule = run.progress(), run.schedule()
    st.html(archive_legend_html())
    if status.phase in ACTIVE and len(progress) < ROUNDS_OF_A_CURVE:
        st.container(height=LIVE_PX, border=False)
        return
    objective, *others = st.columns(1 + len(PREDICTED))
    text = "Objective of the best 30 formulas against the number of formulas tested"
    objective.plotly_chart(archive_figure(run.archive()), key="live-archive", config=CHART_CONFIG, alt=text)
    for column, name in zip(others, PREDICTED, strict=True):
        text = f"{QUANTITIES[name].title} of the formulas kept against the round"
        figure = progress_figure(progress, name, schedule, axis="round")
        column.plotly_chart(figure, key=f"live-{name}", config=CHART_CONFIG, alt=text)


def progress_charts(run: Run, problem: DesignProblem) -> None:
    """Tc, formation energy and integer loss against the step; of a diffusion also the share of valid samples."""
    progress, cycle = averaged(run, problem, run.progress())
    validity = run.validity()
    st.html(legend_html(cycle))
    columns = st.columns(len(QUANTITIES) + (not validity.empty))
    for column, (name, quantity) in zip(columns, QUANTITIES.items(), strict=False):
        column.plotly_chart(
            progress_figure(progress, name, run.schedule()),
            key=f"live-{name}",
            config=CHART_CONFIG,
            alt=f"{quantity.title} of the candidates against the step",
        )
    if not validity.empty:
        with columns[-1]:
            st.plotly_chart(
                validity_figure(validity, run.schedule()), key="live-valid", config=CHART_CONFIG,
                alt="Share of the samples that SuperDiff's filter lets pass, against the step",
            )  # fmt: skip


def restarts(status: RunStatus) -> None:
    """The number of restarted candidates."""
    section("Restarted")
    st.html(
        f'<p class="big"><b>{status.restarts:,}</b></p><p class="under">candidates failed (no positive fraction '
        "was left, or a value was not finite) and were restarted from a new initial composition.</p>"
    )
