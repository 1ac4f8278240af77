"""Execution of a run: a run stopped at any step and resumed ends with the same files."""

from __future__ import annotations

import errno
import os
import shutil
from dataclasses import replace

import pytest
from safetensors import safe_open
from safetensors.torch import load, save

from core import files
from core.evaluation import design
from core.executors.in_process import InProcessExecutor
from core.generation.gradient import optimiser
from core.runs import execute, layout, store
from core.runs.run import Run
from core.runs.status import Phase
from tests.growing_generator import registered
from tests.unit.runs.sample import SMALL, assert_same_files

pytestmark = pytest.mark.usefixtures("runs_folder")


@pytest.fixture(scope="module")
def finished(carried_out, tmp_path_factory):
    """SMALL, carried out in this process without interruption."""
    return carried_out(SMALL, tmp_path_factory.mktemp("finished") / "run")


@pytest.mark.parametrize("step", [2, 20])
def test_a_run_stopped_at_any_step_ends_with_the_same_files(finished, step):
    run = store.create(SMALL)
    steps = iter(range(1, 1000))
    assert execute.execute(run, lambda: Phase.INTERRUPTED if next(steps) == step else None) is Phase.INTERRUPTED
    # Records after the resume point, as by a worker that was killed, must be dropped.
    with (run.folder / layout.PROGRESS).open("a") as file:
        file.write('{"step": 25}\n{"st')
    with (run.folder / layout.TRAJECTORY).open("ab") as file:
        file.write(bytes(1000))
    assert execute.execute(run, lambda: None) is Phase.FINISHED
    assert_same_files(run, finished)


def test_a_cancelled_run_writes_no_result():
    run = store.create(SMALL)
    steps = iter(range(1, 1000))
    # Asked after every step but the last one, and once more after the screens.
    assert execute.execute(run, lambda: Phase.CANCELLED if next(steps) == 34 else None) is Phase.CANCELLED
    assert not (run.folder / layout.CSV).exists() and (run.folder / layout.RESUME).exists()


@pytest.mark.parametrize("step", [2, 20])  # in stage 1, where most candidates have too many elements, and in stage 2
def test_a_stopped_run_keeps_its_candidates_and_continues_to_the_same_files(finished, step):
    run = store.create(SMALL)
    steps = iter(range(1, 1000))
    assert execute.execute(run, lambda: Phase.STOPPED if next(steps) >= step else None) is Phase.STOPPED
    status, kept = run.stored_status(), run.candidates()
    summary = run.summary()
    assert (status.phase, status.step, summary["status"], summary["step"]) == ("stopped", step, "stopped", step)
    assert 0 < len(kept) <= 8 and kept["n_elements"].max() <= SMALL.settings.max_elements and run.has_resume_point()
    assert execute.execute(run, lambda: None) is Phase.FINISHED
    assert_same_files(run, finished)


def test_a_stop_of_a_run_with_a_resume_point_does_no_step(finished):
    run = store.create(SMALL)
    steps = iter(range(1, 1000))
    execute.execute(run, lambda: Phase.INTERRUPTED if next(steps) == 20 else None)
    records = len(run.progress())
    assert execute.execute(run, lambda: Phase.STOPPED) is Phase.STOPPED
    assert run.stored_status().step == 20 and len(run.progress()) == records and len(run.candidates())


def test_a_method_without_formulas_before_its_end_is_not_stopped():
    with registered():
        run = store.create(replace(SMALL, base="MgB2", method="growing"))
        assert execute.execute(run, lambda: Phase.STOPPED) is Phase.FINISHED


def test_an_error_after_the_last_step_loses_no_step(finished, monkeypatch):
    def fail(*_):
        raise ZeroDivisionError("by zero")

    run = store.create(SMALL)
    executor = InProcessExecutor()
    with monkeypatch.context() as patch:
        patch.setattr(design, "finalize", fail)
        executor.submit(run)
    assert executor.poll(run).message == "Unexpected error: ZeroDivisionError: by zero"
    with monkeypatch.context() as patch:
        patch.setattr(optimiser, "step", fail)  # no step is left to do
        executor.submit(run)
    assert executor.poll(run).phase is Phase.FINISHED
    assert_same_files(run, finished)


def without_a_field(path) -> None:
    """The resume point without one of its tensors, as of an earlier version that stored no checksum."""
    with safe_open(path, "pt") as file:
        metadata = {name: value for name, value in file.metadata().items() if name != "sha256"}
    tensors = load(path.read_bytes())
    tensors.pop(next(name for name in tensors if name not in ("step",) and not name.startswith("recent.")))
    path.write_bytes(save(tensors, metadata))


def of_other_shapes(path) -> None:
    """The resume point with half of the candidates, without a checksum."""
    with safe_open(path, "pt") as file:
        metadata = {name: value for name, value in file.metadata().items() if name != "sha256"}
    tensors = {n: t if t.dim() == 0 else t[: len(t) // 2].contiguous() for n, t in load(path.read_bytes()).items()}
    path.write_bytes(save(tensors, metadata))


DAMAGES = [
    (layout.PROGRESS, lambda path: path.write_bytes(path.read_bytes() + b"\0\0\0\0\n")),
    (layout.PROVENANCE, lambda path: path.write_text('{"created": "yesterday", "threads": "many"}')),
    (layout.PROVENANCE, lambda path: path.write_text('{"created": "2026-11-27T13:58:56", "threads": -3}')),
    (layout.STATUS, lambda path: path.write_text("{}")),
    (layout.RESUME, lambda path: path.write_bytes(path.read_bytes()[:1000])),
    (layout.RESUME, without_a_field),
    (layout.RESUME, of_other_shapes),
]


@pytest.mark.parametrize(("file", "damage"), DAMAGES, ids=range(len(DAMAGES)))
def test_a_run_with_a_damaged_file_resumes_and_ends_with_the_same_table(finished, file, damage):
    run = store.create(SMALL)
    steps = iter(range(1, 1000))
    assert execute.execute(run, lambda: Phase.INTERRUPTED if next(steps) == 6 else None) is Phase.INTERRUPTED
    damage(run.folder / file)
    executor = InProcessExecutor()
    executor.submit(run)
    assert executor.poll(run).phase is Phase.FINISHED, executor.poll(run).message
    assert_same_files(run, finished)
    assert run.provenance()["threads"] == finished.provenance()["threads"] and run.damages() == []


def test_a_finished_run_whose_result_is_lost_is_carried_out_again(finished, tmp_path, capsys):
    run = Run(shutil.copytree(finished.folder, tmp_path / "copy"))
    (run.folder / layout.RESULT).write_text("[]")
    assert run.status().phase is Phase.DAMAGED
    InProcessExecutor().submit(run)
    assert run.status().phase is Phase.FINISHED and "carried out again" in capsys.readouterr().err
    assert_same_files(run, finished)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_a_full_disk_fails_with_its_reason_and_the_run_resumes_afterwards(finished, monkeypatch, number):
    run, steps = store.create(SMALL), iter(range(1000))
    whole = files.open_private

    def full(path, mode, **options):
        if "resume" in path.name or next(steps) > 40:
            raise OSError(number, os.strerror(number))
        return whole(path, mode, **options)

    executor = InProcessExecutor()
    with monkeypatch.context() as patch:
        patch.setattr(files, "open_private", full)
        executor.submit(run)
    status = run.status()
    assert status.phase is Phase.FAILED and ("disk is full" in status.message or "cannot be written" in status.message)
    assert not list(run.folder.glob(".*.partial"))
    executor.submit(run)
    assert run.status().phase is Phase.FINISHED
    assert_same_files(run, finished)
