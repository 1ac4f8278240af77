"""Run folders of an earlier version open, and an interrupted run resumes from its resume point."""

from __future__ import annotations

import csv
import io
import shutil
from pathlib import Path

import pytest

from core.evaluation.columns import COLUMNS
from core.executors.in_process import InProcessExecutor
from core.generation.registry import GRADIENT, SUBSTITUTION
from core.predictors.checkpoint import CheckpointError, read_card
from core.problem.problem import DesignProblem
from core.runs import execute, layout, store
from core.runs.progress import PROGRESS_COLUMNS
from core.runs.run import Run
from core.runs.status import Phase, RunStatus

STORED = Path(__file__).parent / "run_folders"
INTERRUPTED = [("stopped", 11), ("killed", 6)]  # with the step of the resume point


@pytest.fixture
def opened(runs_folder):
    """`opened(name) -> run`: a copy of a stored run, in this test's runs folder."""
    runs_folder.mkdir()

    def copy(name: str) -> Run:
        shutil.copytree(STORED / name, runs_folder / name)
        run = store.get(name)
        assert run is not None
        return run

    return copy


def same_weights(run: Run) -> bool:
    """Whether the checkpoints are those that the run was started with."""
    try:
        return all(read_card(name)["sha256"] == sha256 for name, sha256 in run.provenance()["checkpoints"].items())
    except CheckpointError:
        return False


def resumed(run: Run) -> tuple[list[RunStatus], RunStatus]:
    """Every status that is written while the run is resumed in this process, and the last one."""
    shown: list[RunStatus] = []
    executor = InProcessExecutor(shown.append)
    executor.submit(run)
    return shown, executor.poll(run)


# Finished runs.


@pytest.mark.parametrize(
    ("method", "steps", "best", "passing"),
    [(GRADIENT, 8, "La5Fe8As7HO4", 12), (SUBSTITUTION, 1, "La6Fe6GeSb3PCN6", 11)],
)
def test_a_finished_run_opens(opened, method, steps, best, passing):
    run = opened(f"finished-{method}")
    problem, status = run.problem(), run.status()
    assert (problem.base, problem.method, problem.seed, problem.device) == ("LaFeAsO", method, 3, "cpu")
    assert (problem.settings.candidates, problem.settings.steps) == (12, (4, 4))
    assert (status.phase, status.step, status.total_steps) == (Phase.FINISHED, steps, steps)
    progress, trajectory = run.progress(), run.trajectory(11)
    assert list(progress.columns) == list(PROGRESS_COLUMNS) and progress["step"].tolist() == list(range(steps))
    assert trajectory["step"].tolist() == list(range(steps)) and (trajectory["tc_K"] >= 0).all()
    assert len(run.top()) == 5 and {"formula", "tc_K", "formation_energy_eV_per_atom"} == set(run.top()[0])
    candidates, summary = run.candidates(), run.summary()
    assert list(candidates.columns) == [column.name for column in COLUMNS]
    assert candidates["formula"].iloc[0] == summary["best_formula"] == best
    assert candidates["passes"].sum() == summary["n_passing"] == passing
    assert summary["base"]["tc_K"] == pytest.approx(15.619, abs=1e-3) and summary["funnel"][0]["left"] == 12
    rows = list(csv.DictReader(io.StringIO(run.csv())))
    assert [row["formula"] for row in rows] == candidates["formula"].tolist()
    assert [float(row["tc_K"]) for row in rows] == pytest.approx(candidates["tc_K"].tolist(), abs=0.005)
    assert len(run.provenance()["checkpoints"]) == 4 and run.created().year == 2026


def test_runs_of_an_earlier_version_are_listed_and_deleted(opened):
    runs = [opened("finished-gradient"), opened("stopped")]
    assert store.list_runs() == runs[::-1]  # the newest first
    for run in runs:
        store.delete(run)
    assert store.list_runs() == []


# Interrupted runs.


@pytest.mark.parametrize(("name", "step"), INTERRUPTED)
def test_an_interrupted_run_opens(opened, name, step):
    run = opened(name)
    status = run.status()
    assert (status.phase, status.step, status.total_steps) == (Phase.INTERRUPTED, step, 20)
    assert f"at step {step} of 20" in status.message
    assert len(run.progress()) == len(run.trajectory(0)) >= step and run.top()


@pytest.mark.parametrize(("name", "step"), INTERRUPTED)
def test_an_interrupted_run_resumes_from_its_resume_point(opened, name, step, capsys):
    run = opened(name)
    if not same_weights(run):
        pytest.skip("The checkpoints have changed since this run was stored, so that it rightly starts anew: see below")
    before = (run.folder / layout.PROGRESS).read_bytes().splitlines()[:step]
    shown, status = resumed(run)
    assert shown[0].step == step and "from the beginning" not in capsys.readouterr().err
    assert shown[0].elapsed_s > 0.05  # of the first start
    assert status.phase is Phase.FINISHED, status.message
    assert (run.folder / layout.PROGRESS).read_bytes().splitlines()[:step] == before
    assert run.progress()["step"].tolist() == list(range(20)) and len(run.trajectory(5)) == 20
    assert 1 <= len(run.candidates()) <= 6 and not (run.folder / layout.RESUME).exists()


def test_an_interrupted_run_restarts_with_a_message_if_the_checkpoints_have_changed(opened, monkeypatch, capsys):
    original = execute.provenance_at_start

    def with_other_weights(run: Run, problem: DesignProblem) -> dict:
        provenance = original(run, problem)
        return provenance | {"checkpoints": dict.fromkeys(provenance["checkpoints"], "0" * 64)}

    monkeypatch.setattr(execute, "provenance_at_start", with_other_weights)
    run = opened("stopped")
    shown, status = resumed(run)
    message = capsys.readouterr().err
    assert "checkpoints have changed" in message and "starts from the beginning" in message
    assert shown[0].step == 0 and status.phase is Phase.FINISHED
    assert run.progress()["step"].tolist() == list(range(20))
