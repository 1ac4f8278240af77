"""A warm worker: a worker process that has imported its modules and waits for the folder of a run."""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path

from core.executors.worker import FOLDER_FROM_STDIN
from core.executors.worker_process import start_worker


class WarmWorker:
    """At most one waiting worker process, of about 380 MB. It ends with the process that holds this object."""

    def __init__(self):
        self._lock = threading.Lock()
        self._process: subprocess.Popen | None = None

    def prepare(self) -> None:
        """Start a waiting worker, unless there is one or the environment variable TC_STUDIO_STAND_BY is 0."""
        if os.environ.get("TC_STUDIO_STAND_BY") == "0":
            return
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._process = start_worker(FOLDER_FROM_STDIN, stdin=subprocess.PIPE, output=subprocess.DEVNULL)

    @property
    def pid(self) -> int | None:
        """Process id of the waiting worker; None if none waits."""
        with self._lock:
            return self._process.pid if self._process is not None and self._process.poll() is None else None

    def take(self) -> subprocess.Popen | None:
        """The waiting worker, which the caller must then `send` to a run; None if none waits."""
        with self._lock:
            process, self._process = self._process, None
        return process if process is not None and process.poll() is None else None

    def send(self, process: subprocess.Popen, folder: Path) -> bool:
        """Send a worker from `take` to the run in this folder; false if the worker has just ended."""
        assert process.stdin is not None  # `prepare` opened a pipe
        try:
            process.stdin.write(f"{folder}\n".encode())
            process.stdin.close()
        except OSError:
            return False
        return True
