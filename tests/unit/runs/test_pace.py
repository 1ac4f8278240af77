"""The pace of a machine: the working time of finished runs relative to the expected one."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from core.errors import InputError
from core.generation.registry import expected_s
from core.problem.problem import DesignProblem
from core.runs import pace as module
from core.runs.pace import LEAST_S, RUNS, pace
from core.runs.status import Phase

PROBLEM = DesignProblem("LaFeAsO")


def run(times: float, phase: Phase = Phase.FINISHED, problem: DesignProblem = PROBLEM):
    """A run that took `times` the expected time."""
    status = SimpleNamespace(phase=phase, elapsed_s=times * expected_s(problem))
    return SimpleNamespace(stored_status=lambda: status, problem=lambda: problem)


def damaged():
    def fail():
        raise InputError("run", "status.json", "the file is damaged", "Delete the run")

    return SimpleNamespace(stored_status=fail)


def measured(monkeypatch, *runs) -> float | None:
    stored = {str(place): each for place, each in enumerate(runs)}
    monkeypatch.setattr(module.store, "get", stored.get)
    return pace([*stored, "deleted"])


def test_it_is_the_median_of_the_newest_finished_runs(monkeypatch):
    assert measured(monkeypatch, run(2.0), run(8.0), run(3.0)) == pytest.approx(3.0)
    newest = [run(2.0) for _ in range(RUNS)]
    assert measured(monkeypatch, *newest, *[run(9.0) for _ in range(2 * RUNS)]) == pytest.approx(2.0)


def test_runs_that_say_nothing_are_passed_over(monkeypatch):
    short = SimpleNamespace(
        stored_status=lambda: SimpleNamespace(phase=Phase.FINISHED, elapsed_s=0.9 * LEAST_S), problem=lambda: PROBLEM
    )
    assert measured(monkeypatch, run(5.0, Phase.FAILED), damaged(), short, run(4.0)) == pytest.approx(4.0)
    assert measured(monkeypatch, damaged(), short) is None
    assert measured(monkeypatch) is None
