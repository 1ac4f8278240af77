"""Runs that are stored under their content key, so that the same run is found again and carried out only once.

The key depends on everything that the candidates of a run depend on, except for the machine: the problem, the seed in
it, and the checksums of the checkpoints.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from core.generation.registry import checkpoints_of_method
from core.predictors.checkpoint import read_card
from core.predictors.registry import CONTROL
from core.problem.problem import DesignProblem
from core.reference_data.references import NAME as REFERENCES
from core.runs import store
from core.runs.inspection import read_problem_text
from core.runs.ownership import has_worker
from core.runs.run import Run


def key_of(content: object) -> str:
    """A short name for JSON data, the same for equal data: 20 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:20]


def run_key(problem: DesignProblem, checksums: Mapping[str, str]) -> str:
    """The content key of the run of a problem.

    checksums : name -> SHA-256 of every checkpoint that the result depends on, see `checksums_of`
    """
    return key_of([problem.to_json(), dict(checksums)])


def checkpoints_of(problem: DesignProblem) -> tuple[str, ...]:
    """Names of the checkpoints that the result of a run depends on: predictors, control model, method, references."""
    predictors = (problem.tc_predictor, problem.formation_energy_predictor, CONTROL)
    return (*predictors, *checkpoints_of_method(problem), REFERENCES)


def checksums_of(problem: DesignProblem) -> dict[str, str]:
    """Name -> SHA-256 of `checkpoints_of`, from their cards. Raises CheckpointError for a missing checkpoint."""
    return {name: read_card(name)["sha256"] for name in checkpoints_of(problem)}


def found_or_created(problem: DesignProblem, folder: Path, threads: int | None = None) -> Run:
    """The run in a folder that is named by its key, or a new one of this problem.

    A folder without this problem was left by a process that ended while it created the run, or is damaged: it is made
    again. `threads` is the number of threads of a new run, as `store.create_in` takes it. Raises InputError as
    `store.create_in`.
    """
    run = Run(folder.absolute())
    if run.folder.is_dir():
        if read_problem_text(run.folder) == problem.to_json() or has_worker(run.folder):
            return run
        shutil.rmtree(run.folder)
    return store.create_in(problem, run.folder, threads)
