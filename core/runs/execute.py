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
from core.runs import layout
from core.runs.member_mean import MemberMean, steps_per_cycle
from core.runs.provenance import device_provenance, fingerprint, provenance_at_start
from core.runs.recorder import Recorder
from core.runs.resume import load_recent, load_resume_point
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
    write_json(run.folder / layout.PROVENANCE, provenance)
    identity = fingerprint(run.problem_text(), provenance["checkpoints"])
    state, elapsed_s = load_resume_point(run.folder, design.generator.state_type, identity, device)
    schedule = design.generator.schedule(problem)
    cycle = steps_per_cycle(problem.method, problem.tc_predictor, problem.formation_energy_predictor)
    mean = MemberMean(cycle, None if state is None else load_recent(run.folder, device))
    recorder = Recorder(run.folder, schedule, identity, should_stop, on_status, elapsed_s, mean)
    recorder.begin(0 if state is None else int(state.step))
    state, outcome = generate(design, state, recorder)
    provenance["execution"] = execution(design.generator, design.task)
    if recorder.stopped:
        return recorder.stopped
    recorder.write_status(Phase.SCREENING, int(state.step))
    result = design.finalize(state, outcome)
    if should_stop() is Phase.CANCELLED:  # an interrupted run still finishes, because little work is left
        return Phase.CANCELLED
    write_result(run.folder, result)
    write_json(run.folder / layout.PROVENANCE, {**provenance, "finished": datetime.now(UTC).isoformat()})
    recorder.write_status(Phase.FINISHED, int(state.step))
    (run.folder / layout.RESUME).unlink(missing_ok=True)
    return Phase.FINISHED


def write_result(folder: Path, result: DesignResult) -> None:
    """Write the candidates, as CSV and as Parquet, and the summary. Raises OSError if a file cannot be written."""
    typed = io.BytesIO()
    result.candidates.to_parquet(typed, index=False)
    passing = result.passing
    summary = {
        "status": result.status,
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
