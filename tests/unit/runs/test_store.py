"""The folder of all runs: create, list, get, delete."""

from __future__ import annotations

import errno
import os
from dataclasses import replace

import pytest

from core import files
from core.errors import InputError
from core.files import acquire_lock
from core.runs import layout, store
from core.runs.status import Phase
from tests.unit.runs.sample import SMALL, unchecked_run

pytestmark = pytest.mark.usefixtures("runs_folder")


def test_list_get_delete(runs_folder):
    assert store.list_runs() == []
    made = [store.create(SMALL) for _ in range(3)]
    (runs_folder / "no-run").mkdir()
    (runs_folder / ".slots").mkdir()
    assert store.list_runs() == made[::-1]
    assert store.get(made[0].id) == made[0] and made[0].id.split("-")[2] == "LaFeAsO"
    assert made[0].status().phase is Phase.QUEUED and made[0].problem() == SMALL
    store.delete(made[0])
    assert store.get(made[0].id) is None and store.list_runs() == made[:0:-1]


@pytest.mark.parametrize("name", ["..", ".", "", "../runs", "a/../b", "/etc", "..\\x", ".hidden", "x\n", "no-such-run"])
def test_get_accepts_only_valid_run_ids(runs_folder, name):
    unchecked_run(runs_folder.parent / "outside", SMALL)
    assert store.get(name) is None
    assert store.get("../outside") is None


def test_no_folder_is_created_for_a_problem_with_errors(runs_folder):
    with pytest.raises(InputError) as caught:
        store.create(replace(SMALL, base="LaFeXx"))
    assert caught.value.field == "base"
    assert store.list_runs() == [] and not runs_folder.exists()


def test_a_run_is_created_only_in_a_new_or_empty_folder(tmp_path):
    (tmp_path / "empty").mkdir()
    assert store.create_in(SMALL, tmp_path / "empty").status().total_steps == 34
    (tmp_path / "file").touch()
    for taken in ("empty", "file"):
        with pytest.raises(InputError, match="not an empty folder") as caught:
            store.create_in(SMALL, tmp_path / taken)
        assert caught.value.field == "out"


def test_a_run_with_a_worker_cannot_be_deleted():
    run = store.create(SMALL)
    lock = acquire_lock(run.folder / layout.LOCK)
    assert lock is not None
    with pytest.raises(InputError, match="Cancel the run first"):
        store.delete(run)
    lock.release()
    store.delete(run)
    assert not run.folder.exists()


def test_a_run_that_cannot_be_written_leaves_nothing_and_says_why(runs_folder, monkeypatch):
    whole = files.open_private

    def full(path, mode, **options):
        if "problem" in path.name:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return whole(path, mode, **options)

    with monkeypatch.context() as patch:
        patch.setattr(files, "open_private", full)
        with pytest.raises(files.StorageError, match="the disk is full"):
            store.create(SMALL)
    assert list(runs_folder.iterdir()) == []
    assert store.create(SMALL).status().phase is Phase.QUEUED


def test_a_link_to_a_run_is_deleted_and_the_run_is_kept(runs_folder, tmp_path):
    run = unchecked_run(tmp_path / "elsewhere", SMALL)
    runs_folder.mkdir()
    (runs_folder / "link").symlink_to(run.folder)
    linked = store.get("link")
    assert linked is not None
    store.delete(linked)
    assert not (runs_folder / "link").exists() and (run.folder / layout.PROBLEM).exists()
