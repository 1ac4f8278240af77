"""Carries out a run in this process with a progress bar."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.runs.run import Run
    from core.runs.status import RunStatus


def work_with_bar(run: Run) -> RunStatus:
    """Carry out a run, with a progress bar on standard error; returns its last status.

    Raises InputError as `core.executors.worker.work` does.
    """
    from tqdm import tqdm

    from core.executors.in_process import InProcessExecutor
    from core.runs.status import Phase

    with tqdm(unit="step", file=sys.stderr) as bar:

        def show(status: RunStatus) -> None:
            bar.total = status.total_steps
            screening = status.phase is Phase.SCREENING
            bar.set_description("screening" if screening else f"stage {status.stage}", refresh=False)
            bar.update(status.step - bar.n)

        executor = InProcessExecutor(show)
        executor.submit(run)
        return executor.poll(run)
