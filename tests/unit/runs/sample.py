"""Small problems and helper functions for tests of runs and executors."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from core.problem.problem import DesignProblem
from core.problem.settings import OptimiserSettings
from core.runs import layout
from core.runs.run import Run

SMALL = DesignProblem(base="LaFeAsO", settings=OptimiserSettings(candidates=8, steps=(4, 30)), seed=7, device="cpu")
ENDLESS = replace(SMALL, settings=OptimiserSettings(candidates=8, steps=(2000, 2000)))
DEADLINE_S = 180  # generous: no test of speed


def wait_until(condition: Callable[[], bool]) -> None:
    """Return when the condition holds; fail after DEADLINE_S."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "the condition never held"
        time.sleep(0.01)


def assert_same_files(one: Run, other: Run) -> None:
    """Both runs have the same results and the same records, byte for byte."""
    for name in (layout.CSV, layout.PROGRESS, layout.TRAJECTORY, layout.RESULT):
        assert (one.folder / name).read_bytes() == (other.folder / name).read_bytes(), name


def unchecked_run(folder: Path, problem: DesignProblem) -> Run:
    """A folder with only a problem file, which has not been validated."""
    folder.mkdir(parents=True)
    (folder / layout.PROBLEM).write_text(problem.to_json(), encoding="utf-8")
    return Run(folder)
