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
from core.generation.registry import registration
from core.predictors.checkpoint import CheckpointError
from core.runs import layout
from core.runs.archive_records import ArchiveRecords
from core.runs.member_mean import MemberMean, steps_per_cycle
from core.runs.provenance import device_provenance, fingerprint, provenance_at_start
from core.runs.recorder import Recorder
from core.runs.results import write_result
from core.runs.resume import Known, ResumePoint, State, load_resume_point
from core.runs.run import Run
from core.runs.status import OnStatus, Phase, ShouldStop


def execute(run: Run, should_stop: ShouldStop, on_status: OnStatus | None = None) -> Phase:
    """Execute a run in this process, from its resume point if there is one.

    Returns FINISHED, or the phase that `should_stop` returned. With STOPPED, the candidates so far are rounded and
    screened like those of a finished run, and the resume point is kept; a run that has one then does no further step.
    A method whose candidates have no formulas before the last step goes on. Sets the number of threads of torch.

    Raises InputError for a problem with errors, CheckpointError for a missing checkpoint.
    """
    problem = run.problem()
    should_stop = should_stop if registration(problem.method).can_stop else _never_stopped(should_stop)
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
        state, stopped, recorder = start.generate(point)
    except _BadResumePoint as error:
        print(f"The resume point cannot be continued ({error}); the run starts from the beginning.", file=sys.stderr)
        state, stopped, recorder = start.generate(None)
    provenance["execution"] = execution(design.generator, design.task)
    if stopped not in (None, Phase.STOPPED):
        return stopped
    step, phase = int(state.step), stopped or Phase.FINISHED
    recorder.write_status(Phase.SCREENING, step)
    result = design.finalize(state, phase.value)
    if should_stop() is Phase.CANCELLED:  # an interrupted run still finishes, because little work is left
        return Phase.CANCELLED
    write_result(run.folder, result, step)
    provenance["finished"] = datetime.now(UTC).isoformat()
    write_json(run.folder / layout.PROVENANCE, provenance, durable=True, private=True)
    recorder.write_status(phase, step)
    if phase is Phase.FINISHED:
        (run.folder / layout.RESUME).unlink(missing_ok=True)
    return phase


def _stop_before_a_step(should_stop: ShouldStop) -> Phase | None:
    """STOPPED if this is requested of a run with a resume point, which then does no step; any other request waits."""
    return Phase.STOPPED if should_stop() is Phase.STOPPED else None


def _never_stopped(should_stop: ShouldStop) -> ShouldStop:
    """The requests without those to stop and keep the candidates."""

    def others() -> Phase | None:
        phase = should_stop()
        return None if phase is Phase.STOPPED else phase

    return others


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

    def generate(self, point: ResumePoint | None) -> tuple[State, Phase | None, Recorder]:
        """The last state, the phase in which the run must stop (None: it is complete), and the recorder.

        Raises _BadResumePoint if the first step after a resume point fails other than by the disk.
        """
        if point is not None and not (point.checked or point.fits(self.design.generator.init(self.design.task))):
            raise _BadResumePoint("its tensors have other shapes")
        state = None if point is None else point.state
        recorder = None
        try:
            recorder = self._recorder(point)
            recorder.begin(0 if state is None else int(state.step))
            stopped = None if state is None else _stop_before_a_step(self.should_stop)
            if state is None or stopped is None:
                state, _ = generate(self.design, state, recorder)
                stopped = recorder.stopped
            return state, stopped, recorder
        except (OSError, CheckpointError):
            raise
        except Exception as error:
            if point is None or (recorder is not None and recorder.steps):
                raise
            raise _BadResumePoint(f"{type(error).__name__}: {shown(error)}") from error

    def _recorder(self, point: ResumePoint | None) -> Recorder:
        problem, predictors = self.design.problem, self.design.predictors
        cycle = steps_per_cycle(problem.method, problem.tc_predictor, problem.formation_energy_predictor)
        mean = MemberMean(cycle, None if point is None else point.recent)
        archives = ArchiveRecords.of(problem, predictors) if registration(problem.method).keeps_archive else None
        schedule, elapsed_s = self.design.generator.schedule(problem), 0.0 if point is None else point.elapsed_s
        return Recorder(
            self.run.folder, schedule, self.known, self.should_stop, self.on_status, elapsed_s, mean, archives
        )
