"""Carrying out a run in its folder: optimise, record, keep a resume point, conclude, write the results.

The same problem on the same device with the same number of threads gives the same files, byte for byte, however often
it was interrupted: the resume point is the whole state, and records made after it are dropped before going on.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import io
import json
import os
import platform
import sys
import time
import tomllib
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, fields
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from core.runs import store
from core.chemistry import elements
from core.chemistry.composition import formula_of
from core.evaluation.design import generate, prepare
from core.generation.interface import Report, stage_at, total_steps
from core.generation.registry import generator_of
from core.predictors.device import resolve_precision
from core.evaluation.table import DesignResult, to_csv
from core.generation.gradient.optimiser import State
from core.paths import PROJECT
from core.predictors import checkpoint
from core.predictors.control_model import NAME as JUDGE
from core.problem.problem import DesignProblem
from core.reference_data.references import NAME as REFERENCES
from core.runs.store import Phase, Run, RunStatus

STATUS_S, RESUME_S = 0.2, 2.0  # between two writes
RESUME_SHARE = 20  # a big state on a slow disk is stored less often: at most 1/20 of the time goes into it
SPEED_STEPS = 50  # the remaining time follows from this many recent steps
TOP, TOP_SEARCHED, TOP_DIGITS = 5, 100, 2
PACKAGES = ("torch", "numpy", "scipy", "pandas", "safetensors")


def execute(run: Run, asked: Callable[[], Phase | None], show: Callable[[RunStatus], None] | None = None) -> Phase:
    """Do the run, from its resume point if there is one. Returns FINISHED, or what it was asked to become.

    asked : put at every step; a phase means: stop, the run is this now
    show : called with every status that is written

    Raises InputError, CheckpointError.
    """
    problem = run.problem()
    provenance = _provenance(run, problem)
    torch.set_num_threads(provenance["threads"])
    design = prepare(problem)
    device = design.predictors.device
    precision = resolve_precision(problem.precision, device)
    provenance |= {"device": str(device), "device_name": _device_name(device), "precision": precision}
    store.write_json(run.folder / store.PROVENANCE, provenance)
    print_of_inputs = _fingerprint(problem, provenance)
    state, elapsed = load_resume_point(run.folder, print_of_inputs, device, design.generator.state_type)
    recorder = _Recorder(run.folder, problem, print_of_inputs, asked, show, elapsed)
    recorder.begin(0 if state is None else int(state.step))
    state, outcome = generate(design, state, recorder)
    if outcome == "cancelled":
        return recorder.stopped
    recorder.write_status(Phase.SCREENING, int(state.step), recorder.restarts)
    result = design.finalize(state, outcome)
    if asked() is Phase.CANCELLED:  # interrupted: the little that is left is done
        return Phase.CANCELLED
    _write_result(run.folder, result)
    store.write_json(run.folder / store.PROVENANCE, {**provenance, "finished": datetime.now(UTC).isoformat()})
    recorder.write_status(Phase.FINISHED, int(state.step), result.restarts)
    (run.folder / store.RESUME).unlink(missing_ok=True)
    return Phase.FINISHED


class _Recorder:
    """Writes to the folder what happens at each step; called by `optimise`."""

    def __init__(
        self,
        folder: Path,
        problem: DesignProblem,
        fingerprint: str,
        asked: Callable[[], Phase | None],
        show: Callable[[RunStatus], None] | None,
        elapsed_s: float,
    ):
        self.folder, self.settings, self.fingerprint = folder, problem.settings, fingerprint
        self.stages = generator_of(problem).stages(problem)
        self.restarts = 0
        self.asked, self.show = asked, show
        self.total = total_steps(self.stages)
        self.in_progress = frozenset(store.recorded_steps(self.total, store.PROGRESS_RECORDS))
        self.in_trajectory = frozenset(store.recorded_steps(self.total, store.TRAJECTORY_RECORDS))
        self.started = time.monotonic() - elapsed_s
        self.recent: deque[tuple[int, float]] = deque(maxlen=SPEED_STEPS)
        self.status_due = self.resume_due = 0.0
        self.stopped: Phase | None = None

    def begin(self, step: int) -> None:
        """Drop what was recorded at this step or later, and say that the run is running."""
        records = store.read_records(self.folder / store.PROGRESS)
        kept = [record for record in records if record["step"] < step]
        store.write_atomically(self.folder / store.PROGRESS, "".join(map(_line, kept)))
        with (self.folder / store.TRAJECTORY).open("ab") as file:
            file.truncate(sum(s < step for s in self.in_trajectory) * self.settings.candidates * 3 * 4)
        restarts = kept[-1]["restarts"] if kept else 0
        self.resume_due = time.monotonic() + RESUME_S
        self.write_status(Phase.RUNNING, step, restarts)

    def __call__(self, state: State, report: Report) -> bool:
        """Record a step; false if the run is to stop."""
        step, now = int(state.step), time.monotonic()
        self.recent.append((step, now))
        self.restarts = report.restarts
        if report.step in self.in_progress or report.step in self.in_trajectory:
            self._record(report)
        self.stopped = self.asked() if step < self.total else None
        border = step in (self.stages[0].steps, self.total)
        if border or self.stopped or now >= self.resume_due:
            self._save(state)
        if border or self.stopped or now >= self.status_due:
            self.write_status(Phase.RUNNING, step, report.restarts)
        return self.stopped is None

    def write_status(self, phase: Phase, step: int, restarts: int) -> None:
        """Write status.json; `step` steps are done."""
        now = time.monotonic()
        status = RunStatus(
            phase=phase,
            stage=stage_at(self.stages, min(step, self.total - 1)),
            step=step,
            total_steps=self.total,
            elapsed_s=round(now - self.started, 3),
            remaining_s=self._remaining(step) if phase is Phase.RUNNING else None,
            restarts=restarts,
        )
        store.write_status(self.folder, status)
        self.status_due = now + STATUS_S
        if self.show:
            self.show(status)

    def _remaining(self, step: int) -> float | None:
        if len(self.recent) < 3:
            return None
        (first, began), (last, ended) = self.recent[0], self.recent[-1]
        return round((self.total - step) * (ended - began) / (last - first), 3)

    def _save(self, state: State) -> None:
        before = time.monotonic()
        save_resume_point(self.folder, state, self.fingerprint, before - self.started)
        now = time.monotonic()
        self.resume_due = now + max(RESUME_S, RESUME_SHARE * (now - before))

    def _record(self, report: Report) -> None:
        quantities = (report.tc_K, report.formation_energy_eV_per_atom, report.integer_loss)
        values = torch.stack(quantities, dim=1).float().cpu().numpy()
        if report.step in self.in_trajectory:
            with (self.folder / store.TRAJECTORY).open("ab", buffering=0) as file:
                file.write(np.ascontiguousarray(values).tobytes())
        if report.step in self.in_progress:
            record = {"step": report.step, "stage": report.stage, **_statistics(values)}
            record |= {"restarts": report.restarts, "top": _top(report, values)}
            with (self.folder / store.PROGRESS).open("ab", buffering=0) as file:
                file.write(_line(record).encode())


def _line(record: dict) -> str:
    return json.dumps(record, ensure_ascii=False) + "\n"


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")


def _statistics(values: np.ndarray) -> dict[str, float | None]:
    """Best, median and percentiles of Tc, formation energy, integer loss (batch, 3); None if nothing is finite."""
    found = {}
    for column, name in enumerate(store.PROGRESS_QUANTITIES):
        finite = values[np.isfinite(values[:, column]), column].astype(np.float64)
        if not len(finite):
            found |= {f"{name}_{statistic}": None for statistic in store.PROGRESS_STATISTICS}
            continue
        best = finite.max() if name == "tc_K" else finite.min()
        numbers = (best, *np.percentile(finite, (50, 5, 95)))
        for statistic, number in zip(store.PROGRESS_STATISTICS, numbers, strict=True):
            found[f"{name}_{statistic}"] = _rounded(number)
    return found


def _top(report: Report, values: np.ndarray) -> list[dict]:
    """The TOP distinct compositions with the highest Tc, as formulas of fractions."""
    tc = np.where(np.isfinite(values).all(1), values[:, 0], -np.inf)
    order = np.argsort(-tc, kind="stable")[:TOP_SEARCHED]
    compositions = report.composition[torch.from_numpy(order).to(report.composition.device)].cpu().numpy()
    names, best = elements.symbols(), {}
    for candidate, composition in zip(order, compositions, strict=True):
        amounts = {names[i]: float(composition[i]) for i in np.flatnonzero(composition)}
        formula = formula_of(amounts, TOP_DIGITS)
        if np.isfinite(tc[candidate]) and formula not in best:
            numbers = {q: _rounded(v) for q, v in zip(store.PROGRESS_QUANTITIES, values[candidate], strict=True)}
            numbers.pop("integer_loss")
            best[formula] = {"formula": formula, **numbers}
        if len(best) == TOP:
            break
    return list(best.values())


# The resume point.


def save_resume_point(folder: Path, state: State, fingerprint: str, elapsed_s: float) -> None:
    """Store the optimiser's whole state, atomically."""
    tensors = {f.name: getattr(state, f.name).detach().cpu().contiguous() for f in fields(state)}
    note = {"fingerprint": fingerprint, "elapsed_s": repr(elapsed_s)}
    store.write_atomically(folder / store.RESUME, save(tensors, note))


def load_resume_point(
    folder: Path, fingerprint: str, device: torch.device, state_type: type = State
) -> tuple[State | None, float]:
    """The stored state on `device` and the seconds it took, or (None, 0) if there is none that fits."""
    path = folder / store.RESUME
    if not path.exists():
        return None, 0.0
    try:
        with safe_open(path, "pt") as file:
            note = file.metadata() or {}
            tensors = {f.name: file.get_tensor(f.name) for f in fields(state_type)}
    except (SafetensorError, OSError) as error:
        print(f"The resume point cannot be read ({error}): from the beginning.", file=sys.stderr)
        return None, 0.0
    if note.get("fingerprint") != fingerprint:
        print("The problem or the checkpoints have changed since: from the beginning.", file=sys.stderr)
        return None, 0.0
    moved = {name: tensor if name == "step" else tensor.to(device) for name, tensor in tensors.items()}
    return state_type(**moved), float(note["elapsed_s"])


def _fingerprint(problem: DesignProblem, provenance: dict) -> str:
    """Of all that a state depends on: a run never mixes two problems or two sets of weights."""
    content = json.dumps([problem.to_json(), provenance["checkpoints"]], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


# What it was done with, and what came out.


def _provenance(run: Run, problem: DesignProblem) -> dict:
    """Everything needed to do the same again. The number of threads is that of the first start, for equal sums."""
    before = run.provenance()
    names = (problem.tc_predictor, problem.formation_energy_predictor, JUDGE, REFERENCES)
    return {
        "created": run.created().isoformat(),
        "started": before.get("started", datetime.now(UTC).isoformat()),
        "project_version": _project_version(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
        "checkpoints": {name: checkpoint.read_card(name)["sha256"] for name in names},
        "seed": problem.seed,
        "threads": before.get("threads", _thread_count()),
    }


def _project_version() -> str:
    return tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


def _thread_count() -> int:
    """OMP_NUM_THREADS, as clusters set it, or as many threads as processors that this process may use."""
    given = os.environ.get("OMP_NUM_THREADS", "")
    if given.isdigit() and int(given) > 0:
        return int(given)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine()


def _write_result(folder: Path, result: DesignResult) -> None:
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
    store.write_atomically(folder / store.TABLE, typed.getvalue())
    store.write_atomically(folder / store.CSV, to_csv(result.candidates))
    store.write_json(folder / store.RESULT, summary)
