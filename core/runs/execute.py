"""Execution of a run in its folder: optimise, record, store resume points, screen, write the results.

The same problem on the same device with the same number of threads gives the same files, byte for byte, however often
the run was interrupted: the resume point holds the complete state, and records of later steps are dropped before the
run continues.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime

import torch

from core.errors import shown
from core.evaluation.design import Design, generate, prepare
from core.files import write_json
from core.generation.loop import execution
from core.predictors.checkpoint import CheckpointError
from core.runs import layout
from core.runs.member_mean import MemberMean, steps_per_cycle
from core.runs.provenance import device_provenance, fingerprint, provenance_at_start
from core.runs.recorder import Recorder
from core.runs.results import write_result
from core.runs.resume import Known, ResumePoint, State, load_resume_point
from core.runs.run import Run
from core.runs.status import OnStatus, Phase, ShouldStop


def execute(run: Run, should_stop: ShouldStop, on_status: OnStatus | None = None) -> Phase:
    """Execute a run in this process, from its resume point if there is one.

    Returns FINISHED, or the phase that `should_stop` returned. Sets the number of threads of torch.

    Raises InputError for a problem with errors, CheckpointError for a missing checkpoint.
    """
    problem = run.problem()
    provenance = provenance_at_start(run, problem)
    torch.set_num_threads(provenance["threads"])
    design = prepare(problem)
    device = design.predictors.device
    provenance |= device_provenance(problem, device)
    write_json(run.folder / layout.PROVENANCE, provenance, durable=True, private=True)
    known = Known(fingerprint(run.problem_text(), provenance["checkpoints"]), provenance["threads"])
    point = load_resume_point(run.folder, design.generator.state_type, known.fingerprint, device)
    start = _Start(run, design, known, should_stop, on_status)
    try:
        state, outcome, recorder = start.generate(point)
    except _BadResumePoint as error:
        print(f"The resume point cannot be continued ({error}); the run starts from the beginning.", file=sys.stderr)
        state, outcome, recorder = start.generate(None)
    provenance["execution"] = execution(design.generator, design.task)
    if recorder.stopped:
        return recorder.stopped
    recorder.write_status(Phase.SCREENING, int(state.step))
    result = design.finalize(state, outcome)
    if should_stop() is Phase.CANCELLED:  # an interrupted run still finishes, because little work is left
        return Phase.CANCELLED
    write_result(run.folder, result)
    provenance["finished"] = datetime.now(UTC).isoformat()
    write_json(run.folder / layout.PROVENANCE, provenance, durable=True, private=True)
    recorder.write_status(Phase.FINISHED, int(state.step))
    (run.folder / layout.RESUME).unlink(missing_ok=True)
    return Phase.FINISHED


class _BadResumePoint(Exception):
    """The state of a resume point has other shapes, or the first step after it failed."""


@dataclass(frozen=True)
class _Start:
    """Everything that the generation of a run needs, from a resume point or from the beginning."""

    run: Run
    design: Design
    known: Known
    should_stop: ShouldStop
    on_status: OnStatus | None

    def generate(self, point: ResumePoint | None) -> tuple[State, str, Recorder]:
        """The last state, its outcome, and the recorder.

        Raises _BadResumePoint if the first step after a resume point fails other than by the disk.
        """
        problem, recorder = self.design.problem, None
        state = None if point is None else point.state
        if point is not None and not (point.checked or point.fits(self.design.generator.init(self.design.task))):
            raise _BadResumePoint("its tensors have other shapes")
        cycle = steps_per_cycle(problem.method, problem.tc_predictor, problem.formation_energy_predictor)
        try:
            mean = MemberMean(cycle, None if point is None else point.recent)
            begin = 0 if state is None else int(state.step)
            schedule = self.design.generator.schedule(problem)
            elapsed_s = 0.0 if point is None else point.elapsed_s
            folder, stop, show = self.run.folder, self.should_stop, self.on_status
            recorder = Recorder(folder, schedule, self.known, stop, show, elapsed_s, mean)
            recorder.begin(begin)
            return *generate(self.design, state, recorder), recorder
        except (OSError, CheckpointError):
            raise
        except Exception as error:
            if point is None or (recorder is not None and recorder.steps):
                raise
            raise _BadResumePoint(f"{type(error).__name__}: {shown(error)}") from error
