"""Fixtures that tests of several folders share."""

from __future__ import annotations

import os
from collections.abc import Callable
from copy import deepcopy
from functools import wraps
from pathlib import Path

import pytest
import torch

from core.executors.in_process import InProcessExecutor
from core.executors.local_process import LocalProcessExecutor
from core.paths import CHECKPOINTS
from core.predictors import registry
from core.problem.problem import DesignProblem
from core.runs import store
from core.runs.run import Run


def pytest_xdist_auto_num_workers(config):
    """One process more than there are cores: tests in a browser, and of processes that tests start, often wait."""
    return (os.cpu_count() or 1) + 1


def pytest_configure(config):
    """One thread for each of several test processes, and for the processes that they start."""
    if getattr(config.option, "numprocesses", None):  # before they start: NumPy reads the variables once
        os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
    if hasattr(config, "workerinput"):
        torch.set_num_threads(1)


def pytest_collection_modifyitems(items):
    """Tests in a browser first, so that one process has them all: each that takes over some starts its own server."""
    items.sort(key=lambda item: "browser" not in item.keywords)


@pytest.fixture(scope="session", autouse=True)
def predictors_read_once():
    """Each predictor in checkpoints/ is read from its file once; a test gets a copy, which it may change."""
    resolve, loaded = registry.resolve_name, {}

    def resolved(loader):
        load = resolve(loader)

        @wraps(load)
        def copied(name, folder):
            if folder != CHECKPOINTS:
                return load(name, folder)
            if (load, name) not in loaded:
                loaded[load, name] = load(name, folder)
            return deepcopy(loaded[load, name])

        return copied

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "resolve_name", resolved)
        yield


@pytest.fixture(scope="module")
def one_thread():
    """One thread: sums in the same order, and no slowdown of small batches on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def carried_out() -> Callable[[DesignProblem, Path], Run]:
    """`carried_out(problem, folder) -> run`: a finished run, carried out in this process on one thread."""

    def do(problem: DesignProblem, folder: Path) -> Run:
        threads = torch.get_num_threads()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("OMP_NUM_THREADS", "1")
            run = store.create_in(problem, folder)
            InProcessExecutor().submit(run)
        torch.set_num_threads(threads)
        return run

    return do


@pytest.fixture
def runs_folder(tmp_path, monkeypatch):
    """The path of a runs folder of this test's own, not there yet. Runs take one thread, for equal sums, whether in
    this process or in workers; at the end every run is cancelled."""
    monkeypatch.setenv("TC_STUDIO_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.delenv("TC_STUDIO_STAND_BY", raising=False)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield tmp_path / "runs"
    torch.set_num_threads(threads)
    for run in store.list_runs():
        LocalProcessExecutor().cancel(run)
