"""Writes status, progress, trajectory and resume points to the folder of a run during the optimisation."""

from __future__ import annotations

import os
import sys
import time
from collections import deque
from pathlib import Path

import numpy as np

from core.files import open_private, write_atomically
from core.generation.interface import Report
from core.generation.schedule import Schedule
from core.runs import layout
from core.runs.archive_records import ArchiveRecords
from core.runs.member_mean import MemberMean
from core.runs.progress import (
    PROGRESS_RECORDS,
    TRAJECTORY_RECORDS,
    read_whole_records,
    recorded_steps,
    trajectory_record_bytes,
)
from core.runs.records import json_line, progress_record, quantities
from core.runs.resume import Known, State, save_resume_point
from core.runs.status import OnStatus, Phase, RunStatus, ShouldStop, write_status

STATUS_S, RESUME_S = 0.2, 2.0  # time between two writes
RESUME_SHARE = 20  # a large state on a slow disk is stored less often: at most 1/20 of the time is spent on it
SPEED_STEPS = 50  # number of recent steps from which the remaining time is estimated


class Recorder:
    """Writes the files of one run; called after every step of its generator."""

    def __init__(
        self,
        folder: Path,
        schedule: Schedule,
        known: Known,
        should_stop: ShouldStop,
        on_status: OnStatus | None = None,
        elapsed_s: float = 0.0,
        mean: MemberMean | None = None,
        archives: ArchiveRecords | None = None,
    ):
        """Record the steps of a run.

        known : stored in every resume point
        elapsed_s : working time before this start
        mean : of the recorded values; None: they are recorded as such
        archives : describes the archive of a search; None for other methods
        """
        self._mean, self._archives = mean or MemberMean(1), archives
        self.folder, self.schedule, self.known = folder, schedule, known
        self.should_stop, self.on_status = should_stop, on_status
        self.stopped: Phase | None = None  # the phase in which the run must stop
        self.restarts = 0
        self.steps = 0  # recorded since this start
        self._total = schedule.steps
        self._in_progress = frozenset(recorded_steps(self._total, PROGRESS_RECORDS))
        self._in_trajectory = frozenset(recorded_steps(self._total, TRAJECTORY_RECORDS))
        self._began = time.monotonic() - elapsed_s
        self._recent: deque[tuple[int, float]] = deque(maxlen=SPEED_STEPS)
        self._status_due = self._resume_due = 0.0

    def begin(self, step: int) -> None:
        """Start recording at this step: drop the records of this step and later ones, set the status to RUNNING.

        Records before this step that are lost stay missing, in the trajectory as NaN; standard error says so.
        """
        records, wrong = read_whole_records(self.folder / layout.PROGRESS)
        kept = [record for record in records if record["step"] < step]
        if wrong and len(kept) < sum(s < step for s in self._in_progress):
            print(f"{layout.PROGRESS} {wrong}; the run goes on after its last whole record.", file=sys.stderr)
        write_atomically(self.folder / layout.PROGRESS, "".join(map(json_line, kept)), private=True)
        self._begin_trajectory(sum(s < step for s in self._in_trajectory))
        self.restarts = kept[-1]["restarts"] if kept else 0
        self._resume_due = time.monotonic() + RESUME_S
        self.write_status(Phase.RUNNING, step)

    def _begin_trajectory(self, count: int) -> None:
        """Keep the first `count` records of the trajectory."""
        size = trajectory_record_bytes(self.schedule.candidates)
        with open_private(self.folder / layout.TRAJECTORY, "ab") as file:
            whole = min(file.seek(0, os.SEEK_END) // size, count)
            file.truncate(whole * size)
            if whole < count:
                missing = count - whole
                print(f"{layout.TRAJECTORY} has lost {missing} records, which stay missing.", file=sys.stderr)
                file.write(np.full(missing * size // 4, np.nan, np.float32).tobytes())

    def __call__(self, state: State, report: Report) -> bool:
        """Record a step: the state it reached, and its report. False if the run must stop."""
        step, now = int(state.step), time.monotonic()
        self.restarts = report.restarts
        self._recent.append((step, now))
        self._mean(report)
        self._record(report)
        self.stopped = self.should_stop() if step < self._total else None
        stage_ends = step in self.schedule.ends
        if stage_ends or self.stopped or now >= self._resume_due:
            self._save(state)
        if stage_ends or self.stopped or now >= self._status_due:
            self.write_status(Phase.RUNNING, step)
        self.steps += 1
        return self.stopped is None

    def write_status(self, phase: Phase, step: int) -> None:
        """Write the status file; `step` steps are done."""
        now = time.monotonic()
        status = RunStatus(
            phase=phase,
            stage=self.schedule.stage_at(step),
            step=step,
            total_steps=self._total,
            elapsed_s=round(now - self._began, 3),
            remaining_s=self._remaining_s(step) if phase is Phase.RUNNING else None,
            restarts=self.restarts,
        )
        write_status(self.folder, status)
        self._status_due = now + STATUS_S
        if self.on_status:
            self.on_status(status)

    def _remaining_s(self, step: int) -> float | None:
        if len(self._recent) < 3:
            return None
        (first, began), (last, ended) = self._recent[0], self._recent[-1]
        return round((self._total - step) * (ended - began) / (last - first), 3)

    def _save(self, state: State) -> None:
        before = time.monotonic()
        save_resume_point(self.folder, state, self.known, before - self._began, self._mean.tensors())
        now = time.monotonic()
        self._resume_due = now + max(RESUME_S, RESUME_SHARE * (now - before))

    def _record(self, report: Report) -> None:
        if report.step not in self._in_progress and report.step not in self._in_trajectory:
            return
        report = self._mean.of(report)
        values = quantities(report)
        if report.step in self._in_trajectory:
            with open_private(self.folder / layout.TRAJECTORY, "ab", buffering=0) as file:
                file.write(values.tobytes())
        if report.step in self._in_progress:
            with open_private(self.folder / layout.PROGRESS, "ab", buffering=0) as file:
                file.write(json_line(self._progress_record(report, values)).encode())

    def _progress_record(self, report: Report, values: np.ndarray) -> dict:
        record = progress_record(report, values, self._mean.steps)
        if self._archives is None or report.archive is None:
            return record
        return record | self._archives(report.archive)
