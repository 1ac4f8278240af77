"""A worker that waits for a run: it has imported all that it will need, so that the run begins at once."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

from core.runs import store

WAIT = "-"  # in the place of a folder: the folder comes by standard input


class StandBy:
    """At most one waiting worker; it ends with the process that holds this."""

    def __init__(self):
        self._lock = threading.Lock()
        self._process: subprocess.Popen | None = None

    def prepare(self) -> None:
        """Have a worker that waits, of some 380 MB, unless TC_STUDIO_STAND_BY is 0."""
        if os.environ.get("TC_STUDIO_STAND_BY") == "0":
            return
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._process = store.new_worker(WAIT, stdin=subprocess.PIPE, output=subprocess.DEVNULL)

    def take(self) -> subprocess.Popen | None:
        """The waiting worker, which is to be sent to a run now; None if there is none."""
        with self._lock:
            process, self._process = self._process, None
        return process if process is not None and process.poll() is None else None

    @staticmethod
    def send(process: subprocess.Popen, folder: Path) -> bool:
        """Send a worker that was taken to the run in this folder; false if it has just ended."""
        try:
            process.stdin.write(f"{folder}\n".encode())
            process.stdin.close()
        except OSError:
            return False
        return True


def sent_to() -> Path | None:
    """Wait, in the worker, for the folder of a run, and speak into its log from then on; None if nobody sends it."""
    # What takes seconds, before anybody waits for it.
    import core.runs.execute  # noqa: F401
    from core.predictors.checkpoint import CheckpointError
    from core.predictors.control_model import load_judge
    from core.reference_data.references import load_references

    with suppress(CheckpointError):  # which the run will say itself
        load_references()
        load_judge()
    folder = sys.stdin.buffer.readline().decode().rstrip("\n")
    if not folder:
        return None
    with (Path(folder) / store.LOG).open("ab") as log:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(log.fileno(), stream.fileno())
    return Path(folder)
