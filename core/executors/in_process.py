"""An executor that does each run in the calling process, at once."""

from __future__ import annotations

from core.executors.cancellation import cancel_run
from core.executors.interface import Executor
from core.executors.worker import work
from core.runs.run import Run
from core.runs.status import OnStatus


class InProcessExecutor(Executor):
    """`submit` returns when the run has ended. The run does not wait for other runs, and keeps normal priority."""

    def __init__(self, on_status: OnStatus | None = None):
        """on_status : called with every status that is written"""
        self._on_status = on_status

    def submit(self, run: Run) -> None:
        """Do the run. Raises InputError if the folder holds no run, or another worker is at it."""
        work(run.folder, take_turns=False, on_status=self._on_status)

    def capacity(self) -> int:
        """One run."""
        return 1

    def cancel(self, run: Run) -> None:
        """Stop a run, which another thread or process does; within 2 s."""
        cancel_run(run)
