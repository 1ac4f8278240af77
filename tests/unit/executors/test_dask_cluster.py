"""Runs as tasks of a cluster of processes of this machine: killed, cancelled, stopped by their limit of time."""

from __future__ import annotations

import json
import os
import signal
import threading
from dataclasses import replace

import dask
import pytest

from core.executors.clusters import connected
from core.executors.dask_cluster import DaskExecutor, SchedulerLostError, sleep_task
from core.files import is_locked
from core.problem.settings import OptimiserSettings
from core.runs import layout, store
from core.runs.ownership import worker_pid
from core.runs.run import Run
from core.runs.status import Phase
from tests.unit.runs.sample import ENDLESS, SMALL, assert_same_files, wait_until

LONGER = replace(SMALL, settings=OptimiserSettings(candidates=8, steps=(4, 100)))


@pytest.fixture(scope="module")
def client():
    with connected("local", 1, 1, None) as found:
        yield found


def kill_after_stage_1(run: Run) -> None:
    """Kill the worker of a run once the run has a resume point."""
    wait_until(lambda: run.stored_status().step >= 4 and run.has_resume_point())
    os.kill(worker_pid(run.folder), getattr(signal, "SIGKILL", signal.SIGTERM))


def ended(executor: DaskExecutor) -> Run:
    found: list[Run] = []

    def one_has() -> bool:
        run = executor.next_ended([], 0.1)
        found.extend([run] if run else [])
        return bool(found)

    wait_until(one_has)
    return found[0]


def test_a_run_with_a_killed_worker_resumes_on_its_replacement_and_ends_with_the_same_files(
    client, tmp_path, carried_out
):
    executor = DaskExecutor(client)
    run, waiting = store.create_in(LONGER, tmp_path / "killed", 1), store.create_in(SMALL, tmp_path / "waiting", 1)
    killer = threading.Thread(target=kill_after_stage_1, args=(run,))
    killer.start()
    executor.submit(run)
    executor.submit(waiting)
    executor.submit(run)  # a submitted run is not submitted twice
    first = ended(executor)
    killer.join()
    assert first == run and run.status().phase is Phase.INTERRUPTED and run.has_resume_point()
    executor.submit(run)
    assert {ended(executor), ended(executor)} == {run, waiting}
    assert run.status().phase is waiting.status().phase is Phase.FINISHED
    assert_same_files(run, carried_out(LONGER, tmp_path / "undisturbed"))
    executor.submit(run)  # a finished run is not done again
    assert executor.next_ended([run], 0.1) is None


def test_a_worker_that_is_replaced_slowly_is_not_given_up(client):
    """Dask closes a worker of this machine whose replacement is not there in time: after 15 s, unless it is told."""
    assert dask.config.get("distributed.deploy.lost-worker-timeout") == "3600 s"


def test_a_run_at_work_is_cancelled_and_another_stops_at_its_limit_of_time(client, tmp_path):
    executor = DaskExecutor(client)
    run = store.create_in(ENDLESS, tmp_path / "cancelled", 1)
    executor.submit(run)
    wait_until(lambda: run.stored_status().step > 0)
    executor.cancel(run)
    assert run.status().phase is Phase.CANCELLED and not is_locked(run.folder / layout.LOCK)
    limited = DaskExecutor(client, minutes_per_run=0.001)
    stopped = store.create_in(ENDLESS, tmp_path / "stopped", 1)
    limited.submit(stopped)
    assert ended(limited) == stopped and stopped.status().phase is Phase.STOPPED and len(stopped.candidates())


def test_a_run_that_no_worker_can_begin_fails_with_the_reason(client, tmp_path):
    executor = DaskExecutor(client)
    run = store.create_in(SMALL, tmp_path / "run", 1)
    executor.submit(run)
    (run.folder / layout.PROBLEM).unlink()  # as on a machine that does not share the folder
    assert ended(executor) == run
    status = json.loads((run.folder / layout.STATUS).read_text())
    assert status["phase"] == "failed" and "could not begin" in status["message"]
    assert "problem.json is missing" in status["message"]


def test_tasks_can_be_counted_on_this_cluster(client):
    assert DaskExecutor(client).capacity() == 1
    assert client.gather(client.map(sleep_task, [0.0] * 5, range(5))) == list(range(5))


def test_a_closed_scheduler_is_an_error():
    with connected("local", 1, 1, None) as client:
        executor = DaskExecutor(client)
    assert executor.capacity() == 0
    with pytest.raises(SchedulerLostError):
        executor.next_ended([], 0.1)
