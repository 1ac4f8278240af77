"""Provenance of a run: everything that is needed to reproduce it."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import platform
import tomllib
from datetime import UTC, datetime

import torch

from core.paths import PROJECT
from core.predictors.device import resolve_precision
from core.problem.problem import DesignProblem
from core.processors import processors
from core.runs.inspection import stored_threads
from core.runs.keyed_runs import checksums_of
from core.runs.run import Run

PACKAGES = ("torch", "numpy", "scipy", "pandas", "safetensors")


def provenance_at_start(run: Run, problem: DesignProblem) -> dict:
    """Versions, checksums of the checkpoints, seed and number of threads of a run that is started or resumed.

    A resumed run keeps the time and the number of threads of its first start, because the number of threads determines
    the order of sums and so their rounding. If provenance.json is damaged, the resume point gives the number.

    Raises CheckpointError for a missing checkpoint.
    """
    before = run.provenance()
    return {
        "created": run.created().isoformat(),
        "started": before.get("started", datetime.now(UTC).isoformat()),
        "project_version": _project_version(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
        "checkpoints": checksums_of(problem),
        "seed": problem.seed,
        "threads": before.get("threads") or stored_threads(run.folder) or _thread_count(),
        "problem": run.problem_text(),
    }


def device_provenance(problem: DesignProblem, device: torch.device) -> dict:
    """The device, its name, and the precision of the optimisation steps on it."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine()
    return {
        "device": str(device),
        "device_name": name,
        "precision": resolve_precision(problem.precision, device),
    }


def fingerprint(problem_text: str, checkpoints: dict[str, str]) -> str:
    """SHA-256 of everything that a state depends on: the problem file and the checksums of the checkpoints.

    A resume point with another fingerprint is not used. `problem_text` is the text of the stored file, so that a later
    version that writes problems differently still resumes an older run.
    """
    content = json.dumps([problem_text, checkpoints], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def _project_version() -> str:
    return tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


def _thread_count() -> int:
    """OMP_NUM_THREADS, as clusters set it, or the number of processors that this process may use."""
    given = os.environ.get("OMP_NUM_THREADS", "")
    if given.isdigit() and int(given) > 0:
        return int(given)
    return processors()
