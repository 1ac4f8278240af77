"""A worker that does not stop on request is killed; a process that only has its id is not."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import asdict, replace

import pytest

from core.errors import InputError
from core.executors import cancellation
from core.executors.cancellation import cancel_run
from core.files import is_locked, write_json
from core.process_identity import ProcessIdentity, identity_of
from core.runs import layout
from core.runs.status import Phase, RunStatus, write_status
from tests.unit.runs.sample import SMALL, unchecked_run, wait_until

HOLD = "import sys, time; from filelock import FileLock as L; l = L(sys.argv[1]); l.acquire(); time.sleep(600)"


@pytest.fixture
def deaf(runs_folder):
    """A run whose lock is held by a process that ignores requests, and this process."""
    run = unchecked_run(runs_folder / "deaf", SMALL)
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(run.folder / layout.LOCK)])
    write_status(run.folder, RunStatus(Phase.SCREENING, 2, 34, 34))
    wait_until(lambda: is_locked(run.folder / layout.LOCK))
    yield run, process
    process.kill()
    process.wait()


def note(run, process: ProcessIdentity) -> dict:
    return {"time": time.time(), "pid": process.pid, "process": asdict(process), "folder": str(run.folder)}


def test_a_worker_that_ignores_the_request_is_killed(deaf):
    run, process = deaf
    write_json(run.folder / layout.WORKER, note(run, identity_of(process.pid)))
    assert run.status().phase is Phase.SCREENING
    cancel_run(run)
    assert run.status().phase is Phase.CANCELLED and not (run.folder / layout.CANCEL).exists()
    assert process.wait(30) != 0


@pytest.mark.parametrize("changed", [{"started": "1"}, {"host": "elsewhere"}, {"namespace": "pid:[1]"}, None])
@pytest.mark.parametrize("file", [layout.WORKER, layout.START])
def test_a_foreign_process_is_never_killed(deaf, file, changed, monkeypatch):
    """Same process id, but another start time, machine or namespace; or an id alone, as earlier versions wrote it."""
    monkeypatch.setattr(cancellation, "_GRACE_S", 0.1)
    run, process = deaf
    content = note(run, replace(identity_of(process.pid), **(changed or {})))
    if changed is None:
        del content["process"]
    write_json(run.folder / file, content)
    with pytest.raises(InputError, match="asked to stop"):
        cancel_run(run)
    assert process.poll() is None and (run.folder / layout.CANCEL).exists()
    assert run.stored_status().phase is Phase.SCREENING
    (run.folder / file).unlink()  # a worker elsewhere would still count as alive


def test_a_recent_start_of_a_foreign_process_without_a_lock_is_no_worker(runs_folder):
    run = unchecked_run(runs_folder / "lost", SMALL)
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        write_status(run.folder, RunStatus(Phase.RUNNING, 1, 3, 34))
        write_json(run.folder / layout.START, {"time": time.time(), "pid": process.pid})
        cancel_run(run)
        assert run.status().phase is Phase.CANCELLED and process.poll() is None
    finally:
        process.kill()
        process.wait()
