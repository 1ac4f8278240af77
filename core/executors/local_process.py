"""An executor that starts a separate worker process on this machine for each run.

The workers take turns (`core.executors.queue`) and outlive the process that started them.
"""

from __future__ import annotations

import subprocess
import threading
import time

from core.executors import queue
from core.executors.cancellation import cancel_run
from core.executors.interface import Executor
from core.executors.stopping import request_stop, withdraw_requests
from core.executors.warm_worker import WarmWorker
from core.executors.worker_process import start_worker
from core.files import open_private, storage_errors
from core.runs import layout
from core.runs.ownership import forget_worker, has_worker, record_start, remove_obstacles
from core.runs.run import Run
from core.runs.status import Phase, write_status


class LocalProcessExecutor(Executor):
    """Worker processes of this machine; the first one after `prepare` is warm, with all modules imported."""

    def __init__(self, warm_worker: WarmWorker | None = None):
        self._warm_worker = warm_worker or WarmWorker()

    def prepare(self) -> None:
        """Keep a warm worker ready, unless the environment variable TC_STUDIO_STAND_BY is 0."""
        self._warm_worker.prepare()

    def capacity(self) -> int:
        """Maximum number of runs at work at the same time: the environment variable TC_STUDIO_WORKERS, else 1."""
        return queue.capacity()

    def submit(self, run: Run) -> None:
        """Start a worker for the run and return at once.

        A finished run whose results are damaged is carried out again. Raises DamageError if the problem is damaged,
        StorageError if the folder cannot be written.
        """
        if has_worker(run.folder) or run.status().phase is Phase.FINISHED:
            return
        run.problem()
        with storage_errors(run.folder):
            remove_obstacles(run.folder)
            withdraw_requests(run)
        self._start(run)

    def _start(self, run: Run) -> None:
        """Start a worker for a run that has none. Raises StorageError if the folder cannot be written."""
        with storage_errors(run.folder):
            write_status(run.folder, run.stored_status().in_phase(Phase.QUEUED))
            forget_worker(run.folder)
            process = self._send_warm_worker(run) or _start_cold_worker(run)
        # An ended process remains in the process table, as if it were running, until its parent has waited for it.
        threading.Thread(target=process.wait, daemon=True).start()

    def cancel(self, run: Run) -> None:
        """Stop a run: by request, or by killing the worker if it does not stop within 1.5 s."""
        cancel_run(run)

    def stop(self, run: Run) -> None:
        """Ask the worker of a run to stop and keep its candidates, or start one that screens those so far."""
        if request_stop(run):
            self._start(run)

    def _send_warm_worker(self, run: Run) -> subprocess.Popen | None:
        """The warm worker, sent to the run; None if there is none."""
        process = self._warm_worker.take()
        # The start is recorded first: after the worker is sent, only the worker writes to the folder.
        record_start(run.folder, time.time(), process.pid if process else None)
        return process if process and self._warm_worker.send(process, run.folder) else None


def _start_cold_worker(run: Run) -> subprocess.Popen:
    began = time.time()
    with open_private(run.folder / layout.LOG, "ab") as log:
        process = start_worker(str(run.folder), stdin=subprocess.DEVNULL, output=log)
    record_start(run.folder, began, process.pid)
    return process
