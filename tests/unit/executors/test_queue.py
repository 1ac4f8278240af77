"""Slots and tickets of the local workers."""

from __future__ import annotations

import pytest

from core.executors import queue
from core.files import acquire_lock
from core.runs import layout, store
from core.runs.ownership import owned, record_start
from core.runs.status import Phase
from tests.unit.runs.sample import SMALL

pytestmark = pytest.mark.usefixtures("runs_folder")


@pytest.mark.parametrize(("given", "expected"), [("", 1), ("3", 3), ("0", 1), ("-2", 1), ("many", 1)])
def test_the_capacity_follows_the_environment(monkeypatch, given, expected):
    monkeypatch.setenv("TC_STUDIO_WORKERS", given)
    assert queue.capacity() == expected


def test_there_are_as_many_slots_as_the_capacity(runs_folder, monkeypatch):
    monkeypatch.setenv("TC_STUDIO_WORKERS", "2")
    runs_folder.mkdir()
    ticket = runs_folder / "0000000001.000000~mine.ticket"
    held = [queue.acquire_slot(runs_folder, ticket) for _ in range(2)]
    assert None not in held and queue.acquire_slot(runs_folder, ticket) is None
    for lock in held:
        lock.release()
    assert queue.acquire_slot(runs_folder, ticket) is not None


def test_an_older_ticket_goes_first_unless_its_worker_was_killed(runs_folder):
    first, second = store.create(SMALL), store.create(SMALL)
    slots = runs_folder / queue.SLOTS
    slots.mkdir()
    older, mine = (slots / f"000000000{n}.000000~{run.id}.ticket" for n, run in ((1, first), (2, second)))
    older.touch()
    lock = acquire_lock(first.folder / layout.LOCK)
    assert lock is not None and queue.acquire_slot(slots, mine) is None and older.exists()
    lock.release()
    slot = queue.acquire_slot(slots, mine)
    assert slot is not None and not older.exists()


def test_a_run_that_must_stop_while_it_waits_gets_no_slot(runs_folder, monkeypatch):
    monkeypatch.setattr(queue, "POLL_S", 0.01)
    run = store.create(SMALL)
    record_start(run.folder, 12.5, None)
    slots = runs_folder / queue.SLOTS
    slots.mkdir()
    lock = acquire_lock(slots / "place-0.lock")
    answers = iter([None, None, Phase.CANCELLED])
    tickets = []

    def should_stop():
        tickets.append([path.name for path in slots.glob("*.ticket")])
        return next(answers)

    with owned(run.folder), queue.turn(run, should_stop) as stopped:
        assert stopped is Phase.CANCELLED and run.status().phase is Phase.QUEUED
        assert not list(slots.glob("*.ticket"))
    assert tickets == [[f"0000000012.500000~{run.id}.ticket"]] * 3
    assert lock is not None
    lock.release()
    with owned(run.folder), queue.turn(run, lambda: None) as stopped:
        assert stopped is None and acquire_lock(slots / "place-0.lock") is None
    assert acquire_lock(slots / "place-0.lock") is not None
