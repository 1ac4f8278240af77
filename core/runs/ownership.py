"""Which process works on a run, as its folder shows it.

A worker holds the lock of the run for as long as it lives. Between its start and the moment it takes the lock, a note
with its process id stands in for the lock.
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

_STARTING_S = 20.0  # a new worker has this long to import its modules and take the lock
LOCK_TIMEOUT_S = 2.0  # a reader that probes the lock may hold it for an instant


@contextmanager
def owned(folder: Path) -> Generator[None]:
    """Hold the lock of a run, as its worker. Raises InputError if another worker holds it."""
    lock = acquire_lock(folder / layout.LOCK, LOCK_TIMEOUT_S)
    if lock is None:
        raise InputError("folder", folder, "another worker is already at this run", "Wait, or cancel the run")
    try:
        remove_partial_files(folder)
        write_json(folder / layout.WORKER, {"time": time.time(), "pid": os.getpid()})
        yield
    finally:
        lock.release()


def has_worker(folder: Path) -> bool:
    """Whether the worker of a run lives, or was started a moment ago and has not taken the lock yet."""
    return is_locked(folder / layout.LOCK) or _is_starting(folder)


def was_started(folder: Path) -> bool:
    """Whether a worker was ever started for this run."""
    return (folder / layout.START).exists() or (folder / layout.WORKER).exists()


def record_start(folder: Path, time_s: float, pid: int | None) -> None:
    """Note that a worker is started at `time_s` (since 1970), as process `pid` (None: not known yet)."""
    write_json(folder / layout.START, {"time": time_s, "pid": pid})


def forget_worker(folder: Path) -> None:
    """Remove the process id of the last worker, before another worker is started."""
    (folder / layout.WORKER).unlink(missing_ok=True)


def start_time_s(folder: Path) -> float:
    """When the worker was started (s since 1970); now for a worker that was started by hand."""
    return (read_json(folder / layout.START) or {}).get("time", time.time())


def worker_pid(folder: Path) -> int | None:
    """Process id of the last worker: as the worker wrote it, or as noted at its start."""
    return (read_json(folder / layout.WORKER) or read_json(folder / layout.START) or {}).get("pid")


def _is_starting(folder: Path) -> bool:
    note = read_json(folder / layout.START)
    if note is None or (folder / layout.WORKER).exists() or not 0 <= time.time() - note["time"] < _STARTING_S:
        return False
    return note["pid"] is None or _process_exists(note["pid"])


def _process_exists(pid: int) -> bool:
    if os.name != "posix":  # there, signal 0 would end the process
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
