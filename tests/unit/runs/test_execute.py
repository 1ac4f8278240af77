"""Execution of a run: a run stopped at any step and resumed ends with the same files."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.evaluation import design
from core.executors.in_process import InProcessExecutor
from core.generation.gradient import optimiser
from core.runs import execute, layout, store
from core.runs.status import Phase
from tests.growing_generator import registered
from tests.unit.runs.sample import SMALL, assert_same_files

pytestmark = pytest.mark.usefixtures("runs_folder")


@pytest.fixture(scope="module")
def finished(carried_out, tmp_path_factory):
    """SMALL, carried out in this process without interruption."""
    return carried_out(SMALL, tmp_path_factory.mktemp("finished") / "run")


@pytest.mark.parametrize("step", [2, 20])
def test_a_run_stopped_at_any_step_ends_with_the_same_files(finished, step):
    run = store.create(SMALL)
    steps = iter(range(1, 1000))
    assert execute.execute(run, lambda: Phase.INTERRUPTED if next(steps) == step else None) is Phase.INTERRUPTED
    # Records after the resume point, as by a worker that was killed, must be dropped.
    with (run.folder / layout.PROGRESS).open("a") as file:
        file.write('{"step": 25}\n{"st')
    with (run.folder / layout.TRAJECTORY).open("ab") as file:
        file.write(bytes(1000))
    assert execute.execute(run, lambda: None) is Phase.FINISHED
    assert_same_files(run, finished)


def test_a_cancelled_run_writes_no_result():
    run = store.create(SMALL)
    steps = iter(range(1, 1000))
    # Asked after every step but the last one, and once more after the screens.
    assert execute.execute(run, lambda: Phase.CANCELLED if next(steps) == 34 else None) is Phase.CANCELLED
    assert not (run.folder / layout.CSV).exists() and (run.folder / layout.RESUME).exists()


@pytest.mark.parametrize("step", [2, 20])  # in stage 1, where most candidates have too many elements, and in stage 2
def test_a_stopped_run_keeps_its_candidates_and_continues_to_the_same_files(finished, step):
    run = store.create(SMALL)
    steps = iter(range(1, 1000))
    assert execute.execute(run, lambda: Phase.STOPPED if next(steps) >= step else None) is Phase.STOPPED
    status, kept = run.stored_status(), run.candidates()
    summary = run.summary()
    assert (status.phase, status.step, summary["status"], summary["step"]) == ("stopped", step, "stopped", step)
    assert 0 < len(kept) <= 8 and kept["n_elements"].max() <= SMALL.settings.max_elements and run.has_resume_point()
    assert execute.execute(run, lambda: None) is Phase.FINISHED
    assert_same_files(run, finished)


def test_a_stop_of_a_run_with_a_resume_point_does_no_step(finished):
    run = store.create(SMALL)
    steps = iter(range(1, 1000))
    execute.execute(run, lambda: Phase.INTERRUPTED if next(steps) == 20 else None)
    records = len(run.progress())
    assert execute.execute(run, lambda: Phase.STOPPED) is Phase.STOPPED
    assert run.stored_status().step == 20 and len(run.progress()) == records and len(run.candidates())


def test_a_method_without_formulas_before_its_end_is_not_stopped():
    with registered():
        run = store.create(replace(SMALL, base="MgB2", method="growing"))
        assert execute.execute(run, lambda: Phase.STOPPED) is Phase.FINISHED


def test_an_error_after_the_last_step_loses_no_step(finished, monkeypatch):
    def fail(*_):
        raise ZeroDivisionError("by zero")

    run = store.create(SMALL)
    executor = InProcessExecutor()
    with monkeypatch.context() as patch:
        patch.setattr(design, "finalize", fail)
        executor.submit(run)
    assert executor.poll(run).message == "Unexpected error: ZeroDivisionError: by zero"
    with monkeypatch.context() as patch:
        patch.setattr(optimiser, "step", fail)  # no step is left to do
        executor.submit(run)
    assert executor.poll(run).phase is Phase.FINISHED
    assert_same_files(run, finished)
