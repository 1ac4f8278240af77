"""The worker as the command `run` starts it: signals and turns."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from core.executors.worker import work
from core.paths import PROJECT
from core.runs import layout, store
from core.runs.ownership import worker_pid
from core.runs.status import Phase, RunStatus
from tests.unit.runs.sample import ENDLESS, SMALL

pytestmark = pytest.mark.usefixtures("runs_folder")


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_interrupts_the_run_and_the_handlers_are_restored(number):
    before, sent = signal.getsignal(number), []

    def send_in_stage_1(status: RunStatus) -> None:
        if status.step > 0 and not sent:  # a second signal ends the process at once
            sent.append(number)
            os.kill(os.getpid(), number)

    run = store.create(ENDLESS)
    status = work(run.folder, take_turns=False, on_status=send_in_stage_1)
    assert status.phase is Phase.INTERRUPTED and status == run.stored_status()
    assert (run.folder / layout.RESUME).exists() and worker_pid(run.folder) == os.getpid()
    assert signal.getsignal(number) is before


@pytest.mark.parametrize("take_turns", [True, False])
def test_a_worker_that_takes_turns_gives_way_to_pages(monkeypatch, take_turns):
    lowered = []
    monkeypatch.setattr("core.processors.give_way", lambda: lowered.append(True))
    run = store.create(SMALL)
    assert work(run.folder, take_turns).phase is Phase.FINISHED
    assert bool(lowered) == take_turns


def test_a_worker_imports_no_torch_before_its_turn():
    code = "import sys, core.executors.worker; print('torch' in sys.modules, 'core.runs.execute' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
