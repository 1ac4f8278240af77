"""Files that several processes share: atomic writes, JSON, locks, and errors of the disk.

A file can be read at any time, so it is written under a temporary name in the same folder and then renamed. Files of
runs can be read by their owner only.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from filelock import FileLock, Timeout

from core import json_text
from core.errors import InputError
from core.limits import DOCUMENT_BYTES

PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700  # for the owner only
_REPLACE_ATTEMPTS, _REPLACE_RETRY_S = 20, 0.01
_PROBE_S = 0.02  # a reader that tests a lock holds it for less than this; an owner holds it until it ends
_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class StorageError(InputError):
    """The disk or the folder does not take a file: full, read-only, not permitted. Names the reason and a remedy."""


@contextmanager
def storage_errors(path: Path, field: str = "folder") -> Generator[None]:
    """Turns an OSError of the block into a StorageError about `path`."""
    try:
        yield
    except OSError as error:
        raise storage_error(error, path, field) from error


def storage_error(error: OSError, path: Path, field: str = "folder") -> StorageError:
    """The StorageError for an OSError while `path` was written."""
    reason = error.strerror or type(error).__name__
    if error.errno in _NO_SPACE:
        return StorageError(field, path, f"the disk is full ({reason})", "Free space, for example by deleting old "
                            "runs, and start again; nothing that was stored is lost")  # fmt: skip
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        remedy = "Permit writing, or choose another folder (TC_STUDIO_RUNS names that of the app)"
        return StorageError(field, path, f"it cannot be written ({reason})", remedy)
    return StorageError(field, path, f"the system reports: {reason}", "Check the disk and the name of the folder")


def make_private_folder(folder: Path) -> None:
    """Create a folder, and those above it, which only its owner may read; one that exists stays as it is."""
    if not folder.is_dir():
        make_private_folder(folder.parent)
        with suppress(FileExistsError):  # another process was faster
            folder.mkdir(PRIVATE_FOLDER)


def open_private(path: Path, mode: str, **options: Any) -> IO[Any]:
    """`open`, where a new file can be read by its owner only."""
    return open(path, mode, opener=lambda name, flags: os.open(name, flags, PRIVATE_FILE), **options)


def write_atomically(path: Path, content: str | bytes, *, durable: bool = False, private: bool = False) -> None:
    """Write a file so that a reader finds the old content or the new content, never a part of it.

    content : bytes, or text that is encoded as UTF-8
    durable : return only when the disk has the file and its name, so that a power failure does not undo it
    private : only the owner may read the file

    Raises OSError if the file cannot be written; the old content then stays, and no temporary file.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with open_private(partial, "wb") if private else partial.open("wb") as file:
            file.write(content.encode("utf-8") if isinstance(content, str) else content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        _replace(partial, path)
    except OSError:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise
    if durable:
        flush_folder(path.parent)


def _replace(partial: Path, path: Path) -> None:
    for attempt in range(1, _REPLACE_ATTEMPTS + 1):
        try:
            return os.replace(partial, path)
        except PermissionError:  # on Windows, while another process reads the old file
            if attempt == _REPLACE_ATTEMPTS:
                raise
            time.sleep(_REPLACE_RETRY_S)


def flush_folder(folder: Path) -> None:
    """Wait until the disk has the names in a folder; without effect where folders cannot be opened (Windows)."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_in_place(path: Path, content: str) -> None:
    """Overwrite a file in the space that it has, for a disk without space for a second file.

    The text is padded with blanks to the old size, so that a reader of JSON never sees the end of the old content.
    Raises OSError if the file is missing or cannot be written.
    """
    encoded = content.encode("utf-8")
    with path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        file.write(encoded.rstrip(b"\n").ljust(size - 1) + b"\n" if size > len(encoded) else encoded)


def replace_by_file(path: Path) -> None:
    """Make way for a file: remove what has its name and is no regular file. Raises OSError."""
    if path.is_symlink() or (path.exists() and not path.is_file() and not path.is_dir()):
        path.unlink()
    elif path.is_dir():
        shutil.rmtree(path)


def remove_partial_files(folder: Path) -> None:
    """Remove the partial files that killed processes left in a folder. No process may be writing to the folder."""
    for partial in folder.glob(".*.partial"):
        partial.unlink(missing_ok=True)


def json_content(content: dict) -> str:
    """A JSON object as the text of a file."""
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def write_json(path: Path, content: dict, *, durable: bool = False, private: bool = False) -> None:
    """Write a JSON object atomically, see `write_atomically`. Raises OSError if the file cannot be written."""
    write_atomically(path, json_content(content), durable=durable, private=private)


def read_bounded(path: Path, most_bytes: int) -> bytes:
    """The bytes of a regular file, at most one more than `most_bytes`. Raises OSError, also for a pipe or a device."""
    if not path.is_file():  # opening a pipe would wait for its writer
        path.stat()
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
    with path.open("rb") as file:
        return file.read(most_bytes + 1)


def read_json(path: Path) -> dict | None:
    """The JSON object in a file; None if the file is missing, unreadable, too large, or holds something else."""
    try:
        content = json_text.parse(read_bounded(path, DOCUMENT_BYTES), DOCUMENT_BYTES)
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def acquire_lock(path: Path, timeout_s: float = 0.0) -> FileLock | None:
    """The lock on this file, acquired; None if another process still holds it after `timeout_s`.

    The lock is freed by `release()`, or by the system when the process ends. Raises OSError if the file cannot be
    opened.
    """
    lock = FileLock(path, mode=PRIVATE_FILE)
    try:
        lock.acquire(timeout=timeout_s, poll_interval=_PROBE_S / 4)
    except Timeout:
        return None
    return lock


def is_locked(path: Path) -> bool:
    """Whether a process holds the lock on this file; false where the file cannot be locked at all.

    A file that does not exist is locked by nobody, and is not created.
    """
    if not path.is_file():
        return False
    try:
        lock = acquire_lock(path, _PROBE_S)
    except (OSError, RuntimeError):  # no process can work in a folder without write permission
        return False
    if lock is None:
        return True
    lock.release()
    return False
