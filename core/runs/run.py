"""A run, read from its folder. Reading never waits for the worker that writes to the folder.

The creator of a run writes the problem, and a worker process writes the results. The processes share only this folder,
so a page never blocks, and a reload, a restart of the server or the crash of one run does not affect other runs. A
damaged file is never served and never repaired here: reading it raises DamageError, and the phase is DAMAGED.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from core.generation.registry import generator_of
from core.generation.schedule import Schedule
from core.problem.problem import DesignProblem
from core.runs import layout
from core.runs.damage import Damage, DamageError, Remedy
from core.runs.documents import PROVENANCE, RESULT
from core.runs.inspection import file_wrong, inspect, read_problem, read_problem_text
from core.runs.ownership import has_worker, was_started
from core.runs.progress import (
    ARCHIVE_COLUMNS,
    PROGRESS_COLUMNS,
    QUANTITIES,
    SAMPLES,
    TRAJECTORY_RECORDS,
    VALID_SHARE,
    read_records,
    read_trajectory,
    recorded_steps,
)
from core.runs.status import ACTIVE, NOT_STARTED, RunStatus, read_status

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    import pyarrow as pa

T = TypeVar("T")
_READ_ONLY = "Interrupted: the folder cannot be written. Permit writing, then start the run again."


@dataclass(frozen=True)
class Run:
    """One run. folder : absolute path of its folder"""

    folder: Path

    @property
    def id(self) -> str:
        """Name of the folder."""
        return self.folder.name

    def problem(self) -> DesignProblem:
        """The problem, valid apart from its models. Raises DamageError if the file is missing or holds none."""
        return _undamaged(read_problem(self.folder))

    def problem_text(self) -> str:
        """The text of the problem file. Raises DamageError if it is missing or unreadable."""
        return _undamaged(read_problem_text(self.folder))

    def created(self) -> datetime:
        """When the run was created (aware, UTC); by the time of the oldest file if provenance.json does not say it."""
        written = self.provenance().get("created")
        if written:
            return datetime.fromisoformat(written)
        for path in (self.folder / layout.PROBLEM, self.folder):
            try:
                return datetime.fromtimestamp(path.stat().st_mtime, UTC)
            except (OSError, ValueError, OverflowError):
                continue
        return datetime.fromtimestamp(0, UTC)  # the folder was deleted in the meantime

    def status(self) -> RunStatus:
        """The status; INTERRUPTED for a run that was started and has no worker any more.

        DAMAGED, with the gravest damage as its message, if the run has no worker and a file is damaged or missing.
        """
        status = self.stored_status()
        if has_worker(self.folder):
            return status
        if status.phase in ACTIVE:
            status = self.stored_status()  # the worker may have written its last status between the two checks
        damages = inspect(self.folder)
        if damages:
            return status.damaged(damages[0].message)
        if status.phase not in ACTIVE or not was_started(self.folder):
            return status
        if not os.access(self.folder, os.W_OK):
            return status.interrupted(_READ_ONLY)
        return status.interrupted()

    def damages(self) -> list[Damage]:
        """Everything that is damaged, the gravest first, checksums included. Only for a run without a worker."""
        return inspect(self.folder, thorough=True)

    def has_resume_point(self) -> bool:
        """Whether a state is stored from which the run can continue, or whose candidates can be kept."""
        return (self.folder / layout.RESUME).is_file()

    def schedule(self) -> Schedule:
        """Stages, steps and number of candidates. Raises DamageError like `problem`."""
        problem = self.problem()
        return generator_of(problem).schedule(problem)

    def stored_status(self) -> RunStatus:
        """The last status that was written, whether or not the run still has a worker; NOT_STARTED without one."""
        return read_status(self.folder) or NOT_STARTED

    def progress(self) -> pd.DataFrame:
        """The recorded steps, columns PROGRESS_COLUMNS: best, median, 5th and 95th percentile of the batch.

        "best" is the highest Tc (K), the lowest formation energy (eV/atom), the lowest integer loss.
        """
        import pandas as pd  # not at the top: waiting workers need no tables, and pandas takes much memory

        records = read_records(self.folder / layout.PROGRESS)
        rows = [[record[name] for name in PROGRESS_COLUMNS] for record in records]
        return pd.DataFrame(rows, columns=list(PROGRESS_COLUMNS))

    def validity(self) -> pd.DataFrame:
        """The share of valid samples at the recorded steps of a diffusion, columns "step" and VALID_SHARE."""
        import pandas as pd

        records = read_records(self.folder / layout.PROGRESS)
        rows = [(record["step"], record[VALID_SHARE]) for record in records if VALID_SHARE in record]
        return pd.DataFrame(rows, columns=["step", VALID_SHARE])

    def samples(self) -> pd.DataFrame:
        """The same samples of a diffusion at the recorded steps, as formulas: columns "step" and "sample 1", ...

        Without rows for other methods, and for runs of earlier versions.
        """
        import pandas as pd

        records = read_records(self.folder / layout.PROGRESS)
        rows = [(record["step"], *record[SAMPLES]) for record in records if SAMPLES in record]
        count = max((len(row) for row in rows), default=1)
        return pd.DataFrame(rows, columns=["step", *(f"sample {number}" for number in range(1, count))])

    def has_progress(self) -> bool:
        """Whether a step is recorded."""
        path = self.folder / layout.PROGRESS
        return path.is_file() and path.stat().st_size > 0

    def archive(self) -> pd.DataFrame:
        """The archive of a search at the recorded steps, columns `step` and those of ARCHIVE_COLUMNS.

        Without rows for other methods, and for runs of earlier versions.
        """
        import pandas as pd

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
        """The candidate table, see `core.evaluation.columns.COLUMNS`.

        Raises FileNotFoundError before the end, DamageError if the file is damaged.
        """
        import pandas as pd

        from core.evaluation.candidate_table import read

        return self._read_table(lambda path: read(pd.read_parquet(path)))

    def arrow_candidates(self) -> pa.Table:
        """The candidate table as it is stored, by whatever version; errors as `candidates`."""
        import pyarrow.parquet as pq

        return self._read_table(lambda path: pq.read_table(path, use_threads=False))  # small: threads take longer

    def _read_table(self, reader: Callable[[Path], T]) -> T:
        path = self._result_file(layout.TABLE)
        try:
            return reader(path)
        except FileNotFoundError:
            raise
        except Exception as error:  # of any kind: the libraries promise none
            wrong = f"cannot be read ({type(error).__name__})"
            raise DamageError(Damage(path.name, wrong, Remedy.REBUILD)) from error

    def csv(self) -> str:
        """The candidates as CSV text.

        Raises FileNotFoundError before the end, DamageError unless the file agrees with its checksum.
        """
        path = self._result_file(layout.CSV)
        try:
            return path.read_bytes().decode("utf-8")
        except UnicodeDecodeError:
            raise DamageError(Damage(path.name, "is not text in UTF-8", Remedy.REBUILD)) from None

    def _result_file(self, name: str) -> Path:
        """The path of a result file that agrees with its checksum, if result.json has one."""
        path, result = self.folder / name, RESULT.content(self.folder)
        if not path.exists():
            raise FileNotFoundError(path)
        if wrong := file_wrong(path, result.get("files", {}).get(name), thorough=True):
            raise DamageError(Damage(name, wrong, Remedy.REBUILD))
        return path

    def summary(self) -> dict:
        """base, funnel, restarts, device, status, step, best_tc_K, best_formula, n_passing of a run with a result.

        "best" is the first by rank of the candidates that pass every screen; None if none passes. Raises
        FileNotFoundError before the end, DamageError if the file is damaged.
        """
        summary = _undamaged(RESULT.read(self.folder))
        if summary is None:
            raise FileNotFoundError(self.folder / layout.RESULT)
        return summary

    def trajectory(self, candidate: int) -> pd.DataFrame:
        """One candidate over the run, about 200 rows at most.

        Columns step, tc_K, formation_energy_eV_per_atom, integer_loss.

        Raises IndexError if there is no candidate of this number.
        """
        import numpy as np
        import pandas as pd

        schedule = self.schedule()
        if not 0 <= candidate < schedule.candidates:
            raise IndexError(f"candidate {candidate} of {schedule.candidates}")
        steps = recorded_steps(schedule.steps, TRAJECTORY_RECORDS)
        values = read_trajectory(self.folder / layout.TRAJECTORY, schedule.candidates)[: len(steps), candidate]
        table = pd.DataFrame(values.astype(np.float64), columns=list(QUANTITIES))
        table.insert(0, "step", np.array(steps[: len(values)], dtype=np.int64))
        return table

    def provenance(self) -> dict:
        """Versions, checksums of the checkpoints, seed, device, threads; before the first start only `created`.

        Empty for a missing or damaged file, which `damages` reports.
        """
        return PROVENANCE.content(self.folder)


def _undamaged(read: T | Damage) -> T:
    """What was read. Raises DamageError for a damage."""
    if isinstance(read, Damage):
        raise DamageError(read)
    return read
