"""The worker of a run: it acquires the lock, waits for its turn, carries out the run and writes the final status.

Modules that load slowly are imported after the wait, so that waiting workers need little memory.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from core import processors
from core.errors import InputError, shown
from core.executors.queue import turn
from core.files import open_private, storage_error
from core.runs import layout
from core.runs.ownership import owned, remove_obstacles
from core.runs.run import Run
from core.runs.status import OnStatus, Phase, RunStatus, ShouldStop, write_status

FOLDER_FROM_STDIN = "-"  # on the command line, instead of a folder


def work(folder: Path, take_turns: bool = True, on_status: OnStatus | None = None) -> RunStatus:
    """Carry out or resume a run in this process; returns its last status. A finished run is not changed.

    take_turns : wait in the queue of the parent folder, and work at low priority; otherwise begin at once
    on_status : called with every status that is written

    A finished run is carried out again if its results are damaged. Raises InputError if the folder holds no run, its
    problem is damaged, or the run has another worker, StorageError if the folder cannot be written. Any later error
    sets the status FAILED.
    """
    run = _open(folder)
    with owned(run.folder), _stop_requests(run) as should_stop:
        if run.stored_status().phase is Phase.FINISHED:
            lost = [damage for damage in run.damages() if damage.file in layout.RESULTS]
            if not lost:
                return run.stored_status()
            print(f"{lost[0].message} The run is carried out again.", file=sys.stderr)
        if not take_turns:
            return _execute(run, should_stop, on_status)
        processors.give_way()
        with turn(run, lambda: _without_stop(should_stop())) as stopped:
            return _end(run, stopped) if stopped else _execute(run, should_stop, on_status)


def _without_stop(phase: Phase | None) -> Phase | None:
    """The phase in which a waiting run ends: one that is to stop and keep its candidates still needs its turn."""
    return None if phase is Phase.STOPPED else phase


def receive_folder() -> Path | None:
    """Import all modules, then read the folder of a run from standard input; None at the end of the input.

    Afterwards standard output and standard error go to the log of the run. The worker has a low priority at once.
    """
    processors.give_way()
    import core.runs.execute  # noqa: F401 (takes seconds)
    from core.predictors.checkpoint import CheckpointError
    from core.predictors.control_model import load_control_model
    from core.predictors.registry import BEST
    from core.reference_data.references import load_references

    with suppress(CheckpointError):  # the run will report it
        load_control_model()
        load_references().hull(BEST.formation_energy)  # most runs need this hull at their end
    folder = sys.stdin.buffer.readline().decode().rstrip("\n")
    if not folder:
        return None
    with open_private(Path(folder) / layout.LOG, "ab") as log:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(log.fileno(), stream.fileno())
    return Path(folder)


def _open(folder: Path) -> Run:
    run = Run(Path(folder).absolute())
    if not run.folder.is_dir() or not any((run.folder / name).exists() for name in (layout.PROBLEM, *layout.FILES)):
        raise InputError("folder", folder, f"there is no {layout.PROBLEM} in this folder", "Name the folder of a run")
    run.problem()
    for name in remove_obstacles(run.folder):
        print(f"{name} was not a regular file, and is replaced.", file=sys.stderr)
    return run


@contextmanager
def _stop_requests(run: Run) -> Generator[ShouldStop]:
    """Yields `should_stop` for this worker: requests come as the files `cancel` and `stop` of the run, or as a
    signal."""
    interrupted = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        if interrupted.is_set():  # the second signal ends the process at once
            signal.default_int_handler(number, frame)
        interrupted.set()

    def should_stop() -> Phase | None:
        if (run.folder / layout.CANCEL).exists():
            return Phase.CANCELLED
        if (run.folder / layout.STOP).exists():
            return Phase.STOPPED
        return Phase.INTERRUPTED if interrupted.is_set() else None

    signals = (signal.SIGTERM, signal.SIGINT) if threading.current_thread() is threading.main_thread() else ()
    before = [signal.signal(number, on_signal) for number in signals]
    try:
        yield should_stop
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)


def _execute(run: Run, should_stop: ShouldStop, on_status: OnStatus | None) -> RunStatus:
    """Carry out the run; an error sets the status FAILED, and its traceback goes to the log."""
    try:
        from core.runs.execute import execute

        outcome = execute(run, should_stop, on_status)
    except Exception as error:
        _log_traceback(run)
        return _end(run, Phase.FAILED, _message(error, run))
    return _end(run, outcome)


def _log_traceback(run: Run) -> None:
    """Write the traceback to the log of the run; on a full disk to standard error."""
    try:
        with open_private(run.folder / layout.LOG, "a", encoding="utf-8") as log:
            traceback.print_exc(file=log)
    except OSError:
        traceback.print_exc()


def _message(error: Exception, run: Run) -> str:
    """The message for the user: of InputError and CheckpointError their own, otherwise with the type of the error."""
    if isinstance(error, InputError):
        return error.message
    if isinstance(error, OSError) and not isinstance(error, ImportError):
        return storage_error(error, run.folder).message
    if not isinstance(error, ImportError):
        from core.predictors.checkpoint import CheckpointError

        if isinstance(error, CheckpointError):
            return str(error)
    return f"Unexpected error: {type(error).__name__}: {shown(error)}"


def _end(run: Run, phase: Phase, message: str = "") -> RunStatus:
    """Write the status with which the run ends, and return it; where it cannot be written, it is only returned."""
    stored = run.stored_status()
    status = stored.interrupted() if phase is Phase.INTERRUPTED else stored.in_phase(phase, message)
    try:
        write_status(run.folder, status)
        if phase is Phase.CANCELLED:
            (run.folder / layout.CANCEL).unlink(missing_ok=True)
        (run.folder / layout.STOP).unlink(missing_ok=True)
    except OSError as error:
        return status.in_phase(status.phase, status.message or storage_error(error, run.folder).message)
    return status
