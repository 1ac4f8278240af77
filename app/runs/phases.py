"""The phases of a run as text. Pure functions."""

from __future__ import annotations

from typing import NamedTuple

from app.text.formatting import duration, ordinal
from core.runs.status import Phase, RunStatus


class PhaseLabel(NamedTuple):
    """What is shown for a phase: text, colour of st.badge."""

    text: str
    colour: str


PHASE_LABELS = {
    Phase.QUEUED: PhaseLabel("waiting", "gray"),
    Phase.RUNNING: PhaseLabel("running", "primary"),
    Phase.SCREENING: PhaseLabel("screening", "primary"),
    Phase.FINISHED: PhaseLabel("finished", "green"),
    Phase.STOPPED: PhaseLabel("stopped, kept", "green"),
    Phase.CANCELLED: PhaseLabel("cancelled", "gray"),
    Phase.FAILED: PhaseLabel("failed", "red"),
    Phase.INTERRUPTED: PhaseLabel("interrupted", "orange"),
    Phase.DAMAGED: PhaseLabel("damaged", "red"),
}


def status_html(status: RunStatus, queue_position: int = 1, steps_are: str = "steps", stages: int = 2) -> str:
    """The status of a run in one line.

    queue_position : 1 if the run starts next
    steps_are : what the method calls its steps, in the plural
    stages : number of stages; a single one is not named
    """
    step = f"{steps_are.removesuffix('s')} {status.step:,} of {status.total_steps:,}"
    elapsed = duration(status.elapsed_s)
    if status.phase is Phase.QUEUED:
        if queue_position == 1:
            return "<b>Starting</b> · loading the models"
        return f"<b>Waiting</b> · {ordinal(queue_position)} in the queue"
    if status.phase is Phase.RUNNING:
        left = f" · about {duration(status.remaining_s)} left" if status.remaining_s is not None else ""
        stage = f"Stage {status.stage}" if stages > 1 else "Running"
        return f"<b>{stage}</b> · {step}{left}"
    return {
        Phase.SCREENING: "<b>Screening</b> · rounding to whole atoms, charge balance, energy above hull",
        Phase.FINISHED: f"<b>Finished</b> in {elapsed}",
        Phase.STOPPED: f"<b>Stopped</b> at {step}, after {elapsed}; the candidates at that step were kept",
        Phase.CANCELLED: f"<b>Cancelled</b> at {step}, after {elapsed}",
        Phase.INTERRUPTED: f"<b>Interrupted</b> at {step}; the run can be resumed",
        Phase.FAILED: f"<b>Failed</b> at {step}",
        Phase.DAMAGED: "<b>Damaged</b>",
    }[status.phase]
