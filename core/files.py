"""Files that several processes share: atomic writes, JSON, and locks.

A file can be read at any time, so it is written under a temporary name in the same folder and then renamed.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from filelock import FileLock, Timeout

_REPLACE_ATTEMPTS, _REPLACE_RETRY_S = 20, 0.01
_PROBE_S = 0.02  # a reader that tests a lock holds it for less than this; an owner holds it until it ends


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a file so that a reader finds the old content or the new content, never a part of it.

    content : bytes, or text that is encoded as UTF-8

    Raises OSError if the file cannot be written.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    partial.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    for attempt in range(1, _REPLACE_ATTEMPTS + 1):
        try:
            return os.replace(partial, path)
        except PermissionError:  # on Windows, while another process reads the old file
            if attempt == _REPLACE_ATTEMPTS:
                raise
            time.sleep(_REPLACE_RETRY_S)


def remove_partial_files(folder: Path) -> None:
    """Remove the partial files that killed processes left in a folder. No process may be writing to the folder."""
    for partial in folder.glob(".*.partial"):
        partial.unlink(missing_ok=True)


def write_json(path: Path, content: dict) -> None:
    """Write a JSON object atomically. Raises OSError if the file cannot be written."""
    write_atomically(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def read_json(path: Path) -> dict | None:
    """The JSON object in a file; None if the file is missing, unreadable, or holds something else."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def acquire_lock(path: Path, timeout_s: float = 0.0) -> FileLock | None:
    """The lock on this file, acquired; None if another process still holds it after `timeout_s`.

    The lock is freed by `release()`, or by the system when the process ends.
    """
    lock = FileLock(path)
    try:
        lock.acquire(timeout=timeout_s, poll_interval=_PROBE_S / 4)
    except Timeout:
        return None
    return lock


def is_locked(path: Path) -> bool:
    """Whether a process holds the lock on this file; false where the file cannot be locked at all."""
    try:
        lock = acquire_lock(path, _PROBE_S)
    except OSError:  # no process can work in a folder without write permission
        return False
    if lock is None:
        return True
    lock.release()
    return False
