"""The worker process of a run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from core.errors import InputError
from core.files import write_json
from core.process_identity import this_process
from core.runs import layout, ownership, store
from core.runs.documents import WORKER
from core.runs.status import Phase, RunStatus, write_status
from tests.unit.runs.sample import SMALL, wait_until


@pytest.fixture
def running(runs_folder):
    """A run whose stored status is RUNNING, with no worker."""
    run = store.create(SMALL)
    write_status(run.folder, RunStatus(Phase.RUNNING, 1, 3, 34))
    return run


def test_a_worker_holds_the_lock_and_records_its_process_id(running):
    (running.folder / ".status.json.1.partial").touch()  # of a killed worker
    assert not ownership.was_started(running.folder) and ownership.worker_pid(running.folder) is None
    with ownership.owned(running.folder):
        assert ownership.has_worker(running.folder) and ownership.was_started(running.folder)
        assert ownership.worker_pid(running.folder) == os.getpid()
        assert not list(running.folder.glob(".*.partial"))
        assert running.status().phase is Phase.RUNNING
    assert not ownership.has_worker(running.folder)


def test_a_second_worker_is_refused(running, monkeypatch):
    monkeypatch.setattr(ownership, "LOCK_TIMEOUT_S", 0.05)
    with ownership.owned(running.folder), pytest.raises(InputError, match="already"), ownership.owned(running.folder):
        pass


def test_a_running_run_with_a_free_lock_is_interrupted(running):
    write_json(running.folder / layout.WORKER, {"pid": 1})
    status = running.status()
    assert (status.phase, status.step) == (Phase.INTERRUPTED, 3)
    assert running.stored_status().phase is Phase.RUNNING


def test_a_starting_worker_has_time_to_acquire_the_lock(running):
    now = time.time()
    ownership.record_start(running.folder, now, os.getpid())
    assert running.status().phase is Phase.RUNNING
    assert ownership.start_time_s(running.folder) == now
    ownership.record_start(running.folder, now - 60, os.getpid())
    assert running.status().phase is Phase.INTERRUPTED


def test_a_starting_worker_without_a_known_process_id_counts_as_a_worker(running):
    ownership.record_start(running.folder, time.time(), None)
    assert running.status().phase is Phase.RUNNING


@pytest.mark.skipif(os.name != "posix", reason="only there can a process be asked for")
def test_a_worker_that_ended_before_it_acquired_the_lock_is_detected_at_once(running):
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    ownership.record_start(running.folder, time.time(), process.pid)
    assert running.status().phase is Phase.INTERRUPTED


@pytest.fixture
def elsewhere(running):
    """worker.json of a worker on another machine, which it has just renewed."""
    process = replace(this_process(), host="cluster-7 0a1b", pid=1)
    note = {"time": time.time(), "pid": 1, "process": process.to_json(), "folder": "/other/name/of/this/folder"}
    write_json(running.folder / layout.WORKER, note)
    yield running.folder / layout.WORKER
    (running.folder / layout.WORKER).unlink(missing_ok=True)


def test_a_worker_elsewhere_counts_as_long_as_it_renews_its_file(running, elsewhere):
    assert ownership.has_worker_elsewhere(running.folder) and running.status().phase is Phase.RUNNING
    with pytest.raises(InputError, match="another worker on cluster-7"), ownership.owned(running.folder):
        pass
    os.utime(elsewhere, (time.time() - 120, time.time() - 120))
    assert not ownership.has_worker(running.folder) and running.status().phase is Phase.INTERRUPTED
    with ownership.owned(running.folder):
        assert ownership.worker_pid(running.folder) == os.getpid()


def test_a_worker_renews_its_file_and_says_when_it_has_ended(running, monkeypatch):
    monkeypatch.setattr(ownership, "HEARTBEAT_S", 0.01)
    path = running.folder / layout.WORKER
    with ownership.owned(running.folder):
        os.utime(path, (1, 1))
        wait_until(lambda: path.stat().st_mtime > 1)
        assert not WORKER.content(running.folder).get("ended")
    assert WORKER.content(running.folder)["ended"] is True


def test_a_copied_folder_does_not_name_the_worker_of_the_original(running, tmp_path):
    with ownership.owned(running.folder):
        assert ownership.worker_process(running.folder) == this_process()
        copy = shutil.copytree(running.folder, tmp_path / "copy")
        assert ownership.worker_process(copy) is None and not ownership.has_worker(copy)


@pytest.mark.parametrize("content", ["{}", "[]", '{"time": "now", "pid": 1}', '{"time": 1e400, "pid": 1}', "\0\0"])
def test_a_damaged_note_names_no_worker(running, content):
    for name in (layout.START, layout.WORKER):
        (running.folder / name).write_text(content)
        assert not ownership.has_worker(running.folder) and ownership.worker_pid(running.folder) is None
    assert ownership.start_time_s(running.folder) <= time.time()
