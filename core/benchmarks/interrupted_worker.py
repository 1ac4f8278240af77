"""A worker whose n-th write to the disk kills it or fails: python -m core.benchmarks.interrupted_worker FOLDER BLOW.

Writes are those of `core.files`: a temporary file, its flush to the disk, its renaming, and appended records. On a disk
without space every write of new bytes fails from the n-th on; a file may still be overwritten in its own space, as on
most file systems. On a read-only disk everything fails. Prints the number of writes.
"""

from __future__ import annotations

import builtins
import io
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class Disk:
    """Counts the writes to a folder, and fails or kills at one of them."""

    def __init__(self, folder: Path, kind: str, number: int, error: int):
        self.folder, self.kind, self.number, self.error = str(folder), kind, number, error
        self.writes = 0

    def write(self, path: object, in_place: bool = False) -> None:
        """Count a write to a path; raises OSError, or does not return."""
        if not str(path).startswith(self.folder):
            return
        self.writes += 1
        if self.kind == "kill at a write" and self.writes == self.number:
            os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
        full = self.kind == "full disk" and not in_place
        if (full or self.kind == "read-only disk") and self.writes >= self.number:
            raise OSError(self.error, os.strerror(self.error), str(path))

    def attach(self) -> None:
        """Count the writes of this process."""
        for name in ("replace", "unlink"):
            setattr(os, name, self._wrapped(getattr(os, name), free=name == "unlink"))
        os.open = self._opening(os.open)  # ty: ignore[invalid-assignment] (the same signature)
        opened = builtins.open

        def open_(file: Any, mode: str = "r", *args: Any, **options: Any) -> Any:
            if set(mode) & set("wax+") and "opener" not in options and not isinstance(file, int):
                self.write(file, in_place=mode.startswith("r"))
            return opened(file, mode, *args, **options)

        for module in (builtins, io):  # pathlib takes that of io
            module.open = open_  # ty: ignore[invalid-assignment] (the same signature)

    def _wrapped(self, function: Callable[..., Any], free: bool) -> Callable[..., Any]:
        def wrapped(path: Any, *args: Any, **options: Any) -> Any:
            self.write(path, in_place=free)
            return function(path, *args, **options)

        return wrapped

    def _opening(self, function: Callable[..., int]) -> Callable[..., int]:
        def wrapped(path: Any, flags: int, *args: Any, **options: Any) -> int:
            if flags & _WRITING:
                self.write(path, in_place=not flags & (os.O_CREAT | os.O_TRUNC | os.O_APPEND))
            return function(path, flags, *args, **options)

        return wrapped


def main() -> int:
    """Carry out the run under the blow; exit code 1 unless it has finished."""
    from core.errors import InputError
    from core.executors.worker import work

    folder, blow = Path(sys.argv[1]).absolute(), json.loads(sys.argv[2])
    disk = Disk(folder, blow["kind"], blow["number"], blow["errno"])
    disk.attach()
    try:
        status = work(folder, take_turns=False)
    except InputError as error:
        print(error.message, file=sys.stderr)
        return 1
    finally:
        print(disk.writes)
    return 0 if status.phase == "finished" else 1


if __name__ == "__main__":
    sys.exit(main())
