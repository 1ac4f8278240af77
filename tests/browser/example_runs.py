"""Runs that the commands of this folder show on the pages: one finished, carried out once."""

from __future__ import annotations

from pathlib import Path

from core.executors.in_process import InProcessExecutor
from core.problem.problem import DesignProblem
from core.problem.settings import OptimiserSettings
from core.runs.keyed_runs import checksums_of, found_or_created, run_key
from core.runs.run import Run
from core.runs.status import Phase

PROBLEM = DesignProblem(
    base="LaFeAsO", settings=OptimiserSettings(candidates=512, steps=(40, 40)), seed=1, device="cpu"
)


def example_run(folder: Path) -> Run:
    """A finished run by gradient with some hundred candidates, in a folder of runs; carried out at the first call."""
    run = found_or_created(PROBLEM, folder / run_key(PROBLEM, checksums_of(PROBLEM)))
    if run.status().phase is not Phase.FINISHED:
        InProcessExecutor().submit(run)
    return run
