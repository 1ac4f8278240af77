"""A worker that does not stop on request is killed."""

from __future__ import annotations

import subprocess
import sys
import time

from core.executors.cancellation import cancel_run
from core.files import is_locked, write_json
from core.runs import layout
from core.runs.status import Phase, RunStatus, write_status
from tests.unit.runs.sample import SMALL, unchecked_run, wait_until


def test_a_worker_that_ignores_the_request_is_killed(runs_folder):
    run = unchecked_run(runs_folder / "deaf", SMALL)
    hold = "import sys, time; from filelock import FileLock as L; l = L(sys.argv[1]); l.acquire(); time.sleep(600)"
    process = subprocess.Popen([sys.executable, "-c", hold, str(run.folder / layout.LOCK)])
    try:
        write_json(run.folder / layout.WORKER, {"pid": process.pid})
        write_status(run.folder, RunStatus(Phase.SCREENING, 2, 34, 34))
        wait_until(lambda: is_locked(run.folder / layout.LOCK))
        assert run.status().phase is Phase.SCREENING
        began = time.monotonic()
        cancel_run(run)
        assert run.status().phase is Phase.CANCELLED and not (run.folder / layout.CANCEL).exists()
        assert time.monotonic() - began < 10
        assert process.wait(30) != 0
    finally:
        process.kill()
        process.wait()
