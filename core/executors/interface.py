"""The interface of an executor, which carries out runs: in this process, in other processes, or on a cluster."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence

from core.runs.run import Run
from core.runs.status import ACTIVE, RunStatus

POLL_S = 0.05


class Executor(ABC):
    """Carries out runs.

    The folder of a run holds everything about it, so that a run submitted to one executor can be polled by another.
    """

    @abstractmethod
    def submit(self, run: Run) -> None:
        """Start a run, or resume one that was interrupted, was cancelled or failed.

        Has no effect on a finished run or a run with a worker.
        """

    @abstractmethod
    def cancel(self, run: Run) -> None:
        """Stop a run: on return its status is CANCELLED and it has no worker. An ended run is not changed."""

    @abstractmethod
    def stop(self, run: Run) -> None:
        """Stop a run and keep its candidates: they are rounded and screened, and its status becomes STOPPED.

        Also for a run without a worker that has a resume point. Returns at once; has no effect on a finished run. A
        stopped run that is submitted again continues. Raises InputError if there is nothing to keep, see
        `core.executors.stopping`.
        """

    @abstractmethod
    def capacity(self) -> int:
        """Maximum number of runs at work at the same time; the others wait in a queue."""

    def prepare(self) -> None:
        """Prepare for a run that may be submitted soon, without blocking. By default nothing."""
        return

    def poll(self, run: Run) -> RunStatus:
        """The status of a run now."""
        return run.status()

    def next_ended(self, runs: Sequence[Run], timeout_s: float) -> Run | None:
        """One of the submitted runs that is no longer active; None if there is none after `timeout_s`.

        By default the folders of the runs are read until then; an executor that is told of the ends overrides this.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            for run in runs:
                if self.poll(run).phase not in ACTIVE:
                    return run
            if time.monotonic() >= deadline:
                return None
            time.sleep(min(POLL_S, timeout_s))

    def wait(self, run: Run, timeout_s: float | None = None) -> RunStatus:
        """The status of a run once it is no longer active. Raises TimeoutError after `timeout_s`."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while (status := self.poll(run)).phase in ACTIVE:
            if deadline is not None and time.monotonic() > deadline:
                raise TimeoutError(f"run {run.id} is still {status.phase} after {timeout_s:g} s")
            time.sleep(POLL_S)
        return status
