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
from pathlib import Path

from core.paths import PROJECT

PROBLEM, STATUS, PROGRESS, TRAJECTORY = "problem.json", "status.json", "progress.jsonl", "trajectory.f32"
RESUME, CSV, TABLE, RESULT = "resume.safetensors", "candidates.csv", "candidates.parquet", "result.json"
PROVENANCE, START, WORKER, LOCK = "provenance.json", "start.json", "worker.json", "worker.lock"
LOG, CANCEL, STOP = "worker.log", "cancel", "stop"

_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def runs_folder() -> Path:
    """The folder of all runs: the environment variable TC_STUDIO_RUNS, or runs/ in the project."""
    return Path(os.environ.get("TC_STUDIO_RUNS") or PROJECT / "runs").absolute()


def is_run_id(name: object) -> bool:
    """Whether `name` is a valid run id: letters, digits and `._-`, beginning with a letter or digit."""
    return isinstance(name, str) and _RUN_ID.fullmatch(name) is not None


def is_run(folder: Path) -> bool:
    """Whether the folder is a run: its name is a valid run id, and it contains a problem file."""
    return is_run_id(folder.name) and (folder / PROBLEM).is_file()
