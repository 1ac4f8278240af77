"""A disk that fails at its n-th write."""

from __future__ import annotations

import errno

import pytest

from core.benchmarks.interrupted_worker import Disk


def test_a_full_disk_refuses_new_bytes_from_the_nth_write_on_and_lets_files_be_overwritten(tmp_path):
    disk = Disk(tmp_path, "full disk", 2, errno.ENOSPC)
    disk.write(tmp_path / "a")
    for _ in range(2):
        with pytest.raises(OSError, match="No space"):
            disk.write(tmp_path / "a")
    disk.write(tmp_path / "a", in_place=True)
    disk.write("/elsewhere")
    assert disk.writes == 4  # those outside the folder do not count


def test_a_read_only_disk_refuses_everything(tmp_path):
    disk = Disk(tmp_path, "read-only disk", 1, errno.EROFS)
    with pytest.raises(OSError, match="Read-only"):
        disk.write(tmp_path / "a", in_place=True)


def test_without_a_blow_writes_are_only_counted(tmp_path):
    disk = Disk(tmp_path, "count", 0, 0)
    for _ in range(5):
        disk.write(tmp_path / "a")
    assert disk.writes == 5
