"""Stop and keep: at work, without a worker, and where there is nothing to keep."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.cli.main import main
from core.errors import InputError
from core.executors.in_process import InProcessExecutor
from core.executors.stopping import request_stop, withdraw_requests
from core.generation.registry import SUPERDIFF
from core.runs import layout, store
from core.runs.status import Phase, RunStatus
from tests.unit.runs.sample import ENDLESS, SMALL

pytestmark = pytest.mark.usefixtures("runs_folder")


def interrupted_run():
    """A run that was cancelled after a few steps."""

    def cancel(status: RunStatus) -> None:
        if status.step > 3:
            (run.folder / layout.CANCEL).touch()

    run = store.create(ENDLESS)
    InProcessExecutor(cancel).submit(run)
    return run


def test_a_run_at_work_stops_with_its_candidates():
    def stop(status: RunStatus) -> None:
        if status.step > 3 and status.phase is Phase.RUNNING:
            assert not request_stop(run)  # its worker carries it out

    run = store.create(ENDLESS)
    executor = InProcessExecutor(stop)
    executor.submit(run)
    status = executor.poll(run)
    assert status.phase is Phase.STOPPED and 3 < status.step < status.total_steps
    assert len(run.candidates()) and not (run.folder / layout.STOP).exists()
    executor.stop(run)  # it has a result already
    assert executor.poll(run) == status


def test_a_run_without_a_worker_keeps_the_candidates_of_its_resume_point(capsys):
    run = interrupted_run()
    step = run.status().step
    assert run.status().phase is Phase.CANCELLED
    assert main(["run", str(run.folder), "--keep"]) == 0
    assert (run.status().phase, run.status().step) == (Phase.STOPPED, step)
    assert f"stopped at step {step} of 4,000" in capsys.readouterr().out


def test_a_run_without_a_step_has_nothing_to_keep(capsys):
    run = store.create(SMALL)
    with pytest.raises(InputError, match="nothing to keep"):
        InProcessExecutor().stop(run)
    assert main(["run", str(run.folder), "--keep"]) != 0 and "nothing to keep" in capsys.readouterr().err


def test_a_method_without_formulas_before_its_end_is_refused():
    run = store.create(replace(SMALL, base="YBa2Cu3O7", method=SUPERDIFF))
    with pytest.raises(InputError, match="no formulas before its last step"):
        request_stop(run)


def test_requests_are_withdrawn():
    run = interrupted_run()
    assert request_stop(run)
    withdraw_requests(run)
    assert not (run.folder / layout.STOP).exists() and not (run.folder / layout.CANCEL).exists()
