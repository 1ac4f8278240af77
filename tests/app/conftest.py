"""Fixtures for tests of the app."""

from __future__ import annotations

import functools
import shutil
from pathlib import Path

import pytest
from streamlit.components.v2 import manifest_scanner

from core.problem.problem import DesignProblem
from core.problem.settings import NEAREST, OptimiserSettings
from core.runs import store
from core.runs.run import Run
from core.runs.status import Phase, RunStatus, write_status

# Rounding to the nearest formula makes some candidates fail the screens.
PROBLEM = DesignProblem(
    base="LaFeAsO", settings=OptimiserSettings(candidates=24, steps=(6, 10), rounding=NEAREST), seed=1, device="cpu"
)


@pytest.fixture(scope="session", autouse=True)
def packages_are_scanned_once():
    """Every page looks through all installed packages for components, of which there are the same each time."""
    with pytest.MonkeyPatch.context() as patch:
        once = functools.cache(manifest_scanner.scan_component_manifests)
        patch.setattr(manifest_scanner, "scan_component_manifests", once)
        yield


@pytest.fixture(autouse=True)
def no_warm_worker(monkeypatch):
    """Pages start no worker in advance: most tests need none, and its imports would slow them down."""
    monkeypatch.setenv("TC_STUDIO_STAND_BY", "0")


@pytest.fixture
def empty_runs_folder(tmp_path, monkeypatch) -> Path:
    """A runs folder for this test."""
    folder = tmp_path / "runs"
    folder.mkdir()
    monkeypatch.setenv("TC_STUDIO_RUNS", str(folder))
    return folder


@pytest.fixture(scope="session")
def stored_run(carried_out, tmp_path_factory) -> Run:
    """A finished run of PROBLEM."""
    return carried_out(PROBLEM, tmp_path_factory.mktemp("stored") / "lafeaso")


@pytest.fixture
def finished_run(stored_run, empty_runs_folder) -> Run:
    """A finished run of PROBLEM in the runs folder of this test."""
    shutil.copytree(stored_run.folder, empty_runs_folder / stored_run.id)
    return Run(empty_runs_folder / stored_run.id)


@pytest.fixture
def unfinished_run(empty_runs_folder):
    """`unfinished_run(phase, message="") -> run`: a run with this status and without a worker."""

    def create(phase: Phase, message: str = "") -> Run:
        run = store.create_in(PROBLEM, empty_runs_folder / "other")
        write_status(run.folder, RunStatus(phase, 1, 3, 16, elapsed_s=2.0, message=message))
        return run

    return create
