"""The warm worker ends with the process that holds it, and can be switched off."""

from __future__ import annotations

from core.executors.warm_worker import WarmWorker
from tests.unit.runs.sample import DEADLINE_S


def test_a_warm_worker_ends_when_its_standard_input_is_closed(runs_folder):
    warm = WarmWorker()
    warm.prepare()
    process = warm.take()
    assert process is not None and process.stdin is not None and warm.pid is None
    process.stdin.close()  # as when the server ends, however it does
    assert process.wait(DEADLINE_S) == 0


def test_sending_fails_if_the_worker_has_ended_since_it_was_taken(runs_folder):
    warm = WarmWorker()
    warm.prepare()
    process = warm.take()
    assert process is not None
    process.kill()
    process.wait(DEADLINE_S)
    assert not warm.send(process, runs_folder)


def test_warm_workers_can_be_switched_off(monkeypatch):
    monkeypatch.setenv("TC_STUDIO_STAND_BY", "0")
    warm = WarmWorker()
    warm.prepare()
    assert warm.pid is None and warm.take() is None
