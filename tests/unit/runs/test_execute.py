"""Execution of a run: a run stopped at any step and resumed ends with the same files."""

from __future__ import annotations

import pytest

from core.evaluation import design
from core.executors.in_process import InProcessExecutor
from core.generation.gradient import optimiser
from core.runs import execute, layout, store
from core.runs.status import Phase
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
