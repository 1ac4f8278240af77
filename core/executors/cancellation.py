"""Cancellation of a run: by request first, then, for a worker on this machine, by killing the process."""

from __future__ import annotations

import time

from core.errors import InputError
from core.files import PRIVATE_FILE, is_locked, storage_errors
from core.runs import layout
from core.runs.ownership import has_worker, has_worker_elsewhere, worker_process
from core.runs.run import Run
from core.runs.status import ACTIVE, Phase, write_status

_CANCELLABLE = ACTIVE | {Phase.INTERRUPTED}
_GRACE_S = 1.5  # for the worker to stop on request
_KILL_S = 1.0  # for the system to free the lock of a killed worker
_POLL_S = 0.02


def cancel_run(run: Run) -> None:
    """Stop a run: within 2 s its status is CANCELLED and it has no worker. An ended run is not changed.

    Only the process that holds the run is ever killed, see `core.process_identity`. A worker on another machine or in
    another container is asked by the file `cancel`, and stops at its next step.

    Raises InputError if the worker goes on for now, StorageError if the folder cannot be written.
    """
    if run.stored_status().phase not in _CANCELLABLE and not has_worker(run.folder):
        return
    request = run.folder / layout.CANCEL
    with storage_errors(run.folder):
        request.touch(PRIVATE_FILE)
        if not _worker_is_gone(run, _GRACE_S) and not _kill_worker(run) and not _only_announced(run):
            where = " on another machine or in another container" if has_worker_elsewhere(run.folder) else ""
            rule = f"its worker{where} has been asked to stop, and has not stopped yet"
            raise InputError("folder", run.folder, rule, "Wait a few seconds: it stops at its next step")
        status = run.stored_status()
        if status.phase in _CANCELLABLE:
            write_status(run.folder, status.in_phase(Phase.CANCELLED))
        if not has_worker(run.folder):
            request.unlink(missing_ok=True)  # otherwise the announced worker stops when it begins


def _worker_is_gone(run: Run, timeout_s: float) -> bool:
    """Wait until the run has no worker; false if it still has one after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while has_worker(run.folder):
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_S)
    return True


def _only_announced(run: Run) -> bool:
    """Whether the worker is one that was announced a few seconds ago and has not begun."""
    return worker_process(run.folder) is None and not is_locked(run.folder / layout.LOCK)


def _kill_worker(run: Run) -> bool:
    """Kill the worker process, unless it is this process; whether the run then has no worker."""
    process = worker_process(run.folder)
    return process is not None and process.kill() and _worker_is_gone(run, _KILL_S)
