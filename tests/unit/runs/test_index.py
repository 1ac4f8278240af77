"""The index of a runs folder: what the folders say, without opening them again."""

from __future__ import annotations

import pytest

from core.runs import index, layout
from core.runs.run import Run
from core.runs.status import Phase, RunStatus, write_status
from tests.unit.runs.damages import FINISHED, INTERRUPTED, stored_run


@pytest.fixture
def folder(tmp_path):
    stored_run(FINISHED, tmp_path / "a.b")
    stored_run(INTERRUPTED, tmp_path / "a_b")
    (tmp_path / "not a run").mkdir()
    return tmp_path


def test_entries_say_what_the_folders_say(folder):
    newer, older = index.entries(folder)
    assert (newer.id, newer.phase, newer.base, newer.best_tc_K) == ("a_b", Phase.RUNNING, "LaFeAsO", None)
    assert (older.id, older.phase, older.n_passing) == ("a.b", Phase.FINISHED, 12)
    assert older.best_tc_K == Run(folder / "a.b").summary()["best_tc_K"]


def test_folders_that_did_not_change_are_not_opened_again(folder, monkeypatch):
    first = index.entries(folder)
    opened = []
    really = index._base
    monkeypatch.setattr(index, "_base", lambda each: opened.append(each.name) or really(each))
    assert index.entries(folder) == first and opened == ["a_b"]  # it has not ended
    write_status(folder / "a.b", RunStatus(Phase.CANCELLED, 1, 2, 8))
    assert {entry.id: entry.phase for entry in index.entries(folder)}["a.b"] is Phase.CANCELLED
    assert opened == ["a_b", "a.b", "a_b"] or opened == ["a_b", "a_b", "a.b"]


@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b'{"version": 1, "runs": [[1]]}', b"\xff",
                                     b'{"version": 1, "runs": [["a.b", -1, "x", "finished", "", null, null]]}',
                                     b'{"version": 99, "runs": []}'])  # fmt: skip
def test_a_missing_or_damaged_index_is_made_anew(folder, content):
    expected = index.entries(folder)
    path = folder / index.FILE
    whole = path.read_bytes()
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    assert index.entries(folder) == expected and path.read_bytes() == whole


def test_deleted_runs_leave_the_index(folder):
    index.entries(folder)
    for path in (folder / "a.b").iterdir():
        path.unlink()
    (folder / "a.b").rmdir()
    assert [entry.id for entry in index.entries(folder)] == ["a_b"]


def test_a_damaged_run_is_listed(folder):
    (folder / "a.b" / layout.RESULT).unlink()
    (folder / "a.b" / layout.RESULT).write_text("[]")
    assert {entry.id: entry.phase for entry in index.entries(folder)}["a.b"] is Phase.DAMAGED


def test_a_missing_folder_has_no_runs(tmp_path):
    assert index.entries(tmp_path / "nowhere") == []
