"""Runs: the folder, the worker process, cancel, kill and resume, turns, and what readers are told."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from filelock import FileLock

from core.runs import execute
from core.runs import store
from core.executors import worker
from core.errors import InputError
from core.evaluation.design import design
from core.evaluation.table import to_csv
from core.generation.gradient import optimiser
from core.problem.problem import DesignProblem
from core.problem.settings import OptimiserSettings
from core.runs.store import Phase, Run, RunStatus

SMALL = DesignProblem(base="LaFeAsO", settings=OptimiserSettings(candidates=8, steps=(4, 30)), seed=7, device="cpu")
ENDLESS = replace(SMALL, settings=OptimiserSettings(candidates=8, steps=(2000, 2000)))
DEADLINE_S = 180  # generous: this is no test of speed


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A runs folder of its own; one thread, in the workers as here, for equal sums; nothing is left at work."""
    monkeypatch.setenv("TC_STUDIO_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield tmp_path / "runs"
    torch.set_num_threads(threads)
    for run in store.list_runs():
        store.cancel(run)


@pytest.fixture(scope="module")
def finished(carried_out, tmp_path_factory):
    """SMALL, done in this process without a break."""
    return carried_out(SMALL, tmp_path_factory.mktemp("finished") / "run")


def until(condition: Callable[[], bool]) -> None:
    """Wait for it."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def worker_pid(run: Run) -> int:
    return json.loads((run.folder / store.WORKER).read_text())["pid"]


def same_files(one: Run, other: Run) -> None:
    for name in (store.CSV, store.PROGRESS, store.TRAJECTORY, store.RESULT):
        assert (one.folder / name).read_bytes() == (other.folder / name).read_bytes(), name


def hand_written(folder, problem: DesignProblem) -> Run:
    """A run as somebody else could have written it: only the problem, and nobody has checked it."""
    folder.mkdir(parents=True)
    (folder / store.PROBLEM).write_text(problem.to_json(), encoding="utf-8")
    return Run(folder)


# What a finished run tells.


def test_finished_run_is_the_design_of_its_problem(finished):
    status = finished.status()
    assert (status.phase, status.stage, status.step, status.total_steps) == (Phase.FINISHED, 2, 34, 34)
    assert status.remaining_s is None and status.elapsed_s > 0 and status.message == ""
    result = design(SMALL)
    assert list(finished.candidates().columns) == list(result.candidates.columns)
    assert list(finished.candidates().dtypes) == list(result.candidates.dtypes)
    assert finished.csv() == to_csv(result.candidates)
    assert finished.problem() == SMALL
    assert not (finished.folder / store.RESUME).exists()


def test_summary_agrees_with_candidates(finished):
    summary, table = finished.summary(), finished.candidates()
    assert summary["n_passing"] == table["passes"].sum() == summary["funnel"][-1]["left"]
    best = table[table["passes"]].iloc[:1]
    assert summary["best_formula"] == (best["formula"].iloc[0] if len(best) else None)
    assert summary["best_tc_K"] == (best["tc_K"].iloc[0] if len(best) else None)
    assert summary["base"]["tc_K"] > 0 and summary["status"] == "finished"


def test_progress_and_top_and_trajectory_tell_the_same(finished):
    progress, steps = finished.progress(), store.recorded_steps(34, store.PROGRESS_RECORDS)
    assert list(progress.columns) == list(store.PROGRESS_COLUMNS)
    assert progress["step"].tolist() == steps == list(range(34))
    assert progress["stage"].tolist() == [1] * 4 + [2] * 30
    paths = [finished.trajectory(candidate) for candidate in range(8)]
    for name, best in (("tc_K", np.max), ("formation_energy_eV_per_atom", np.min), ("integer_loss", np.min)):
        values = np.stack([path[name] for path in paths])
        np.testing.assert_allclose(progress[f"{name}_best"], best(values, axis=0), rtol=1e-5)
        np.testing.assert_allclose(progress[f"{name}_median"], np.median(values, axis=0), rtol=1e-5)
        assert (progress[f"{name}_p5"] <= progress[f"{name}_p95"]).all()
    top = finished.top()
    assert 1 <= len(top) <= 5 and len({entry["formula"] for entry in top}) == len(top)
    assert top[0]["tc_K"] == progress["tc_K_best"].iloc[-1]


def test_trajectory_refuses_a_candidate_that_there_is_not(finished):
    with pytest.raises(IndexError):
        finished.trajectory(8)


def test_provenance_names_everything(finished):
    provenance = finished.provenance()
    assert set(provenance["checkpoints"]) == {"tc-ensemble", "formation-energy-ensemble", "judge", "references"}
    assert all(len(checksum) == 64 for checksum in provenance["checkpoints"].values())
    assert provenance["seed"] == 7 and provenance["threads"] == 1 and provenance["packages"]["torch"]
    assert finished.created().isoformat() == provenance["created"]


def test_finished_run_is_not_done_again(finished):
    before = (finished.folder / store.CSV).stat().st_mtime_ns
    assert worker.work(finished.folder).phase is Phase.FINISHED
    store.start(finished)
    store.cancel(finished)
    assert finished.status().phase is Phase.FINISHED
    assert (finished.folder / store.CSV).stat().st_mtime_ns == before


@pytest.mark.parametrize(("total", "most", "count"), [(1, 500, 1), (500, 500, 500), (501, 500, 251), (1000, 200, 201)])
def test_recorded_steps_are_few_and_reach_both_ends(total, most, count):
    steps = store.recorded_steps(total, most)
    assert steps[0] == 0 and steps[-1] == total - 1
    assert len(steps) == len(set(steps)) == count


# Interrupted and resumed.


def test_killed_worker_goes_on_and_ends_with_the_same_files(finished):
    run = store.create(SMALL)
    store.start(run)
    until(lambda: run.status().step >= 4)  # behind the border of the stages, where a resume point is stored
    os.kill(worker_pid(run), getattr(signal, "SIGKILL", signal.SIGTERM))
    until(lambda: run.status().phase is Phase.INTERRUPTED)
    assert "Start it again" in run.status().message
    assert not (run.folder / store.CSV).exists()
    store.start(run)
    until(lambda: run.status().phase not in store.ACTIVE)
    assert run.status().phase is Phase.FINISHED, run.status().message
    same_files(run, finished)


@pytest.mark.parametrize("step", [2, 20])
def test_stop_at_any_step_and_go_on_with_the_same_files(finished, step):
    run = store.create(SMALL)
    steps = iter(range(1, 1000))
    assert execute.execute(run, lambda: Phase.INTERRUPTED if next(steps) == step else None) is Phase.INTERRUPTED
    # What was recorded behind the resume point, as by a worker that was killed, must not stay.
    with (run.folder / store.PROGRESS).open("a") as file:
        file.write('{"step": 25}\n{"st')
    with (run.folder / store.TRAJECTORY).open("ab") as file:
        file.write(bytes(1000))
    assert worker.work(run.folder, wait=False).phase is Phase.FINISHED
    same_files(run, finished)


def test_resume_point_of_another_problem_is_not_used():
    run = store.create(SMALL)
    assert execute.execute(run, lambda: Phase.INTERRUPTED) is Phase.INTERRUPTED
    device = torch.device("cpu")
    stored = (run.folder / store.RESUME).read_bytes()
    assert execute.load_resume_point(run.folder, "another", device) == (None, 0.0)
    (run.folder / store.RESUME).write_bytes(stored[: len(stored) // 2])
    assert execute.load_resume_point(run.folder, "another", device) == (None, 0.0)


def test_worker_obeys_sigterm_and_cancel_and_can_be_resumed():
    run = store.create(ENDLESS)
    store.start(run)
    until(lambda: run.status().step > 0)
    os.kill(worker_pid(run), signal.SIGTERM)
    until(lambda: run.status().phase is Phase.INTERRUPTED)
    reached = run.status().step
    if os.name == "posix":
        assert run.stored_status().phase is Phase.INTERRUPTED  # said by the worker itself, its resume point stored
        assert (run.folder / store.RESUME).exists()
    store.start(run)
    until(lambda: run.status().phase is Phase.RUNNING)
    until(lambda: run.status().step > reached)
    store.cancel(run)
    assert run.status().phase is Phase.CANCELLED
    assert not store.is_locked(run.folder / store.LOCK)
    store.delete(run)
    assert not run.folder.exists()


def test_cancel_ends_a_worker_that_does_not_listen():
    run = hand_written(store.runs_folder() / "deaf", SMALL)
    hold = "import sys, time; from filelock import FileLock as L; l = L(sys.argv[1]); l.acquire(); time.sleep(600)"
    process = subprocess.Popen([sys.executable, "-c", hold, str(run.folder / store.LOCK)])
    try:
        store.write_json(run.folder / store.WORKER, {"pid": process.pid})
        store.write_status(run.folder, RunStatus(Phase.SCREENING, 2, 34, 34))
        until(lambda: store.is_locked(run.folder / store.LOCK))
        assert run.status().phase is Phase.SCREENING
        began = time.monotonic()
        store.cancel(run)
        assert run.status().phase is Phase.CANCELLED
        assert time.monotonic() - began < 10
        assert process.wait(30) != 0
    finally:
        process.kill()
        process.wait()


def test_cancel_while_waiting_needs_no_place(home):
    run = store.create(SMALL)
    (home / worker.SLOTS).mkdir()
    with FileLock(home / worker.SLOTS / "place-0.lock"):
        store.start(run)
        store.cancel(run)
        assert run.status().phase is Phase.CANCELLED


def test_cancel_before_the_start():
    run = store.create(SMALL)
    store.cancel(run)
    assert run.status().phase is Phase.CANCELLED


# Turns.


def test_two_runs_take_turns(home):
    (home / worker.SLOTS).mkdir(parents=True)
    first, second = store.create(SMALL), store.create(replace(SMALL, seed=8))
    with FileLock(home / worker.SLOTS / "place-0.lock"):  # somebody else's turn
        store.start(first)
        store.start(second)
        until(lambda: len(list((home / worker.SLOTS).glob("*.ticket"))) == 2)
        assert {first.status().phase, second.status().phase} == {Phase.QUEUED}
    at_work = {Phase.RUNNING, Phase.SCREENING}
    while (phases := [run.status().phase for run in (first, second)]) != [Phase.FINISHED] * 2:
        assert sum(phase in at_work for phase in phases) <= 1
        assert set(phases) <= at_work | {Phase.QUEUED, Phase.FINISHED}
        time.sleep(0.02)
    assert first.provenance()["finished"] < second.provenance()["started"]
    assert not list((home / worker.SLOTS).glob("*.ticket"))


def test_ticket_of_a_killed_worker_holds_up_nobody(home):
    slots = home / worker.SLOTS
    slots.mkdir(parents=True)
    run = store.create(SMALL)
    (slots / "0000000001.000000~gone.ticket").touch()
    mine = slots / f"0000000002.000000~{run.id}.ticket"
    place = worker._free_place(slots, mine)
    assert place is not None
    place.release()


# Failures.


def test_failed_run_says_why_in_words(home):
    absent = "mps" if torch.cuda.is_available() else "cuda"
    run = hand_written(home / "no-such-device", replace(SMALL, device=absent))
    status = worker.work(run.folder, wait=False)
    assert status == run.status() and status.phase is Phase.FAILED
    assert "not available here" in status.message and "Traceback" not in status.message
    assert "Traceback" in (run.folder / store.LOG).read_text()


def test_missing_checkpoint_fails_with_the_remedy(home):
    run = hand_written(home / "no-such-predictor", replace(SMALL, tc_predictor="nonesuch"))
    assert "python -m core train nonesuch" in worker.work(run.folder, wait=False).message


def test_unexpected_error_is_called_that_and_loses_no_steps(finished, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError("by zero")

    run = store.create(SMALL)
    with monkeypatch.context() as patch:
        patch.setattr("core.evaluation.design.finalize", broken)
        status = worker.work(run.folder, wait=False)
    assert status.message == "Unexpected error: ZeroDivisionError: by zero"
    with monkeypatch.context() as patch:
        patch.setattr(optimiser, "step", broken)  # no step is left to do
        assert worker.work(run.folder, wait=False).phase is Phase.FINISHED
    same_files(run, finished)


def test_second_worker_is_turned_away():
    run = store.create(SMALL)
    with FileLock(run.folder / store.LOCK), pytest.raises(InputError, match="already"):
        worker.work(run.folder)


def test_folder_without_problem_is_no_run(tmp_path):
    with pytest.raises(InputError, match=r"no problem\.json"):
        worker.work(tmp_path)


# Who lives?


@pytest.fixture
def running():
    run = store.create(SMALL)
    store.write_status(run.folder, RunStatus(Phase.RUNNING, 1, 3, 34))
    return run


def test_running_with_a_free_lock_is_interrupted(running):
    store.write_json(running.folder / store.WORKER, {"pid": 1})
    with FileLock(running.folder / store.LOCK):
        assert running.status().phase is Phase.RUNNING
    assert running.status().phase is Phase.INTERRUPTED
    assert running.status().step == 3


def test_just_started_worker_has_time_to_appear(running):
    note = running.folder / store.START
    store.write_json(note, {"time": time.time(), "pid": os.getpid()})
    assert running.status().phase is Phase.RUNNING
    store.write_json(note, {"time": time.time() - 60, "pid": os.getpid()})
    assert running.status().phase is Phase.INTERRUPTED


@pytest.mark.skipif(os.name != "posix", reason="asks for the process")
def test_just_started_worker_that_is_dead_is_interrupted_at_once(running):
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    store.write_json(running.folder / store.START, {"time": time.time(), "pid": process.pid})
    assert running.status().phase is Phase.INTERRUPTED


# The list.


def test_list_get_delete(home):
    assert store.list_runs() == []
    made = [store.create(SMALL) for _ in range(3)]
    (home / "no-run").mkdir()
    (home / ".slots").mkdir(exist_ok=True)
    assert store.list_runs() == made[::-1]
    assert store.get(made[0].id) == made[0] and made[0].id.split("-")[2] == "LaFeAsO"
    assert made[0].status().phase is Phase.QUEUED
    store.delete(made[0])
    assert store.get(made[0].id) is None and store.list_runs() == made[:0:-1]


@pytest.mark.parametrize("name", ["..", ".", "", "../runs", "a/../b", "/etc", "..\\x", ".hidden", "x\n", "no-such-run"])
def test_get_takes_only_names_of_runs(home, name):
    hand_written(home.parent / "outside", SMALL)
    assert store.get(name) is None
    assert store.get("../outside") is None


def test_bad_problem_makes_no_folder(home):
    with pytest.raises(InputError) as caught:
        store.create(replace(SMALL, base="LaFeXx"))
    assert caught.value.field == "base"
    assert store.list_runs() == [] and not home.exists()


def test_copied_run_reads_the_same(finished, home):
    home.mkdir()
    shutil.copytree(finished.folder, home / "copy")
    copy = store.get("copy")
    assert copy.status() == finished.status() and copy.csv() == finished.csv()
