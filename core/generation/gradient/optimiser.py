"""The two-stage optimiser as pure functions: `init` returns a state, `step` applies one Adam step to all candidates.

Stage 1 minimises L_1 = -(Tc - kappa error) + alpha Ef, and its last compositions define M_max. Stage 2 minimises L_2 =
L_1 + beta(t) L_integer (KIAGO eq. 12-17). With a target, max(0, y_t - Tc) replaces -Tc (GDMCD eq. 3-10). The error is
the predictor's own estimate of its error in Tc; predictors without an estimate, and the papers, have 0. Dead candidates
(not finite, or with a free part without positive ratios) are restarted from a new initial guess.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import torch

from core.generation.gradient import losses
from core.generation.gradient.batch_parallel import BatchParallel
from core.generation.gradient.simplex_map import SimplexMap
from core.generation.interface import Report
from core.predictors.interface import Predictor
from core.problem.settings import CONSTANT, TARGET, OptimiserSettings

Guess = Callable[[int, int], torch.Tensor]  # (candidate, restart) -> x_base (parts * 118,)

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8  # Kingma and Ba 2015


@dataclass(frozen=True)
class Task:
    """The constant data of a run.

    tc, formation_energy : predictors of Tc in K and formation energy in eV/atom
    constraints : the map x_base -> composition
    atom_counts : (sizes,) float, the N of the integer loss
    guess(candidate, restart) : initial x_base (parts * 118,) on the device of the run
    cores : distributes the candidates over the cores of the CPU
    step_predictors : faster versions of `tc` and `formation_energy` in lower precision, for the steps; None: the same
    """

    tc: Predictor
    formation_energy: Predictor
    constraints: SimplexMap
    settings: OptimiserSettings
    atom_counts: torch.Tensor
    guess: Guess
    cores: BatchParallel = field(default_factory=BatchParallel)
    step_predictors: tuple[Predictor, Predictor] | None = None


@dataclass(frozen=True)
class State:
    """State of the optimisation. All fields are tensors, so that the state can be stored and restored exactly.

    The free parts of a composition (see `SimplexMap.rooms`) are concatenated.

    step : () int64, completed steps over both stages
    x_base : (batch, parts * 118) unnormalised ratios
    moment1, moment2 : (batch, parts * 118) moments of Adam
    age : (batch,) int64, Adam steps of each candidate since its last (re)start
    max_mask : (batch, parts * 118) bool, M_max; all true in stage 1
    restarts : (batch,) int64, restarts of each candidate
    """

    step: torch.Tensor
    x_base: torch.Tensor
    moment1: torch.Tensor
    moment2: torch.Tensor
    age: torch.Tensor
    max_mask: torch.Tensor
    restarts: torch.Tensor


def init(task: Task) -> State:
    """State before the first step."""
    x_base = torch.stack([task.guess(i, 0) for i in range(task.settings.candidates)])
    zeros = torch.zeros_like(x_base)
    count = torch.zeros(len(x_base), dtype=torch.int64, device=x_base.device)
    state = State(
        step=torch.zeros((), dtype=torch.int64),
        x_base=x_base,
        moment1=zeros,
        moment2=zeros.clone(),
        age=count,
        max_mask=torch.ones_like(x_base, dtype=torch.bool),
        restarts=count.clone(),
    )
    return _enter_stage_2(task, state) if task.settings.steps[0] == 0 else state


def stage(settings: OptimiserSettings, step: int) -> int:
    """Stage of a step (from 0): 1 or 2."""
    return 1 if step < settings.steps[0] else 2


def integer_weight(settings: OptimiserSettings, step: int) -> float:
    """beta(t) in K: 0 in stage 1, in stage 2 constant or increasing linearly to the full value in the last step."""
    if stage(settings, step) == 1 or not settings.steps[1]:
        return 0.0
    if settings.integer_schedule == "constant":
        return settings.integer_weight
    return settings.integer_weight * (step - settings.steps[0] + 1) / settings.steps[1]


def step_size(settings: OptimiserSettings, step: int) -> float:
    """Learning rate in units of x_base; with the shrinking schedule proportional to (1 - t / T)^2 in stage 2."""
    if stage(settings, step) == 1 or settings.step_schedule == CONSTANT:
        return settings.learning_rate
    return settings.learning_rate * (1 - (step - settings.steps[0]) / settings.steps[1]) ** 2


def evaluate(task: Task, state: State) -> Report:
    """Compositions and properties of the current state, without a step."""

    def evaluated(rows: slice) -> _Evaluation:
        with torch.no_grad():  # this setting is local to the thread
            return _evaluate(task, state, state.x_base[rows], task.tc, task.formation_energy, rows)

    return _report(task, state, _concatenated(task.cores.map(evaluated, len(state.x_base))))


def step(task: Task, state: State) -> tuple[State, Report]:
    """One Adam step for every candidate, after a restart of the dead ones; the report precedes the step."""
    state = _restart_dead(task, state)
    x_base = task.constraints.project_ratios(state.x_base.detach(), state.max_mask)
    predictors = task.step_predictors or (task.tc, task.formation_energy)
    tc, energy = (predictor.member_at(int(state.step)) for predictor in predictors)

    def with_gradient(rows: slice) -> tuple[torch.Tensor, _Evaluation]:
        x = x_base[rows].requires_grad_(True)
        evaluation = _evaluate(task, state, x, tc, energy, rows)
        gradient = torch.autograd.grad(evaluation.loss.sum(), x)[0]
        return gradient, _Evaluation(*(values.detach() for values in evaluation))

    gradients, shares = zip(*task.cores.map(with_gradient, len(x_base)), strict=True)
    gradient, evaluation = torch.cat(gradients), _concatenated(shares)
    # A candidate whose loss or gradient is not finite becomes NaN, so that the next step restarts it.
    finite = torch.isfinite(evaluation.loss) & torch.isfinite(gradient).all(1)
    moment1 = BETA1 * state.moment1 + (1 - BETA1) * gradient
    moment2 = BETA2 * state.moment2 + (1 - BETA2) * gradient.square()
    age = state.age + 1
    powers = age[:, None].to(x_base.dtype)
    mean = moment1 / (1 - BETA1**powers)
    scale = (moment2 / (1 - BETA2**powers)).sqrt() + EPSILON
    x_new = (x_base - step_size(task.settings, int(state.step)) * mean / scale).detach()
    moved = replace(
        state,
        step=state.step + 1,
        x_base=torch.where(finite[:, None], x_new, torch.nan),
        moment1=moment1,
        moment2=moment2,
        age=age,
    )
    if int(moved.step) == task.settings.steps[0]:
        moved = _enter_stage_2(task, moved)
    return moved, _report(task, state, evaluation)


class _Evaluation(NamedTuple):
    """Loss of the stage, composition, Tc, formation energy and L_integer of candidates, each (rows, ...)."""

    loss: torch.Tensor
    composition: torch.Tensor
    tc_K: torch.Tensor
    formation_energy_eV_per_atom: torch.Tensor
    integer_loss: torch.Tensor


def _evaluate(
    task: Task, state: State, x_base: torch.Tensor, tc_of: Predictor, energy_of: Predictor, rows: slice = slice(None)
) -> _Evaluation:
    """Evaluate the candidates `rows`, whose ratios are x_base (rows, parts * 118)."""
    settings = task.settings
    composition = task.constraints.compose(x_base, state.max_mask[rows])
    loss, tc, energy = first_loss(settings, composition, tc_of, energy_of)
    integer = losses.integer_loss(
        _present(composition), task.atom_counts, settings.integer_loss, settings.fractional_elements
    )
    weight = integer_weight(settings, int(state.step))
    return _Evaluation(loss + weight * integer if weight else loss, composition, tc, energy, integer)


def _concatenated(shares: Sequence[_Evaluation]) -> _Evaluation:
    """One evaluation of all candidates from those of consecutive shares."""
    return _Evaluation(*(torch.cat(columns) for columns in zip(*shares, strict=True)))


def _report(task: Task, state: State, evaluation: _Evaluation) -> Report:
    return Report(
        step=int(state.step),
        stage=stage(task.settings, int(state.step)),
        restarts=int(state.restarts.sum()),
        **{name: values for name, values in evaluation._asdict().items() if name != "loss"},
    )


def first_loss(
    settings: OptimiserSettings, composition: torch.Tensor, tc_of: Predictor, energy_of: Predictor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """L_1 in K, Tc in K and formation energy in eV/atom, each (batch,), of compositions (batch, 118)."""
    (tc, error, _), energy = tc_of.estimate(composition), energy_of(composition)
    safe_tc = tc if error is None else tc - settings.risk_aversion * error
    target = settings.target_tc_K if settings.objective == TARGET else None
    return losses.objective(safe_tc, energy, settings.formation_energy_weight, target), tc, energy


def _present(composition: torch.Tensor) -> torch.Tensor:
    """The largest fractions (batch, k) of each row; k is large enough for all that are above 0."""
    k = int((composition.detach() > 0).sum(1).max())
    return composition.topk(max(k, 1), dim=1).values


def _enter_stage_2(task: Task, state: State) -> State:
    """Build M_max from the last compositions of stage 1 (KIAGO eq. 7)."""
    return replace(state, max_mask=task.constraints.max_mask(state.x_base, task.settings.max_elements))


def _restart_dead(task: Task, state: State) -> State:
    """Reset x_base and Adam of dead candidates, and in stage 2 their M_max."""
    dead = ~task.constraints.alive(state.x_base, state.max_mask)
    if not bool(dead.any()):
        return state
    x_base, restarts, max_mask = state.x_base.clone(), state.restarts.clone(), state.max_mask.clone()
    moments = state.moment1.clone(), state.moment2.clone()
    age = state.age.clone()
    restarts[dead] += 1
    for i in dead.nonzero().flatten().tolist():
        x_base[i] = task.guess(i, int(restarts[i]))
    if stage(task.settings, int(state.step)) == 2:
        max_mask[dead] = task.constraints.max_mask(x_base[dead], task.settings.max_elements)
    for tensor in (*moments, age):
        tensor[dead] = 0
    return replace(
        state,
        x_base=x_base,
        restarts=restarts,
        max_mask=max_mask,
        moment1=moments[0],
        moment2=moments[1],
        age=age,
    )
