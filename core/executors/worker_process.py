"""Starting the process of a worker."""

from __future__ import annotations

import subprocess
import sys
from typing import IO

from core.paths import PROJECT


def start_worker(folder: str, stdin: int, output: int | IO[bytes]) -> subprocess.Popen:
    """The process `python -m core run FOLDER`. It outlives this process, and Ctrl-C here does not reach it.

    folder : of the run, or `core.executors.worker.FOLDER_FROM_STDIN`
    stdin, output : of the process, as `subprocess.Popen` takes them; output takes standard output and standard error
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
