"""The status of a run: its phase, its step, and the file that holds them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from core.files import json_content, write_in_place, write_json
from core.generation.schedule import Schedule
from core.runs import layout
from core.runs.documents import STATUS


class Phase(StrEnum):
    """Phase of a run.

    STOPPED : ended before its last step, with a result of the candidates at that step; it can be continued
    INTERRUPTED : the worker ended before the run did; the run can be started again
    DAMAGED : a file of the run is damaged or missing; never stored, but found when the folder is read
    """

    QUEUED = "queued"
    RUNNING = "running"
    SCREENING = "screening"
    FINISHED = "finished"
    STOPPED = "stopped"
    CANCELLED = "cancelled"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    DAMAGED = "damaged"


ACTIVE = frozenset({Phase.QUEUED, Phase.RUNNING, Phase.SCREENING})
WITH_RESULT = frozenset({Phase.FINISHED, Phase.STOPPED})


@dataclass(frozen=True)
class RunStatus:
    """Phase and step of a run.

    stage : number of the stage, from 1
    step, total_steps : completed steps and number of steps, over all stages
    elapsed_s : working time over all starts, without the time in the queue
    remaining_s : estimated time for the rest of the optimisation; None without an estimate
    restarts : candidates restarted so far
    message : why a run failed, or how to continue an interrupted one; otherwise empty
    """

    phase: Phase
    stage: int
    step: int
    total_steps: int
    elapsed_s: float = 0.0
    remaining_s: float | None = None
    restarts: int = 0
    message: str = ""

    def in_phase(self, phase: Phase, message: str = "") -> RunStatus:
        """The same status in another phase, without an estimate of the remaining time."""
        return replace(self, phase=phase, remaining_s=None, message=message)

    def damaged(self, message: str) -> RunStatus:
        """The same status as DAMAGED, with what is wrong and what can be done."""
        return self.in_phase(Phase.DAMAGED, message)

    def interrupted(self, message: str = "") -> RunStatus:
        """The same status as INTERRUPTED, with a message on how to continue, or the given one."""
        if message:
            return self.in_phase(Phase.INTERRUPTED, message)
        position = f" at step {self.step:,} of {self.total_steps:,}" if self.total_steps else ""
        return self.in_phase(
            Phase.INTERRUPTED, f"Interrupted{position}. Start the run again to continue from its last resume point."
        )


ShouldStop = Callable[[], Phase | None]  # called after every step; None, or the phase in which the run must stop
OnStatus = Callable[[RunStatus], None]  # called with every status that is written


# Of a folder that holds a problem and no status: its steps are known once a worker has started.
NOT_STARTED = RunStatus(Phase.QUEUED, stage=1, step=0, total_steps=0)


def new_status(schedule: Schedule) -> RunStatus:
    """The status of a run before its first step."""
    return RunStatus(Phase.QUEUED, schedule.stage_at(0), 0, schedule.steps)


def write_status(folder: Path, status: RunStatus) -> None:
    """Write the status file of a run; durably, if the run has ended.

    On a full disk the present file is overwritten in the space that it has, so that a run that failed for lack of space
    can say so. Raises OSError if the file cannot be written in either way.
    """
    content = asdict(status)
    try:
        write_json(folder / layout.STATUS, content, durable=status.phase not in ACTIVE, private=True)
    except OSError:
        write_in_place(folder / layout.STATUS, json_content(content))


def read_status(folder: Path) -> RunStatus | None:
    """The last status that was written, whether or not the run still has a worker; None without a usable file.

    Unknown keys, written by other versions, are ignored.
    """
    stored = STATUS.read(folder)
    if not isinstance(stored, dict):
        return None
    names = {f.name for f in fields(RunStatus)}
    known: dict[str, Any] = {name: value for name, value in stored.items() if name in names}
    known["phase"] = Phase(known["phase"])
    return RunStatus(**known)
