"""Fixtures that tests of several folders share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from core.executors import worker
from core.problem.problem import DesignProblem
from core.runs import store
from core.runs.store import Run


@pytest.fixture(scope="module")
def one_thread():
    """Sums in the same order; and small batches are no faster with more threads, and much slower on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def carried_out() -> Callable[[DesignProblem, Path], Run]:
    """`carried_out(problem, folder) -> run`: a run that is really done, in this process, on one thread."""

    def do(problem: DesignProblem, folder: Path) -> Run:
        threads = torch.get_num_threads()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("OMP_NUM_THREADS", "1")
            run = store.create_in(problem, folder)
            worker.work(run.folder, wait=False)
        torch.set_num_threads(threads)
        return run

    return do
