"""Agreement of a device with the CPU: the same starts, the same steps, predictions after 1 and after many steps."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import nn

from core.evaluation.design import prepare
from core.generation.gradient import optimiser
from core.generation.gradient.batch_parallel import BatchParallel
from core.generation.gradient.generator import optimise
from core.generation.gradient.optimiser import State, Task
from core.problem.problem import DesignProblem
from core.problem.settings import FLOAT32, TFLOAT32

FLOAT64 = "float64"
# The CPU with itself: float32 too, but products of other sizes, which are rounded differently.
OTHER_BATCHES, ROWS_OF_OTHER_BATCHES = "float32, CPU in other batches", 37
CLOSE_K = 0.05  # of Tc after many steps


@dataclass(frozen=True)
class AgreementSize:
    """Number of candidates, steps of both stages together, and candidates and steps in float64."""

    candidates: int = 256
    steps: int = 100
    candidates_float64: int = 32
    steps_float64: int = 40


def agreement(problem: DesignProblem, device: torch.device, size: AgreementSize) -> Iterator[dict[str, Any]]:
    """Rows for float32, TF32 (on a CUDA device) and float64, and for the CPU with itself in batches of other sizes.

    The last row is the agreement that float32 permits: Adam's steps have the size of the learning rate however small a
    gradient is, so that differences of rounding grow.

    Columns: precision, candidates, steps; largest difference of Tc in K after 1 step and after all; share of the
    candidates that then differ by less than CLOSE_K. Tc is predicted in full precision, on the device and on the CPU.
    """
    precisions = (FLOAT32, TFLOAT32) if device.type == "cuda" else (FLOAT32,)
    for precision in (*precisions, FLOAT64, OTHER_BATCHES):
        double = precision == FLOAT64
        candidates = size.candidates_float64 if double else size.candidates
        steps = size.steps_float64 if double else size.steps
        settings = replace(problem.settings, candidates=candidates, steps=(steps - steps // 2, steps // 2))
        posed = replace(problem, settings=settings, precision=precision if precision == TFLOAT32 else FLOAT32)
        here, there = (_task(replace(posed, device=each), double) for each in ("cpu", device.type))
        if precision == OTHER_BATCHES:
            there = replace(here, cores=BatchParallel(max_rows=ROWS_OF_OTHER_BATCHES))
        start = optimiser.init(here)
        first = replace(settings, steps=(1, 0))
        after_1 = _difference(replace(here, settings=first), _restarted(there, first), start)
        after_all = _difference(here, there, start)
        yield {
            "precision": precision,
            "candidates": candidates,
            "steps": steps,
            "largest_tc_difference_after_1_step_K": float(after_1.max()),
            "largest_tc_difference_after_all_steps_K": float(after_all.max()),
            "share_within_0.05_K_after_all_steps": float((after_all < CLOSE_K).double().mean()),
        }


def _difference(here: Task, there: Task, start: State) -> torch.Tensor:
    """|difference of Tc| (candidates,) in K after all steps of the tasks from the same state, on the CPU."""
    found = []
    for task in (here, there):
        state, _ = optimise(task, _on(task.constraints.fixed.device, start))
        found.append(optimiser.evaluate(task, state).tc_K.cpu())
    return (found[0] - found[1]).abs()


def _on(device: torch.device, state: State) -> State:
    """The state on another device; the step stays on the CPU."""
    return State(**{f.name: getattr(state, f.name).to("cpu" if f.name == "step" else device) for f in fields(State)})


def _restarted(task: Task, settings: optimiser.OptimiserSettings) -> Task:
    """The task with other settings, for which steps are captured anew."""
    return replace(task, settings=settings, device_steps=task.device_steps and task.device_steps.fresh())


def _task(problem: DesignProblem, double: bool) -> Task:
    """The task of a problem; with `double`, in float64 throughout."""
    task = prepare(problem).task
    if not double:
        return task
    constraints = replace(
        task.constraints,
        fixed=task.constraints.fixed.double(),
        rooms=None if task.constraints.rooms is None else task.constraints.rooms.double(),
    )
    return replace(
        task,
        tc=_in_float64(task.tc),
        formation_energy=_in_float64(task.formation_energy),
        constraints=constraints,
        atom_counts=task.atom_counts.double(),
        guess=lambda candidate, restart: task.guess(candidate, restart).double(),
    )


def _in_float64(predictor: Any) -> Any:
    assert isinstance(predictor, nn.Module)
    return copy.deepcopy(predictor).double()
