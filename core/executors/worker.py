"""The worker of a run: it takes the run's lock, waits for its turn, does the work, and says how it ended.

Nothing heavy is imported before it is its turn, so that many waiting workers cost next to nothing.
"""

from __future__ import annotations

import os
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from filelock import FileLock, Timeout

from core.errors import InputError
from core.runs import store
from core.runs.store import Phase, Run, RunStatus

SLOTS = ".slots"  # beside the runs; run names begin with a letter or a digit
POLL_S = 0.3
_LOCK_S = 2.0  # a reader may hold the lock for an instant
_NICENESS = 5

Asked = Callable[[], Phase | None]
Show = Callable[[RunStatus], None]


def work(folder: Path, wait: bool = True, show: Show | None = None) -> RunStatus:
    """Do a run, or go on with it, in this process; returns how it ended. A finished run is left as it is.

    wait : take turns with the other runs beside this one, at low priority; else begin at once
    show : called with every status that is written

    Raises InputError if the folder holds no run, or another worker is at it. All other errors end in the status.
    """
    run = _opened(folder)
    with _attending(run), _asked(run) as asked:
        if run.stored_status().phase is Phase.FINISHED:
            return run.stored_status()
        if not wait:
            return _carried_out(run, asked, show)
        if hasattr(os, "nice"):
            os.nice(_NICENESS)
        with _turn(run, asked) as stopped:
            return _ended(run, stopped) if stopped else _carried_out(run, asked, show)


def _opened(folder: Path) -> Run:
    run = Run(Path(folder).absolute())
    if not (run.folder / store.PROBLEM).is_file():
        raise InputError("folder", folder, f"there is no {store.PROBLEM} in this folder", "Name the folder of a run")
    run.problem()
    return run


@contextmanager
def _attending(run: Run) -> Iterator[None]:
    """Hold the run's lock: everybody can see that its worker lives."""
    try:
        lock = FileLock(run.folder / store.LOCK).acquire(timeout=_LOCK_S)
    except Timeout:
        raise InputError("folder", run.folder, "a worker is at this run already", "Wait, or cancel it") from None
    with lock:
        for partial in run.folder.glob(".*.partial"):  # what a killed worker was writing
            partial.unlink(missing_ok=True)
        store.write_json(run.folder / store.WORKER, {"time": time.time(), "pid": os.getpid()})
        yield


@contextmanager
def _asked(run: Run) -> Iterator[Asked]:
    """A question to be put at every step: has somebody asked this worker to stop, and what is the run then?"""
    interrupted = threading.Event()

    def interrupt(number: int, frame: object) -> None:
        if interrupted.is_set():  # the second time: at once, as always
            signal.default_int_handler(number, frame)
        interrupted.set()

    def asked() -> Phase | None:
        if (run.folder / store.CANCEL).exists():
            return Phase.CANCELLED
        return Phase.INTERRUPTED if interrupted.is_set() else None

    signals = (signal.SIGTERM, signal.SIGINT) if threading.current_thread() is threading.main_thread() else ()
    before = [signal.signal(number, interrupt) for number in signals]
    try:
        yield asked
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)


def _carried_out(run: Run, asked: Asked, show: Show | None) -> RunStatus:
    """The work itself; whatever goes wrong becomes the status, and goes to the log with all details."""
    try:
        from core.runs.execute import execute

        outcome = execute(run, asked, show)
    except Exception as error:
        with (run.folder / store.LOG).open("a", encoding="utf-8") as log:
            traceback.print_exc(file=log)
        return _failed(run, _message(error))
    return _ended(run, outcome)


def _message(error: Exception) -> str:
    """What to tell the user: our own errors speak for themselves."""
    if isinstance(error, InputError):
        return error.message
    if not isinstance(error, ImportError):
        from core.predictors.checkpoint import CheckpointError

        if isinstance(error, CheckpointError):
            return str(error)
    return f"Unexpected error: {type(error).__name__}: {error}"


def _failed(run: Run, message: str) -> RunStatus:
    status = replace(run.stored_status(), phase=Phase.FAILED, remaining_s=None, message=message)
    store.write_status(run.folder, status)
    return status


def _ended(run: Run, phase: Phase) -> RunStatus:
    status = replace(run.stored_status(), phase=phase, remaining_s=None, message="")
    if phase is Phase.INTERRUPTED:
        status = store.interrupted(status)
    store.write_status(run.folder, status)
    if phase is Phase.CANCELLED:
        (run.folder / store.CANCEL).unlink(missing_ok=True)
    return status


# Turns: as many locks as may work at once; who waits has a ticket, the oldest goes first.


@contextmanager
def _turn(run: Run, asked: Asked) -> Iterator[Phase | None]:
    """Wait for one of the places; yields None when it is taken, or what the run is if asked to stop before."""
    slots = run.folder.parent / SLOTS
    slots.mkdir(exist_ok=True)
    ticket = slots / f"{_started(run):017.6f}~{run.id}.ticket"
    ticket.touch()
    place = None
    try:
        store.write_status(run.folder, replace(run.stored_status(), phase=Phase.QUEUED, message=""))
        while (stopped := asked()) is None and (place := _free_place(slots, ticket)) is None:
            time.sleep(POLL_S)
        ticket.unlink(missing_ok=True)
        yield stopped
    finally:
        ticket.unlink(missing_ok=True)
        if place is not None:
            place.release()


def _started(run: Run) -> float:
    """When this run was started (s since 1970): by `runs.start`, or just now by hand."""
    return (store.read_json(run.folder / store.START) or {}).get("time", time.time())


def _free_place(slots: Path, ticket: Path) -> FileLock | None:
    """A place, locked, unless all are taken or an older ticket's worker lives."""
    for other in sorted(slots.glob("*.ticket")):
        if other.name >= ticket.name:
            break
        name = other.stem.partition("~")[2]
        if store.is_locked(slots.parent / name / store.LOCK):
            return None
        other.unlink(missing_ok=True)  # its worker was killed
    for number in range(store.max_at_once()):
        place = FileLock(slots / f"place-{number}.lock")
        try:
            place.acquire(blocking=False)
        except Timeout:
            continue
        return place
    return None
