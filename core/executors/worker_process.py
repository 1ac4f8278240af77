"""Start of a worker process."""

from __future__ import annotations

import subprocess
import sys
from typing import IO

from core.paths import PROJECT


def start_worker(folder: str, stdin: int, output: int | IO[bytes]) -> subprocess.Popen:
    """The process `python -m core run FOLDER`. It outlives this process and does not receive its Ctrl-C.

    folder : of the run, or `core.executors.worker.FOLDER_FROM_STDIN`
    stdin : as in `subprocess.Popen`
    output : for standard output and standard error, as `stdout` in `subprocess.Popen`

    Raises OSError if the process cannot be started.
    """
    return subprocess.Popen(
        [sys.executable, "-m", "core", "run", folder],
        cwd=PROJECT,
        stdin=stdin,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )
