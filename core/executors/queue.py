"""The queue of the local workers: one lock for each slot, and one ticket for each waiting run.

Locks and tickets are files beside the runs, so that workers of several servers share one queue, and the system frees
the lock of a killed worker. The oldest ticket goes first.
"""

from __future__ import annotations

import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from core.files import acquire_lock, make_private_folder
from core.runs import layout
from core.runs.ownership import has_worker, start_time_s
from core.runs.run import Run
from core.runs.status import Phase, ShouldStop, write_status

DEFAULT_CAPACITY = 1  # one worker already uses every core
SLOTS = ".slots"  # folder beside the runs; a run id never begins with a dot
POLL_S = 0.3


def capacity() -> int:
    """Number of slots: the environment variable TC_STUDIO_WORKERS, else DEFAULT_CAPACITY."""
    given = os.environ.get("TC_STUDIO_WORKERS", "")
    return max(1, int(given)) if given.isdigit() else DEFAULT_CAPACITY


@contextmanager
def turn(run: Run, should_stop: ShouldStop) -> Generator[Phase | None]:
    """Wait for a slot and hold it. Yields None, or the phase that `should_stop` returned during the wait."""
    slots = run.folder.parent / SLOTS
    make_private_folder(slots)
    ticket = slots / f"{start_time_s(run.folder):017.6f}~{run.id}.ticket"
    ticket.touch()
    slot = None
    try:
        write_status(run.folder, run.stored_status().in_phase(Phase.QUEUED))
        while (stopped := should_stop()) is None and (slot := acquire_slot(slots, ticket)) is None:
            time.sleep(POLL_S)
        ticket.unlink(missing_ok=True)
        yield stopped
    finally:
        ticket.unlink(missing_ok=True)
        if slot is not None:
            slot.release()


def acquire_slot(slots: Path, ticket: Path) -> FileLock | None:
    """The lock of a free slot, acquired; None if all are taken or a worker with an older ticket is waiting.

    The tickets of killed workers are removed.
    """
    for other in sorted(slots.glob("*.ticket")):
        if other.name >= ticket.name:
            break
        run_id = other.stem.partition("~")[2]
        if layout.is_run_id(run_id) and has_worker(slots.parent / run_id):
            return None
        other.unlink(missing_ok=True)
    for number in range(capacity()):
        lock = acquire_lock(slots / f"place-{number}.lock")
        if lock is not None:
            return lock
    return None
