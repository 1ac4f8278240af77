"""An executor that carries out runs as tasks of a Dask cluster: processes of this machine, or machines that share the
folders of the runs.

The cluster only distributes: a task is the folder of a run, and everything about the run stays in that folder.
"""

from __future__ import annotations

import math
import queue
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import InputError
from core.executors.interface import Executor
from core.executors.stopping import request_stop, withdraw_requests
from core.files import storage_errors
from core.runs import layout
from core.runs.ownership import forget_worker, has_worker, remove_obstacles, was_started
from core.runs.run import Run
from core.runs.status import ACTIVE, Phase, RunStatus, write_status

if TYPE_CHECKING:
    from distributed import Client, Future

_LOST_S = 30.0  # without the scheduler for this long, it is taken for lost
_CANCEL_S = 60.0  # for a task to stop on request
_POLL_S = 0.05
_COUNT_S = 2.0  # between two counts of the workers
_UNSTARTED = 10  # how often a run is submitted again whose worker died before the run began
_ENDING_S = 5.0  # for a killed worker to leave its run


class SchedulerLostError(RuntimeError):
    """The scheduler does not answer any more; the runs keep what they have."""


class DaskExecutor(Executor):
    """Runs as tasks of a cluster, one at a time on each of its workers.

    A worker that dies ends its run as INTERRUPTED. A run that only waited on that worker is submitted again.
    """

    def __init__(self, client: Client, minutes_per_run: float | None = None):
        """client : of the cluster. minutes_per_run : see `carry_out_task`; None: no limit"""
        self._client, self._minutes = client, minutes_per_run
        self._futures: dict[str, Future] = {}
        self._submissions: Counter[str] = Counter()
        self._unstarted: Counter[str] = Counter()
        self._ended: queue.SimpleQueue[tuple[Run, Future]] = queue.SimpleQueue()
        self._last_seen_s = time.monotonic()
        self._threads, self._counted_s = 0, -math.inf

    def submit(self, run: Run) -> None:
        """Make the run a task and return at once. No effect on a finished run, or one that is at work or submitted.

        A finished run whose results are damaged is carried out again. Raises StorageError if the folder cannot be
        written.
        """
        if run.id in self._futures or has_worker(run.folder) or run.status().phase is Phase.FINISHED:
            return
        with storage_errors(run.folder):
            remove_obstacles(run.folder)
            withdraw_requests(run)
            write_status(run.folder, run.stored_status().in_phase(Phase.QUEUED))
            forget_worker(run.folder)
        self._submissions[run.id] += 1
        future = self._client.submit(
            carry_out_task, str(run.folder), self._minutes,
            key=f"{run.id}-{self._submissions[run.id]}-{time.time_ns()}", pure=False,
        )  # fmt: skip
        self._futures[run.id] = future
        future.add_done_callback(lambda done: self._ended.put((run, done)))

    def next_ended(self, runs: Sequence[Run], timeout_s: float) -> Run | None:
        """The next run whose task has ended, whichever it is; None after `timeout_s`. Raises SchedulerLostError."""
        self._check_scheduler()
        try:
            run, future = self._ended.get(timeout=timeout_s)
        except queue.Empty:
            return None
        if self._futures.get(run.id) is not future:  # cancelled
            return None
        del self._futures[run.id]
        return run if self._is_concluded(run, future) else None

    def _is_concluded(self, run: Run, future: Future) -> bool:
        """Whether the run has begun and ended, or failed to begin; otherwise it is submitted again."""
        from distributed import KilledWorker

        error = future.exception() if future.status == "error" else None
        killed = isinstance(error, KilledWorker)
        if killed:
            _wait_for_the_end(run)
        if killed and not was_started(run.folder) and self._unstarted[run.id] < _UNSTARTED:
            self._unstarted[run.id] += 1
            self.submit(run)
            return False
        status = run.stored_status()
        begun = error is None or killed
        if not begun and status.phase in ACTIVE and not has_worker(run.folder):
            why = error.message if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
            write_status(run.folder, status.in_phase(Phase.FAILED, f"The worker could not begin the run: {why}"))
        return True

    def _check_scheduler(self) -> None:
        now = time.monotonic()
        if self._client.status == "running":
            self._last_seen_s = now
        elif self._client.status == "closed" or now - self._last_seen_s > _LOST_S:
            raise SchedulerLostError("The scheduler does not answer any more.")

    def cancel(self, run: Run) -> None:
        """Cancel the task; a run at work stops after its present step. On return it has no worker.

        Raises TimeoutError if it still has one after a minute.
        """
        future = self._futures.pop(run.id, None)
        if run.status().phase not in ACTIVE | {Phase.INTERRUPTED}:
            return
        (run.folder / layout.CANCEL).touch()
        if future is not None:
            future.cancel()
        deadline = time.monotonic() + _CANCEL_S
        while has_worker(run.folder):
            if time.monotonic() > deadline:
                raise TimeoutError(f"run {run.id} still has a worker {_CANCEL_S:g} s after it was cancelled")
            time.sleep(_POLL_S)
        status = run.stored_status()
        if status.phase in ACTIVE | {Phase.INTERRUPTED}:
            write_status(run.folder, status.in_phase(Phase.CANCELLED))
        (run.folder / layout.CANCEL).unlink(missing_ok=True)

    def stop(self, run: Run) -> None:
        """Ask the worker of a run to stop and keep its candidates, or submit a run without one for that."""
        if request_stop(run):
            future = self._client.submit(carry_out_task, str(run.folder), None, pure=False,
                                         key=f"{run.id}-stop-{time.time_ns()}")  # fmt: skip
            self._futures[run.id] = future
            future.add_done_callback(lambda done: self._ended.put((run, done)))

    def capacity(self) -> int:
        """Number of worker threads of the cluster, at most a few seconds old; 0 while no worker has joined it."""
        now = time.monotonic()
        if (
            self._client.status == "running" and now - self._counted_s > _COUNT_S
        ):  # the answer lists every worker, which takes time for a thousand
            workers = self._client.scheduler_info(n_workers=-1).get("workers", {}).values()
            self._threads, self._counted_s = sum(worker["nthreads"] for worker in workers), now
        return self._threads


def carry_out_task(folder: str, minutes: float | None = None) -> str:
    """The task of a worker: carry out or resume the run in this folder, and return its last phase.

    minutes : working time after which the run stops and keeps its candidates so far; None: no limit

    Raises InputError if the folder holds no run, for example because this machine does not share it, or the run has
    another worker.
    """
    from core.executors.worker import work

    limit_s = None if minutes is None else 60 * minutes

    def on_status(status: RunStatus) -> None:
        if limit_s is not None and status.elapsed_s > limit_s:
            (Path(folder) / layout.STOP).touch()

    return work(Path(folder), take_turns=False, on_status=on_status).phase.value


def sleep_task(seconds: float, number: int) -> int:
    """A task that only sleeps, to measure what a task costs beside its work; returns its number."""
    time.sleep(seconds)
    return number


def _wait_for_the_end(run: Run) -> None:
    """Until the killed worker has left the run: its connection closes a moment before the process ends."""
    until = time.monotonic() + _ENDING_S
    while has_worker(run.folder) and time.monotonic() < until:
        time.sleep(0.02)
