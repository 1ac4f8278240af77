"""Runs in worker processes of this machine: started, killed, resumed, cancelled, and taking turns."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace

import pytest
from filelock import FileLock

from core.executors import queue
from core.executors.local_process import LocalProcessExecutor
from core.executors.warm_worker import WarmWorker
from core.files import is_locked, read_json
from core.runs import layout, store
from core.runs.ownership import worker_pid
from core.runs.run import Run
from core.runs.status import ACTIVE, Phase
from tests.unit.runs.sample import DEADLINE_S, ENDLESS, SMALL, assert_same_files, wait_until

pytestmark = pytest.mark.usefixtures("runs_folder")


@pytest.fixture
def executor() -> LocalProcessExecutor:
    return LocalProcessExecutor()


@pytest.fixture(scope="module")
def finished(carried_out, tmp_path_factory):
    """SMALL, carried out in this process without interruption."""
    return carried_out(SMALL, tmp_path_factory.mktemp("finished") / "run")


def kill_worker(run: Run, number: int) -> None:
    pid = worker_pid(run.folder)
    assert pid is not None and pid != os.getpid()
    os.kill(pid, number)


def test_a_run_with_a_killed_worker_resumes_and_ends_with_the_same_files(executor, finished):
    run = store.create(SMALL)
    executor.submit(run)
    wait_until(lambda: executor.poll(run).step >= 4)  # after stage 1, when a resume point is stored
    kill_worker(run, getattr(signal, "SIGKILL", signal.SIGTERM))
    status = executor.wait(run, DEADLINE_S)
    assert status.phase is Phase.INTERRUPTED and "Start the run again" in status.message
    assert not (run.folder / layout.CSV).exists()
    executor.submit(run)
    status = executor.wait(run, DEADLINE_S)
    assert status.phase is Phase.FINISHED, status.message
    assert_same_files(run, finished)


def test_a_worker_stops_on_sigterm_and_on_cancel_and_the_run_can_be_resumed(executor):
    run = store.create(ENDLESS)
    executor.submit(run)
    wait_until(lambda: executor.poll(run).step > 0)
    kill_worker(run, signal.SIGTERM)
    reached = executor.wait(run, DEADLINE_S)
    assert reached.phase is Phase.INTERRUPTED
    if os.name == "posix":
        wait_until(lambda: run.stored_status().phase is Phase.INTERRUPTED)  # written by the worker itself
        assert (run.folder / layout.RESUME).exists()
    executor.submit(run)
    wait_until(lambda: executor.poll(run).step > reached.step)
    executor.submit(run)  # a run with a worker is left alone
    executor.cancel(run)
    assert executor.poll(run).phase is Phase.CANCELLED
    assert not is_locked(run.folder / layout.LOCK)
    store.delete(run)
    assert not run.folder.exists()


def test_a_finished_run_is_not_repeated(executor, finished):
    before = (finished.folder / layout.CSV).stat().st_mtime_ns
    executor.submit(finished)
    executor.cancel(finished)
    assert executor.poll(finished).phase is Phase.FINISHED
    assert (finished.folder / layout.CSV).stat().st_mtime_ns == before


def test_wait_raises_timeout_error(executor):
    with pytest.raises(TimeoutError, match="still queued"):
        executor.wait(store.create(SMALL), timeout_s=0.1)


def test_runs_take_turns(executor, runs_folder):
    assert executor.capacity() == 1
    slots = runs_folder / queue.SLOTS
    slots.mkdir(parents=True)
    first, second = store.create(SMALL), store.create(replace(SMALL, seed=8))
    with FileLock(slots / "place-0.lock"):  # the turn of another server's run
        executor.submit(first)
        executor.submit(second)
        wait_until(lambda: len(list(slots.glob("*.ticket"))) == 2)
        assert {executor.poll(first).phase, executor.poll(second).phase} == {Phase.QUEUED}
    at_work = {Phase.RUNNING, Phase.SCREENING}
    while (phases := [executor.poll(run).phase for run in (first, second)]) != [Phase.FINISHED] * 2:
        assert sum(phase in at_work for phase in phases) <= executor.capacity()
        assert set(phases) <= at_work | {Phase.QUEUED, Phase.FINISHED}
        time.sleep(0.02)
    assert first.provenance()["finished"] < second.provenance()["started"]
    assert not list(slots.glob("*.ticket"))


def test_a_waiting_run_is_cancelled_without_a_slot(executor, runs_folder):
    run = store.create(SMALL)
    (runs_folder / queue.SLOTS).mkdir()
    with FileLock(runs_folder / queue.SLOTS / "place-0.lock"):
        executor.submit(run)
        executor.cancel(run)
        assert executor.poll(run).phase is Phase.CANCELLED


# With a warm worker.


def test_a_warm_worker_carries_out_one_run_and_writes_to_its_log():
    """The start is recorded before the worker is sent, and nothing is written afterwards: a worker removes partial
    files when it begins, and none of them may belong to the process that started it."""

    class Watched(WarmWorker):
        written: dict[str, int]

        def send(self, process, folder):
            assert (read_json(folder / layout.START) or {})["pid"] == process.pid
            assert not (folder / layout.WORKER).exists()
            self.written = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
            return True  # sent later

    warm = Watched()
    executor = LocalProcessExecutor(warm)
    executor.prepare()
    pid = warm.pid
    executor.prepare()  # one waits already
    assert pid is not None and warm.pid == pid
    taken = []
    warm.take = lambda take=warm.take: taken.append(take()) or taken[0]
    run = store.create(SMALL)
    executor.submit(run)
    assert warm.pid is None and taken[0].pid == pid
    assert {path.name: path.stat().st_mtime_ns for path in run.folder.iterdir()} == warm.written
    assert WarmWorker().send(taken[0], run.folder)
    status = executor.wait(run, DEADLINE_S)
    assert status.phase is Phase.FINISHED, status.message
    assert worker_pid(run.folder) == pid and taken[0].wait(DEADLINE_S) == 0
    wait_until(lambda: "The run is finished" in (run.folder / layout.LOG).read_text())


def test_a_cold_worker_replaces_a_warm_worker_that_has_ended():
    warm = WarmWorker()
    executor = LocalProcessExecutor(warm)
    executor.prepare()
    assert warm.pid is not None
    os.kill(warm.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    wait_until(lambda: warm.pid is None)
    run = store.create(SMALL)
    executor.submit(run)
    assert executor.poll(run).phase in ACTIVE
    assert executor.wait(run, DEADLINE_S).phase is Phase.FINISHED
