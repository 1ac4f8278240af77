"""A run, read from its folder. Reading never waits for the worker that writes to the folder.

The creator of a run writes the problem, and a worker process writes the results. The processes share only this folder,
so a page never blocks, and a reload, a restart of the server or the crash of one run does not affect other runs.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from core.evaluation.candidate_table import read
from core.files import read_json
from core.generation.registry import generator_of
from core.generation.schedule import Schedule
from core.problem.problem import DesignProblem
from core.runs import layout
from core.runs.ownership import has_worker, was_started
from core.runs.progress import (
    ARCHIVE_COLUMNS,
    PROGRESS_COLUMNS,
    QUANTITIES,
    TRAJECTORY_RECORDS,
    read_records,
    read_trajectory,
    recorded_steps,
)
from core.runs.status import ACTIVE, NOT_STARTED, RunStatus, read_status


@dataclass(frozen=True)
class Run:
    """One run. folder : absolute path of its folder"""

    folder: Path

    @property
    def id(self) -> str:
        """Name of the folder."""
        return self.folder.name

    def problem(self) -> DesignProblem:
        """The problem. Raises InputError if the file holds no problem, FileNotFoundError if it is missing."""
        return DesignProblem.from_json(self.problem_text())

    def problem_text(self) -> str:
        """The text of the problem file. Raises FileNotFoundError if it is missing."""
        return (self.folder / layout.PROBLEM).read_text(encoding="utf-8")

    def created(self) -> datetime:
        """When the run was created (aware, UTC)."""
        written = self.provenance().get("created")
        if written:
            return datetime.fromisoformat(written)
        return datetime.fromtimestamp((self.folder / layout.PROBLEM).stat().st_mtime, UTC)

    def status(self) -> RunStatus:
        """The status; INTERRUPTED for a run that was started and has no worker any more."""
        status = self.stored_status()
        if status.phase not in ACTIVE or has_worker(self.folder):
            return status
        status = self.stored_status()  # the worker may have written its last status between the two checks
        if status.phase not in ACTIVE or not was_started(self.folder):
            return status
        return status.interrupted()

    def has_resume_point(self) -> bool:
        """Whether a state is stored from which the run can continue, or whose candidates can be kept."""
        return (self.folder / layout.RESUME).exists()

    def schedule(self) -> Schedule:
        """Stages, steps and number of candidates. Raises InputError like `problem`."""
        problem = self.problem()
        return generator_of(problem).schedule(problem)

    def stored_status(self) -> RunStatus:
        """The last status that was written, whether or not the run still has a worker; NOT_STARTED without one."""
        return read_status(self.folder) or NOT_STARTED

    def progress(self) -> pd.DataFrame:
        """The recorded steps, columns PROGRESS_COLUMNS: best, median, 5th and 95th percentile of the batch.

        "best" is the highest Tc (K), the lowest formation energy (eV/atom), the lowest integer loss.
        """
        records = read_records(self.folder / layout.PROGRESS)
        rows = [[record[name] for name in PROGRESS_COLUMNS] for record in records]
        return pd.DataFrame(rows, columns=list(PROGRESS_COLUMNS))

    def has_progress(self) -> bool:
        """Whether a step is recorded."""
        path = self.folder / layout.PROGRESS
        return path.exists() and path.stat().st_size > 0

    def archive(self) -> pd.DataFrame:
        """The archive of a search at the recorded steps, columns `step` and those of ARCHIVE_COLUMNS.

        Without rows for other methods, and for runs of earlier versions.
        """
        columns = ["step", *ARCHIVE_COLUMNS]
        records = [record for record in read_records(self.folder / layout.PROGRESS) if ARCHIVE_COLUMNS[0] in record]
        return pd.DataFrame([[record[name] for name in columns] for record in records], columns=columns)

    def averaged_steps(self) -> int:
        """The number of steps that each recorded Tc and formation energy is the mean of; 1 in earlier versions."""
        records = read_records(self.folder / layout.PROGRESS, last=True)
        return records[-1].get("averaged_steps", 1) if records else 1

    def top(self) -> list[dict]:
        """The five best distinct compositions of the last record, or the ten best formulas of a search.

        Each has formula, tc_K, formation_energy_eV_per_atom; those of a search also what `ArchiveRecords` adds.
        """
        records = read_records(self.folder / layout.PROGRESS, last=True)
        return records[-1]["top"] if records else []

    def candidates(self) -> pd.DataFrame:
        """The candidate table, see `core.evaluation.columns.COLUMNS`. Raises FileNotFoundError before the end."""
        return read(pd.read_parquet(self.folder / layout.TABLE))

    def csv(self) -> str:
        """The candidates as CSV text. Raises FileNotFoundError before the end."""
        return (self.folder / layout.CSV).read_bytes().decode("utf-8")

    def summary(self) -> dict:
        """base, funnel, restarts, device, status, step, best_tc_K, best_formula, n_passing of a run with a result.

        "best" is the first by rank of the candidates that pass every screen; None if none passes. Raises
        FileNotFoundError before the end.
        """
        return json.loads((self.folder / layout.RESULT).read_text(encoding="utf-8"))

    def trajectory(self, candidate: int) -> pd.DataFrame:
        """One candidate over the run, about 200 rows at most.

        Columns step, tc_K, formation_energy_eV_per_atom, integer_loss.

        Raises IndexError if there is no candidate of this number.
        """
        schedule = self.schedule()
        if not 0 <= candidate < schedule.candidates:
            raise IndexError(f"candidate {candidate} of {schedule.candidates}")
        values = read_trajectory(self.folder / layout.TRAJECTORY, schedule.candidates)[:, candidate]
        steps = recorded_steps(schedule.steps, TRAJECTORY_RECORDS)[: len(values)]
        table = pd.DataFrame(values.astype(np.float64), columns=list(QUANTITIES))
        table.insert(0, "step", np.array(steps, dtype=np.int64))
        return table

    def provenance(self) -> dict:
        """Versions, checksums of the checkpoints, seed, device, threads; before the first start only `created`."""
        return read_json(self.folder / layout.PROVENANCE) or {}
