"""The worker that waits: it takes one run, and ends with whoever held it."""

from __future__ import annotations

import time

import pytest

from core.executors.warm_worker import StandBy
from core.problem.problem import DesignProblem
from core.problem.settings import OptimiserSettings
from core.runs import store
from core.runs.store import Phase

SMALL = DesignProblem(base="LaFeAsO", settings=OptimiserSettings(candidates=8, steps=(2, 4)), device="cpu")
DEADLINE_S = 180  # generous: this is no test of speed


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("TC_STUDIO_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.delenv("TC_STUDIO_STAND_BY", raising=False)


def until_ended(run: store.Run) -> store.RunStatus:
    deadline = time.monotonic() + DEADLINE_S
    while run.status().phase in store.ACTIVE:
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
    return run.status()


def test_the_worker_that_waits_does_the_run_and_says_so_in_its_log():
    waiting = StandBy()
    waiting.prepare()
    process = waiting._process
    waiting.prepare()  # there is one
    assert waiting._process is process
    run = store.create(SMALL)
    store.start(run, waiting)
    assert store.read_json(run.folder / store.START)["pid"] == process.pid
    status = until_ended(run)
    assert status.phase is Phase.FINISHED, status.message
    assert process.wait(DEADLINE_S) == 0
    assert "The run is finished" in (run.folder / store.LOG).read_text()
    assert waiting._process is None  # it takes one run


def test_a_worker_that_begins_at_once_finds_its_start_noted(monkeypatch):
    """It clears away half-written files of a worker that was killed; none of them may be of who started it."""
    waiting, noted = StandBy(), []
    waiting.prepare()
    send = waiting.send

    def sent(process, folder):
        noted.append(store.read_json(folder / store.START)["pid"] == process.pid)
        return send(process, folder)

    monkeypatch.setattr(waiting, "send", sent)
    run = store.create(SMALL)
    before = store.write_json
    monkeypatch.setattr(store, "write_json", lambda path, content: (noted.append(path.name), before(path, content)))
    store.start(run, waiting)
    assert noted[-2:] == [store.START, True]  # noted, sent, left alone
    assert until_ended(run).phase is Phase.FINISHED


def test_a_worker_that_died_while_it_waited_is_replaced_by_a_new_one():
    waiting = StandBy()
    waiting.prepare()
    waiting._process.kill()
    waiting._process.wait(DEADLINE_S)
    run = store.create(SMALL)
    store.start(run, waiting)
    assert until_ended(run).phase is Phase.FINISHED


def test_it_ends_when_nobody_can_send_it_a_run_any_more():
    waiting = StandBy()
    waiting.prepare()
    waiting._process.stdin.close()  # as when the server ends, however it does
    assert waiting._process.wait(DEADLINE_S) == 0


def test_it_can_be_switched_off(monkeypatch):
    monkeypatch.setenv("TC_STUDIO_STAND_BY", "0")
    waiting = StandBy()
    waiting.prepare()
    assert waiting._process is None and waiting.take() is None
