"""Files that several processes share: atomic writes, JSON, locks."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys

import pytest
from filelock import FileLock

from core import files


def test_a_write_replaces_the_file_and_leaves_nothing_beside_it(tmp_path):
    path = tmp_path / "a.txt"
    files.write_atomically(path, "Tc > 20 K, β = 1\n")
    assert path.read_bytes() == "Tc > 20 K, β = 1\n".encode()
    files.write_atomically(path, b"\x00\r\n")
    assert path.read_bytes() == b"\x00\r\n"
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_fails_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    files.write_atomically(path, "old")

    def refuse(*_):
        raise PermissionError("in use")

    monkeypatch.setattr(os, "replace", refuse)
    monkeypatch.setattr(files.time, "sleep", lambda _: None)
    with pytest.raises(PermissionError):
        files.write_atomically(path, "new")
    assert path.read_text() == "old"
    files.remove_partial_files(tmp_path)
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_is_tried_again_while_a_reader_is_in_the_way(tmp_path, monkeypatch):
    attempts, really = [], os.replace

    def replace(source, target):
        attempts.append(target)
        if len(attempts) < 3:
            raise PermissionError("in use")
        really(source, target)

    monkeypatch.setattr(os, "replace", replace)
    files.write_atomically(tmp_path / "a.txt", "new")
    assert len(attempts) == 3 and (tmp_path / "a.txt").read_text() == "new"


def test_json_goes_there_and_back_readably(tmp_path):
    path = tmp_path / "a.json"
    files.write_json(path, {"base": "β-FeSe", "steps": [1, 2], "best": None})
    assert files.read_json(path) == {"base": "β-FeSe", "steps": [1, 2], "best": None}
    assert "β-FeSe" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("text", [None, "", "{", "[1]", "3"])
def test_what_is_no_json_object_reads_as_none(tmp_path, text):
    path = tmp_path / "a.json"
    if text is not None:
        path.write_text(text)
    assert files.read_json(path) is None


def test_a_lock_is_seen_refused_and_freed(tmp_path):
    path = tmp_path / "a.lock"
    assert not files.is_locked(path)
    with FileLock(path):
        assert files.is_locked(path)
        assert files.acquire_lock(path) is None
    lock = files.acquire_lock(path)
    assert lock is not None and files.is_locked(path)
    lock.release()
    assert not files.is_locked(path)


def test_the_lock_of_a_killed_process_is_free(tmp_path):
    path = tmp_path / "a.lock"
    hold = "import sys, time; from core.files import acquire_lock as a; from pathlib import Path; "
    hold += "lock = a(Path(sys.argv[1])); print(lock is not None, flush=True); time.sleep(600)"
    process = subprocess.Popen([sys.executable, "-c", hold, str(path)], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None and process.stdout.readline() == b"True\n"
        assert files.is_locked(path)
    finally:
        process.kill()
        process.wait()
    assert not files.is_locked(path)


def test_a_folder_that_is_not_there_holds_no_lock(tmp_path):
    (tmp_path / "file").touch()
    assert not files.is_locked(tmp_path / "file" / "a.lock")


def test_files_and_folders_of_runs_are_for_their_owner(tmp_path):
    folder = tmp_path / "a" / "b"
    files.make_private_folder(folder)
    files.make_private_folder(folder)
    files.write_json(folder / "x.json", {}, private=True, durable=True)
    with files.open_private(folder / "y", "ab") as file:
        file.write(b"1")
    modes = [path.stat().st_mode & 0o777 for path in (tmp_path / "a", folder, folder / "x.json", folder / "y")]
    assert modes == [0o700, 0o700, 0o600, 0o600]


def test_a_failed_write_keeps_the_old_content_and_leaves_nothing(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    files.write_atomically(path, "old")

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        files.write_atomically(path, "new", durable=True)
    assert path.read_text() == "old" and [each.name for each in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.parametrize("text", ['{"a": 1}\n', '{"a": 12345678901234567890}\n'])
def test_a_file_is_overwritten_in_its_own_space(tmp_path, text):
    path = tmp_path / "a.json"
    path.write_text('{"phase": "running"}\n')
    files.write_in_place(path, text)
    assert files.read_json(path) is not None or "1234567890123456789" in path.read_text()
    assert json.loads(path.read_text()) == json.loads(text)


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "the disk is full"), (errno.EDQUOT, "the disk is full"), (errno.EROFS, "cannot be written"),
     (errno.EACCES, "cannot be written"), (errno.EIO, "the system reports")],
)  # fmt: skip
def test_an_error_of_the_disk_has_its_reason_and_a_remedy(tmp_path, number, words):
    with pytest.raises(files.StorageError, match=words), files.storage_errors(tmp_path):
        raise OSError(number, os.strerror(number))


def test_a_pipe_is_refused_instead_of_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="regular"):
        files.read_bounded(tmp_path / "pipe", 10)
    assert files.read_json(tmp_path / "pipe") is None


def test_a_missing_lock_file_is_not_created_by_a_reader(tmp_path):
    assert not files.is_locked(tmp_path / "a.lock") and not (tmp_path / "a.lock").exists()
