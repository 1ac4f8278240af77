"""The worker process of a run, as recorded in the folder of the run.

A worker holds the lock of its run from shortly after its start until it ends. Before it holds the lock, start.json
shows that it exists. A process is identified by machine, process namespace, process id and start time: another process
with the same id is never taken for the worker. A worker on another machine, or in another container, of which neither
lock nor process need be visible here, shows that it lives by the time of worker.json, which it renews.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from core.errors import InputError
from core.files import acquire_lock, is_locked, remove_partial_files, replace_by_file, storage_errors, write_json
from core.process_identity import ProcessIdentity, identity_of, this_process
from core.runs import layout
from core.runs.documents import START, WORKER

_STARTING_S = 20.0  # time for a new worker to import its modules and acquire the lock
LOCK_TIMEOUT_S = 2.0  # a reader that tests the lock holds it briefly
HEARTBEAT_S, SILENT_S = 5.0, 60.0  # a worker elsewhere that is silent for so long has ended; clocks may differ


@contextmanager
def owned(folder: Path) -> Generator[None]:
    """Hold the lock of a run, as its worker.

    Raises InputError if another worker holds it, StorageError if the folder cannot be written.
    """
    with storage_errors(folder):
        lock = acquire_lock(folder / layout.LOCK, LOCK_TIMEOUT_S)
        if lock is None or _works(folder):
            if lock is not None:
                lock.release()
            rule = f"another worker{_place(folder)} is already running this run"
            raise InputError("folder", folder, rule, "Wait, or cancel the run")
    stopped = threading.Event()
    try:
        with storage_errors(folder):
            remove_partial_files(folder)
            _write(folder, layout.WORKER, time.time(), this_process())
        threading.Thread(target=_renew, args=(folder, stopped), daemon=True).start()
        yield
    finally:
        stopped.set()
        with suppress(OSError):  # the lock is freed all the same
            _write(folder, layout.WORKER, time.time(), this_process(), ended=True)
        lock.release()


def has_worker(folder: Path) -> bool:
    """Whether a run has a worker: one that holds the lock, one elsewhere, or a new one that has no lock yet."""
    return is_locked(folder / layout.LOCK) or _works(folder) or _is_starting(folder)


def has_worker_elsewhere(folder: Path) -> bool:
    """Whether the worker of a run belongs to another machine or another process namespace."""
    process = worker_process(folder)
    return process is not None and not process.is_here() and _works(folder)


def was_started(folder: Path) -> bool:
    """Whether a worker was ever started for this run."""
    return (folder / layout.START).exists() or (folder / layout.WORKER).exists()


def record_start(folder: Path, time_s: float, pid: int | None) -> None:
    """Record that a worker is started at `time_s` (s since 1970), as process `pid` (None: not known yet)."""
    _write(folder, layout.START, time_s, None if pid is None else identity_of(pid))


def remove_obstacles(folder: Path) -> list[str]:
    """Remove what is no regular file and has the name of a file of a run, before a worker is started.

    Returns the names. Raises StorageError if one cannot be removed.
    """
    wrong = [name for name in layout.FILES if os.path.lexists(folder / name) and not (folder / name).is_file()]
    with storage_errors(folder):
        for name in wrong:
            replace_by_file(folder / name)
    return wrong


def forget_worker(folder: Path) -> None:
    """Remove the identity of the last worker, before another worker is started."""
    (folder / layout.WORKER).unlink(missing_ok=True)


def start_time_s(folder: Path) -> float:
    """Start time of the worker (s since 1970); the present time for a worker that was started by hand."""
    return START.content(folder).get("time", time.time())


def worker_process(folder: Path) -> ProcessIdentity | None:
    """The process of the last worker, from worker.json or else from start.json.

    None if neither names a process of this folder: a copied folder names the worker of the original.
    """
    for document in (WORKER, START):
        if note := document.content(folder):
            process = ProcessIdentity.from_json(note.get("process"))
            copied = note.get("folder") != str(folder.resolve())  # the same folder has other names elsewhere
            return None if process is not None and process.is_here() and copied else process
    return None


def worker_pid(folder: Path) -> int | None:
    """Process id of the last worker; None if it is not known."""
    process = worker_process(folder)
    return None if process is None else process.pid


def _write(folder: Path, name: str, time_s: float, process: ProcessIdentity | None, ended: bool = False) -> None:
    note: dict[str, object] = {"time": time_s, "pid": None, "process": None, "folder": str(folder.resolve())}
    if process is not None:
        note |= {"pid": process.pid, "process": process.to_json()}
    if ended:
        note["ended"] = True
    write_json(folder / name, note, private=True)


def _renew(folder: Path, stopped: threading.Event) -> None:
    """Renew the time of worker.json until the worker ends."""
    while not stopped.wait(HEARTBEAT_S):
        with suppress(OSError):
            os.utime(folder / layout.WORKER)


def _works(folder: Path) -> bool:
    """Whether worker.json names a worker that lives, whether or not its lock can be seen."""
    note = WORKER.content(folder)
    process = worker_process(folder)
    if process is None or not note or note.get("ended"):
        return False
    if process.is_here():  # of this process the lock tells
        return process.pid != os.getpid() and process.exists()
    with suppress(OSError):
        return abs(time.time() - (folder / layout.WORKER).stat().st_mtime) < SILENT_S
    return False


def _place(folder: Path) -> str:
    process = worker_process(folder)
    return "" if process is None or process.is_here() else f" on {process.host.partition(' ')[0]}"


def _is_starting(folder: Path) -> bool:
    note = START.content(folder)
    if not note or (folder / layout.WORKER).exists() or not 0 <= time.time() - note["time"] < _STARTING_S:
        return False
    process = ProcessIdentity.from_json(note.get("process"))
    if process is None:
        return note["pid"] is None
    return process.exists() if process.is_here() else True
