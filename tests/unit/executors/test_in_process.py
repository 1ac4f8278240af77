"""A run in the calling process: status, errors, and folders that are refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from filelock import FileLock

from core.errors import InputError
from core.executors.in_process import InProcessExecutor
from core.executors.local_process import LocalProcessExecutor
from core.runs import layout, store
from core.runs.run import Run
from core.runs.status import Phase, RunStatus
from tests.unit.runs.sample import ENDLESS, SMALL, unchecked_run

pytestmark = pytest.mark.usefixtures("runs_folder")


def test_submit_returns_when_the_run_has_ended_and_shows_every_status():
    shown: list[RunStatus] = []
    executor = InProcessExecutor(shown.append)
    run = store.create(SMALL)
    executor.submit(run)
    assert executor.poll(run) == executor.wait(run) == shown[-1] and executor.capacity() == 1
    assert [status.phase for status in shown][-2:] == [Phase.SCREENING, Phase.FINISHED]
    assert shown[0].phase is Phase.RUNNING
    before = (run.folder / layout.CSV).stat().st_mtime_ns
    executor.submit(run)  # a finished run is not done again
    assert (run.folder / layout.CSV).stat().st_mtime_ns == before


def test_a_run_can_be_cancelled_at_work():
    def cancel_in_stage_1(status: RunStatus) -> None:
        if status.step > 3:
            (run.folder / layout.CANCEL).touch()

    run = store.create(ENDLESS)
    executor = InProcessExecutor(cancel_in_stage_1)
    executor.submit(run)
    assert executor.poll(run).phase is Phase.CANCELLED and not (run.folder / layout.CANCEL).exists()


def test_a_failed_run_has_a_message_without_traceback(runs_folder):
    absent = "mps" if torch.cuda.is_available() else "cuda"
    run = unchecked_run(runs_folder / "no-such-device", replace(SMALL, device=absent))
    InProcessExecutor().submit(run)
    status = run.status()
    assert status.phase is Phase.FAILED and status == run.stored_status()
    assert "not available here" in status.message and "Traceback" not in status.message
    assert "Traceback" in (run.folder / layout.LOG).read_text()


def test_a_missing_checkpoint_fails_with_the_remedy(runs_folder):
    run = unchecked_run(runs_folder / "no-such-predictor", replace(SMALL, tc_predictor="nonesuch"))
    InProcessExecutor().submit(run)
    assert "python -m core train nonesuch" in run.status().message


def test_a_run_with_a_worker_is_refused():
    run = store.create(SMALL)
    with FileLock(run.folder / layout.LOCK), pytest.raises(InputError, match="already"):
        InProcessExecutor().submit(run)


def test_a_folder_without_a_problem_is_no_run(tmp_path):
    with pytest.raises(InputError, match=r"no problem\.json"):
        InProcessExecutor().submit(Run(tmp_path))


@pytest.mark.parametrize("executor", [InProcessExecutor(), LocalProcessExecutor()], ids=lambda e: type(e).__name__)
def test_a_run_can_be_cancelled_before_its_start(executor):
    run = store.create(SMALL)
    executor.cancel(run)
    assert executor.poll(run).phase is Phase.CANCELLED
