"""Work of minutes or hours in the background: a folder, and a worker process that carries it out at low priority.

progress.json   state, what the worker does, and the error of work that failed
work.lock       locked while the worker exists; the system frees it however the worker ends
cancel          empty; asks the worker to stop
work.log        output of the worker
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core import processors
from core.errors import InputError, shown
from core.files import acquire_lock, is_locked, make_private_folder, open_private, read_json, storage_errors, write_json
from core.paths import PROJECT
from core.process_identity import ProcessIdentity, identity_of

PROGRESS, LOCK, CANCEL, LOG = "progress.json", "work.lock", "cancel", "work.log"
QUEUED, RUNNING, FINISHED, CANCELLED, FAILED, INTERRUPTED = (
    "queued", "running", "finished", "cancelled", "failed", "interrupted",
)  # fmt: skip
ACTIVE = (QUEUED, RUNNING)
Told = Callable[[str], None]
_POLL_S, _TOLD_EVERY_S = 0.3, 0.3
_GRACE_S, _KILL_S, _STOP_POLL_S = 1.2, 0.6, 0.02


@dataclass(frozen=True)
class WorkState:
    """The state of the work in a folder.

    state : QUEUED and so on; empty if there was none
    doing : what the worker does, in words; message : the error of work that failed
    """

    state: str = ""
    doing: str = ""
    message: str = ""

    @property
    def active(self) -> bool:
        """Whether a worker exists or is being started."""
        return self.state in ACTIVE


def state(folder: Path) -> WorkState:
    """The state of the work in a folder; INTERRUPTED if its worker has ended without a word."""
    note = read_json(folder / PROGRESS) or {}
    found = note.get("state", "")
    if found in ACTIVE and not _has_worker(folder, note):
        found = INTERRUPTED
    return WorkState(found, note.get("doing", ""), note.get("message", ""))


def start(folder: Path, arguments: Sequence[str], threads: int | None = None) -> None:
    """Start a worker, `python -m core` with these arguments, if there is none; returns at once.

    threads : of its numerical operations, if the environment does not say; None: as many as cores

    Raises StorageError if the folder cannot be written.
    """
    with storage_errors(folder):
        if state(folder).active:
            return
        (folder / CANCEL).unlink(missing_ok=True)
        with open_private(folder / LOG, "ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "core", *arguments],
                cwd=PROJECT, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
                env=({"OMP_NUM_THREADS": str(threads)} if threads else {}) | dict(os.environ),
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )  # fmt: skip
        write_progress(folder, QUEUED, pid=process.pid)
        threading.Thread(target=process.wait, daemon=True).start()  # otherwise the ended process remains in the table


def write_progress(folder: Path, state: str, doing: str = "", message: str = "", pid: int | None = None) -> None:
    """Write the state of the work. pid : of the worker; None: this process"""
    process = identity_of(os.getpid() if pid is None else pid).to_json()
    note = {"state": state, "doing": doing, "message": message, "process": process, "time": time.time()}
    write_json(folder / PROGRESS, note)


def cancel(folder: Path) -> None:
    """Stop the work: within 2 s it has no worker; what is finished stays. Raises InputError if it goes on for now."""
    if not state(folder).active:
        return
    with storage_errors(folder):
        (folder / CANCEL).touch()
        if not _gone(folder, _GRACE_S):
            process = ProcessIdentity.from_json((read_json(folder / PROGRESS) or {}).get("process"))
            if process is None or not process.kill() or not _gone(folder, _KILL_S):
                raise InputError("folder", folder, "its worker has been asked to stop, and has not stopped yet",
                                 "Wait a few seconds")  # fmt: skip
        if state(folder).state not in (FINISHED, FAILED):  # it has ended by itself meanwhile
            write_progress(folder, CANCELLED)
        (folder / CANCEL).unlink(missing_ok=True)


def _has_worker(folder: Path, note: Mapping) -> bool:
    if is_locked(folder / LOCK):
        return True
    process = ProcessIdentity.from_json(note.get("process"))
    return note.get("state") == QUEUED and process is not None and process.exists()  # it imports its modules


def _gone(folder: Path, timeout_s: float) -> bool:
    """Wait until the work has no worker; false if it still has one after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while _has_worker(folder, read_json(folder / PROGRESS) or {}):
        if time.monotonic() >= deadline:
            return False
        time.sleep(_STOP_POLL_S)
    return True


def carry_out(folder: Path, slot: Path, others: str, work: Callable[[Callable[[], bool], Told], bool]) -> str:
    """Carry out the work of a folder, as its worker; returns the last state.

    slot : file that is locked while the work runs, so that such works take turns on a machine
    others : what such a work is, in words, for the one that waits: "another search"
    work : gets what says whether to stop, and what is told in words; returns whether it has finished

    Raises InputError if another worker carries it out.
    """
    held = acquire_lock(folder / LOCK, 2.0)
    if held is None:
        raise InputError("folder", folder, "another worker carries out this work", "Wait, or cancel it")
    interrupted = threading.Event()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: interrupted.set())
    try:
        found, message = _in_turn(
            folder, slot, others, work, lambda: interrupted.is_set() or (folder / CANCEL).exists()
        )
        if found == CANCELLED and not (folder / CANCEL).exists():
            found = INTERRUPTED
        write_progress(folder, found, message=message)
        return found
    finally:
        held.release()


def _in_turn(
    folder: Path, slot: Path, others: str, work: Callable[[Callable[[], bool], Told], bool],
    should_stop: Callable[[], bool],
) -> tuple[str, str]:  # fmt: skip
    """State and error message at the end."""
    processors.give_way()
    write_progress(folder, QUEUED)
    make_private_folder(slot.parent)
    waits, held = False, None
    try:
        while not should_stop() and (held := acquire_lock(slot)) is None:
            if not waits:
                write_progress(folder, QUEUED, f"waits for {others}")
                waits = True
            time.sleep(_POLL_S)
        if held is None:
            return CANCELLED, ""
        return (FINISHED if work(should_stop, _Teller(folder)) else CANCELLED), ""
    except InputError as error:
        return FAILED, error.message
    except Exception as error:  # of any kind: the page must show it
        return FAILED, f"Unexpected error: {type(error).__name__}: {shown(error)}"
    finally:
        if held is not None:
            held.release()


class _Teller:
    """Writes what is being done into the progress, not too often."""

    def __init__(self, folder: Path):
        self._folder, self._written, self._writing = folder, 0.0, threading.Lock()

    def __call__(self, text: str) -> None:
        with self._writing:
            if time.monotonic() - self._written >= _TOLD_EVERY_S:
                write_progress(self._folder, RUNNING, text)
                self._written = time.monotonic()
