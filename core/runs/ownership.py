"""The worker process of a run, as recorded in the folder of the run.

A worker holds the lock of its run from shortly after its start until it ends. Before it holds the lock, start.json
with its process id shows that it exists.
"""

from __future__ import annotations

import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from core.errors import InputError
from core.files import acquire_lock, is_locked, read_json, remove_partial_files, write_json
from core.runs import layout

_STARTING_S = 20.0  # time for a new worker to import its modules and acquire the lock
LOCK_TIMEOUT_S = 2.0  # a reader that tests the lock holds it briefly


@contextmanager
def owned(folder: Path) -> Generator[None]:
    """Hold the lock of a run, as its worker. Raises InputError if another worker holds it."""
    lock = acquire_lock(folder / layout.LOCK, LOCK_TIMEOUT_S)
    if lock is None:
        raise InputError("folder", folder, "another worker is already running this run", "Wait, or cancel the run")
    try:
        remove_partial_files(folder)
        write_json(folder / layout.WORKER, {"time": time.time(), "pid": os.getpid()})
        yield
    finally:
        lock.release()


def has_worker(folder: Path) -> bool:
    """Whether a run has a worker: one that holds the lock, or a new one that has not acquired it yet."""
    return is_locked(folder / layout.LOCK) or _is_starting(folder)


def was_started(folder: Path) -> bool:
    """Whether a worker was ever started for this run."""
    return (folder / layout.START).exists() or (folder / layout.WORKER).exists()


def record_start(folder: Path, time_s: float, pid: int | None) -> None:
    """Record that a worker is started at `time_s` (s since 1970), as process `pid` (None: not known yet)."""
    write_json(folder / layout.START, {"time": time_s, "pid": pid})


def forget_worker(folder: Path) -> None:
    """Remove the process id of the last worker, before another worker is started."""
    (folder / layout.WORKER).unlink(missing_ok=True)


def start_time_s(folder: Path) -> float:
    """Start time of the worker (s since 1970); the present time for a worker that was started by hand."""
    return (read_json(folder / layout.START) or {}).get("time", time.time())


def worker_pid(folder: Path) -> int | None:
    """Process id of the last worker, from worker.json or else from start.json; None if neither gives it."""
    return (read_json(folder / layout.WORKER) or read_json(folder / layout.START) or {}).get("pid")


def _is_starting(folder: Path) -> bool:
    note = read_json(folder / layout.START)
    if note is None or (folder / layout.WORKER).exists() or not 0 <= time.time() - note["time"] < _STARTING_S:
        return False
    return note["pid"] is None or _process_exists(note["pid"])


def _process_exists(pid: int) -> bool:
    if os.name != "posix":  # on Windows signal 0 would end the process
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
