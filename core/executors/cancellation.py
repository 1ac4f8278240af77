"""Cancellation of a run with a worker on this machine: by request first, then by killing the process."""

from __future__ import annotations

import os
import signal
import time

from core.runs import layout
from core.runs.ownership import has_worker, worker_pid
from core.runs.run import Run
from core.runs.status import ACTIVE, Phase, write_status

_CANCELLABLE = ACTIVE | {Phase.INTERRUPTED}
_GRACE_S = 1.5  # for the worker to stop on request
_KILL_S = 0.4  # for the system to free the lock of a killed worker
_POLL_S = 0.02


def cancel_run(run: Run) -> None:
    """Stop a run: within 2 s its status is CANCELLED and it has no worker. An ended run is not changed."""
    if run.status().phase not in _CANCELLABLE:
        return
    request = run.folder / layout.CANCEL
    request.touch()
    if not _worker_is_gone(run, _GRACE_S):
        _kill_worker(run)
    status = run.stored_status()
    if status.phase in _CANCELLABLE:
        write_status(run.folder, status.in_phase(Phase.CANCELLED))
    request.unlink(missing_ok=True)


def _worker_is_gone(run: Run, timeout_s: float) -> bool:
    """Wait until the run has no worker; false if it still has one after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while has_worker(run.folder):
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_S)
    return True


def _kill_worker(run: Run) -> None:
    """Kill the worker process, unless it is this process, and wait until the system has freed its lock."""
    pid = worker_pid(run.folder)
    if pid is None or pid == os.getpid():
        return
    try:
        os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    except (ProcessLookupError, PermissionError):
        return
    _worker_is_gone(run, _KILL_S)
