"""The folder of all runs, and the files in the folder of a run.

problem.json         the problem
status.json          phase and step, written several times a second
progress.jsonl       one record per line, about 500 at most
trajectory.f32       Tc, formation energy, integer loss of all candidates: (records, candidates, 3) float32
resume.safetensors   the generator's state, written every 2 s until the run has finished
candidates.csv       the candidates; candidates.parquet is the same table with types
result.json          summary of the result
provenance.json      versions, checksums of the checkpoints, seed, device
start.json           start time and process id of the worker, written by the process that starts it
worker.json          process id of the worker, written by the worker once it holds the lock
worker.lock          locked while the worker process exists; the system frees it however the worker ends
worker.log           output of the worker
cancel               empty; requests the worker to stop
stop                 empty; requests the worker to stop and to screen the candidates so far
"""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

from core.limits import RUN_ID_CHARACTERS
from core.paths import PROJECT

PROBLEM, STATUS, PROGRESS, TRAJECTORY = "problem.json", "status.json", "progress.jsonl", "trajectory.f32"
RESUME, CSV, TABLE, RESULT = "resume.safetensors", "candidates.csv", "candidates.parquet", "result.json"
PROVENANCE, START, WORKER, LOCK = "provenance.json", "start.json", "worker.json", "worker.lock"
LOG, CANCEL, STOP = "worker.log", "cancel", "stop"
RESULTS = (CSV, TABLE, RESULT, PROGRESS, TRAJECTORY)  # of a run with a result
# All but the problem, which nothing replaces.
FILES = (STATUS, PROGRESS, TRAJECTORY, RESUME, CSV, TABLE, RESULT, PROVENANCE, START, WORKER, LOCK, LOG, CANCEL, STOP)

_RUN_ID = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{RUN_ID_CHARACTERS - 1}}}")
_OF_A_RUN = (PROBLEM, PROVENANCE, STATUS, RESULT)  # a folder with one of them is a run, perhaps a damaged one
_CREATION_S = 10.0  # the problem of a new run is written last


def runs_folder() -> Path:
    """The folder of all runs: the environment variable TC_STUDIO_RUNS, or runs/ in the project."""
    return Path(os.environ.get("TC_STUDIO_RUNS") or PROJECT / "runs").absolute()


def is_run_id(name: object) -> bool:
    """Whether `name` is a valid run id: up to 200 letters, digits and `._-`, beginning with a letter or digit."""
    return isinstance(name, str) and _RUN_ID.fullmatch(name) is not None


def is_run(folder: Path) -> bool:
    """Whether the folder is a run: its name is a valid run id, and it contains a problem file.

    A folder that has lost its problem file is a run too, a damaged one, unless it is so new that it is being created.
    """
    if not is_run_id(folder.name):
        return False
    try:
        if not any(os.path.lexists(folder / name) for name in _OF_A_RUN):
            return False
        return os.path.lexists(folder / PROBLEM) or abs(time.time() - folder.stat().st_mtime) > _CREATION_S
    except OSError:
        return False
