"""Execution of a run in its folder: optimise, record, store resume points, screen, write the results.

The same problem on the same device with the same number of threads gives the same files, byte for byte, however often
the run was interrupted: the resume point holds the complete state, and records of later steps are dropped before the
run continues.
"""

from __future__ import annotations

import io
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import torch

from core.evaluation.csv_export import to_csv
from core.evaluation.design import generate, prepare
from core.evaluation.result import DesignResult
from core.files import write_atomically, write_json
from core.generation.loop import execution
from core.generation.registry import registration
from core.runs import layout
from core.runs.archive_records import ArchiveRecords
from core.runs.member_mean import MemberMean, steps_per_cycle
from core.runs.provenance import device_provenance, fingerprint, provenance_at_start
from core.runs.recorder import Recorder
from core.runs.resume import load_recent, load_resume_point
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
    write_json(run.folder / layout.PROVENANCE, provenance)
    identity = fingerprint(run.problem_text(), provenance["checkpoints"])
    state, elapsed_s = load_resume_point(run.folder, design.generator.state_type, identity, device)
    schedule = design.generator.schedule(problem)
    cycle = steps_per_cycle(problem.method, problem.tc_predictor, problem.formation_energy_predictor)
    mean = MemberMean(cycle, None if state is None else load_recent(run.folder, device))
    archives = ArchiveRecords.of(problem, design.predictors) if registration(problem.method).keeps_archive else None
    recorder = Recorder(run.folder, schedule, identity, should_stop, on_status, elapsed_s, mean, archives)
    recorder.begin(0 if state is None else int(state.step))
    stopped = None if state is None else _stop_before_a_step(should_stop)
    if state is None or stopped is None:
        state, _ = generate(design, state, recorder)
        stopped = recorder.stopped
    provenance["execution"] = execution(design.generator, design.task)
    if stopped not in (None, Phase.STOPPED):
        return stopped
    step, phase = int(state.step), stopped or Phase.FINISHED
    recorder.write_status(Phase.SCREENING, step)
    result = design.finalize(state, phase.value)
    if should_stop() is Phase.CANCELLED:  # an interrupted run still finishes, because little work is left
        return Phase.CANCELLED
    write_result(run.folder, result, step)
    write_json(run.folder / layout.PROVENANCE, {**provenance, "finished": datetime.now(UTC).isoformat()})
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


def write_result(folder: Path, result: DesignResult, step: int) -> None:
    """Write the candidates, as CSV and as Parquet, and the summary. Raises OSError if a file cannot be written.

    step : completed steps
    """
    typed = io.BytesIO()
    result.candidates.to_parquet(typed, index=False)
    passing = result.passing
    summary = {
        "status": result.status,
        "step": step,
        "base": result.base,
        "funnel": [asdict(step) for step in result.funnel],
        "restarts": result.restarts,
        "device": result.device,
        "n_passing": len(passing),
        "best_tc_K": float(passing["tc_K"].iloc[0]) if len(passing) else None,
        "best_formula": str(passing["formula"].iloc[0]) if len(passing) else None,
    }
    write_atomically(folder / layout.TABLE, typed.getvalue())
    write_atomically(folder / layout.CSV, to_csv(result.candidates))
    write_json(folder / layout.RESULT, summary)
