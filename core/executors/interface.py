"""The interface of everything that carries out runs: this process, processes of this machine, a cluster."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod

from core.runs.run import Run
from core.runs.status import ACTIVE, RunStatus

POLL_S = 0.05


class Executor(ABC):
    """Carries out runs.

    A run is its folder, and an executor keeps no record of its own about it: a run that one executor was given can be
    polled by any other one.
    """

    @abstractmethod
    def submit(self, run: Run) -> None:
        """Start a run, or resume one that was interrupted, was cancelled or failed.

        A finished run and a run with a worker are left alone.
        """

    @abstractmethod
    def cancel(self, run: Run) -> None:
        """Stop a run: on return its status is CANCELLED and no worker is at it. An ended run stays as it is."""

    @abstractmethod
    def capacity(self) -> int:
        """How many runs may work at once; the others wait in a queue."""

    def prepare(self) -> None:
        """Get ready for a run that may be submitted soon. May do nothing, and returns at once."""
        return

    def poll(self, run: Run) -> RunStatus:
        """The status of a run now."""
        return run.status()

    def wait(self, run: Run, timeout_s: float | None = None) -> RunStatus:
        """The status of a run once it is no longer active. Raises TimeoutError if that takes longer."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while (status := self.poll(run)).phase in ACTIVE:
            if deadline is not None and time.monotonic() > deadline:
                raise TimeoutError(f"run {run.id} is still {status.phase} after {timeout_s:g} s")
            time.sleep(POLL_S)
        return status
