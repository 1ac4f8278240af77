"""Work in the background: its states, the worker, cancelling, one at a time."""

import subprocess
import sys
import threading
import time

import pytest

from core.errors import InputError
from core.executors import background_work
from core.executors.background_work import (
    CANCEL,
    CANCELLED,
    FAILED,
    FINISHED,
    INTERRUPTED,
    LOCK,
    PROGRESS,
    QUEUED,
    RUNNING,
    cancel,
    carry_out,
    start,
    state,
    write_progress,
)
from core.files import acquire_lock, write_json
from core.process_identity import identity_of


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr("core.processors.give_way", lambda: None)
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


def done(folder, work=lambda should_stop, told: True):
    return carry_out(folder, folder.parent / "slot.lock", "another work", work)


def test_a_folder_without_work_has_no_state(folder):
    assert not state(folder).state and not state(folder).active
    cancel(folder)
    assert not list(folder.iterdir())


def test_the_last_state_says_how_work_ended(folder):
    assert done(folder) == state(folder).state == FINISHED
    (folder / CANCEL).touch()
    assert done(folder, lambda should_stop, told: not should_stop()) == CANCELLED
    (folder / CANCEL).unlink()
    assert done(folder, lambda should_stop, told: False) == INTERRUPTED  # by a signal

    def fails(should_stop, told):
        raise InputError("formula", "Xx", "this is no element", "Check it")

    assert done(folder, fails) == FAILED and "this is no element" in state(folder).message

    def breaks(should_stop, told):
        raise RuntimeError("no memory")

    assert done(folder, breaks) == FAILED and "RuntimeError: no memory" in state(folder).message


def test_what_the_worker_does_is_told(folder):
    seen = []

    def work(should_stop, told):
        told("loading")
        seen.append(state(folder))
        return True

    assert done(folder, work) == FINISHED
    assert seen[0].state == RUNNING and seen[0].doing == "loading" and seen[0].active


def test_works_take_turns(folder):
    held = acquire_lock(folder.parent / "slot.lock", 1.0)
    assert held is not None
    worker = threading.Thread(target=done, args=(folder,))
    worker.start()
    while state(folder).doing != "waits for another work":
        time.sleep(0.01)
    assert state(folder).state == QUEUED and state(folder).active
    held.release()
    worker.join()
    assert state(folder).state == FINISHED


def test_a_folder_has_one_worker(folder, monkeypatch):
    held = acquire_lock(folder / LOCK, 1.0)
    assert held is not None
    monkeypatch.setattr(background_work, "acquire_lock", lambda path, timeout_s=0.0: acquire_lock(path))
    with pytest.raises(InputError, match="another worker"):
        done(folder)
    held.release()


def test_a_worker_that_does_not_stop_is_killed_within_two_seconds(folder, monkeypatch):
    program = (
        "import sys, time; from core.files import acquire_lock; from pathlib import Path\n"
        "lock = acquire_lock(Path(sys.argv[1]) / 'work.lock', 1.0); print('ready', flush=True); time.sleep(60)"
    )
    worker = subprocess.Popen([sys.executable, "-c", program, str(folder)], stdout=subprocess.PIPE)
    try:
        assert worker.stdout is not None and worker.stdout.readline()
        write_progress(folder, RUNNING, "relaxing", pid=worker.pid)
        monkeypatch.setattr(background_work, "_GRACE_S", 0.05)
        assert state(folder).active
        cancel(folder)
        assert state(folder).state == CANCELLED and not (folder / CANCEL).exists()
    finally:
        worker.kill()
        worker.wait()


def test_work_that_ends_by_itself_while_it_is_cancelled_is_finished(folder):
    begun = threading.Event()

    def end():
        held = acquire_lock(folder / LOCK, 1.0)
        assert held is not None
        write_progress(folder, RUNNING, "last step")
        begun.set()
        while not (folder / CANCEL).exists():
            time.sleep(0.01)
        write_progress(folder, FINISHED)
        held.release()

    worker = threading.Thread(target=end)
    worker.start()
    assert begun.wait(5.0)
    cancel(folder)
    worker.join()
    assert state(folder).state == FINISHED and not (folder / CANCEL).exists()


def test_a_worker_that_died_leaves_interrupted_work(folder):
    note = {"state": RUNNING, "process": identity_of(2**22 - 1).to_json(), "time": time.time()}
    write_json(folder / PROGRESS, note)
    assert state(folder).state == INTERRUPTED and not state(folder).active


def test_a_worker_is_started_as_a_process_of_its_own(folder):
    """A command that ends at once; its output is in the log."""
    (folder / CANCEL).touch()
    start(folder, ["--version"])
    assert not (folder / CANCEL).exists()
    while state(folder).active:
        time.sleep(0.02)
    assert state(folder).state == INTERRUPTED and (folder / background_work.LOG).exists()
