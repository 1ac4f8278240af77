"""An executor that carries out each run in the calling process, without a queue."""

from __future__ import annotations

from core.executors.cancellation import cancel_run
from core.executors.interface import Executor
from core.executors.stopping import request_stop
from core.executors.worker import work
from core.runs.run import Run
from core.runs.status import OnStatus


class InProcessExecutor(Executor):
    """`submit` returns when the run has ended. The run does not wait for other runs, and keeps normal priority."""

    def __init__(self, on_status: OnStatus | None = None):
        """on_status : called with every status that is written"""
        self._on_status = on_status

    def submit(self, run: Run) -> None:
        """Carry out the run. Raises InputError if the folder holds no run, or the run has another worker."""
        work(run.folder, take_turns=False, on_status=self._on_status)

    def stop(self, run: Run) -> None:
        """Stop a run that another thread or process carries out, or screen the candidates of its resume point here."""
        if request_stop(run):
            work(run.folder, take_turns=False, on_status=self._on_status)

    def capacity(self) -> int:
        """Always 1."""
        return 1

    def cancel(self, run: Run) -> None:
        """Stop a run that another thread or process carries out, within 2 s."""
        cancel_run(run)
