"""The optimiser: `init` makes a state, `step` moves it by one Adam step. Loops, reports and files live elsewhere.

Stage 1 minimises L_1 = -(Tc - kappa error) + alpha Ef; at the border M_max is built from the compositions reached;
stage 2 minimises L_2 = L_1 + beta(t) L_integer (KIAGO eq. 12-17). With a target L_1 has max(0, y_t - Tc) in the place
of -Tc (GDMCD eq. 3-10). The error is what the predictor expects of its own Tc: 0 in the papers, and where a predictor
cannot say. A candidate that dies (nothing positive left, or not finite) is restarted from a fresh guess, and counted.
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
    """All that stays the same during a run: what is predicted, what is allowed, how to move.

    atom_counts : (sizes,) float, the N of the integer loss
    climbs : what the steps climb in the place of `tc` and `formation_energy`: the same, less precise and faster
    guess(candidate, restart) : x_base (parts * 118,) on the run's device, for the start and for restarts
    cores : what shares the candidates among the processor's cores
    """

    tc: Predictor
    formation_energy: Predictor
    constraints: SimplexMap
    settings: OptimiserSettings
    atom_counts: torch.Tensor
    guess: Guess
    cores: BatchParallel = field(default_factory=BatchParallel)
    climbs: tuple[Predictor, Predictor] | None = None


@dataclass(frozen=True)
class State:
    """Where the optimisation stands; every field is a tensor, so that it can be stored and resumed exactly.

    The free parts of a composition (see `SimplexMap.rooms`) lie side by side.

    step : () int64, steps done over both stages
    x_base : (batch, parts * 118) unnormalised ratios
    moment1, moment2 : (batch, parts * 118) of Adam
    age : (batch,) Adam steps since the start or restart of each candidate
    max_mask : (batch, parts * 118) bool, M_max; all true in stage 1
    restarts : (batch,) int64
    """

    step: torch.Tensor
    x_base: torch.Tensor
    moment1: torch.Tensor
    moment2: torch.Tensor
    age: torch.Tensor
    max_mask: torch.Tensor
    restarts: torch.Tensor


def init(task: Task) -> State:
    """The state before the first step."""
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
    """1 or 2: the stage that this step belongs to."""
    return 1 if step < settings.steps[0] else 2


def integer_weight(settings: OptimiserSettings, step: int) -> float:
    """beta(t) in K: 0 in stage 1; in stage 2 constant, or rising linearly to its full value at the last step."""
    if stage(settings, step) == 1 or not settings.steps[1]:
        return 0.0
    if settings.integer_schedule == "constant":
        return settings.integer_weight
    return settings.integer_weight * (step - settings.steps[0] + 1) / settings.steps[1]


def step_size(settings: OptimiserSettings, step: int) -> float:
    """The learning rate, in units of x_base; shrinking, it falls over stage 2 as (1 - t / T)^2 from its full value."""
    if stage(settings, step) == 1 or settings.step_schedule == CONSTANT:
        return settings.learning_rate
    return settings.learning_rate * (1 - (step - settings.steps[0]) / settings.steps[1]) ** 2


def evaluate(task: Task, state: State) -> Report:
    """Compositions and properties at the present state, without moving it."""

    def seen(rows: slice) -> _Seen:
        with torch.no_grad():  # of each thread for itself
            return _seen(task, state, state.x_base[rows], task.tc, task.formation_energy, rows)

    return _report(task, state, _joined(task.cores.each(seen, len(state.x_base))))


def step(task: Task, state: State) -> tuple[State, Report]:
    """One Adam step for every candidate; the candidates that died are restarted first."""
    state = _restart_dead(task, state)
    x_base = task.constraints.settled(state.x_base.detach(), state.max_mask)
    predictors = task.climbs or (task.tc, task.formation_energy)
    tc, energy = (predictor.member_at(int(state.step)) for predictor in predictors)

    def slope(rows: slice) -> tuple[torch.Tensor, _Seen]:
        x = x_base[rows].requires_grad_(True)
        seen = _seen(task, state, x, tc, energy, rows)
        return torch.autograd.grad(seen.loss.sum(), x)[0], _Seen(*(part.detach() for part in seen))

    gradients, parts = zip(*task.cores.each(slope, len(x_base)), strict=True)
    gradient, seen = torch.cat(gradients), _joined(parts)
    # A candidate whose loss or gradient is not finite must not stand still unnoticed: it is marked, and restarted.
    finite = torch.isfinite(seen.loss) & torch.isfinite(gradient).all(1)
    moment1 = BETA1 * state.moment1 + (1 - BETA1) * gradient
    moment2 = BETA2 * state.moment2 + (1 - BETA2) * gradient.square()
    age = state.age + 1
    powers = age[:, None].to(x_base.dtype)
    mean = moment1 / (1 - BETA1**powers)
    spread = (moment2 / (1 - BETA2**powers)).sqrt() + EPSILON
    x_new = (x_base - step_size(task.settings, int(state.step)) * mean / spread).detach()
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
    return moved, _report(task, state, seen)


class _Seen(NamedTuple):
    """Loss of the stage, composition, Tc, formation energy and L_integer of some candidates, each (rows, ...)."""

    loss: torch.Tensor
    composition: torch.Tensor
    tc_K: torch.Tensor
    formation_energy_eV_per_atom: torch.Tensor
    integer_loss: torch.Tensor


def _seen(
    task: Task, state: State, x_base: torch.Tensor, tc_of: Predictor, energy_of: Predictor, rows: slice = slice(None)
) -> _Seen:
    """All that a step asks of the candidates `rows`, whose ratios are x_base (rows, ...)."""
    settings = task.settings
    composition = task.constraints.compose(x_base, state.max_mask[rows])
    loss, tc, energy = first_loss(settings, composition, tc_of, energy_of)
    integer = losses.integer_loss(
        _present(composition), task.atom_counts, settings.integer_loss, settings.exempt_elements
    )
    weight = integer_weight(settings, int(state.step))
    return _Seen(loss + weight * integer if weight else loss, composition, tc, energy, integer)


def _joined(parts: Sequence[_Seen]) -> _Seen:
    """What was seen of the shares of the candidates, as one."""
    return _Seen(*(torch.cat(columns) for columns in zip(*parts, strict=True)))


def _report(task: Task, state: State, seen: _Seen) -> Report:
    return Report(
        step=int(state.step),
        stage=stage(task.settings, int(state.step)),
        restarts=int(state.restarts.sum()),
        **{name: part for name, part in seen._asdict().items() if name != "loss"},
    )


def first_loss(
    settings: OptimiserSettings, composition: torch.Tensor, tc_of: Predictor, energy_of: Predictor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """L_1, Tc and formation energy, each (batch,), of compositions (batch, 118)."""
    (tc, error, _), energy = tc_of.estimate(composition), energy_of(composition)
    safe_tc = tc if error is None else tc - settings.caution * error
    target = settings.target_tc_K if settings.objective == TARGET else None
    return losses.objective(safe_tc, energy, settings.formation_energy_weight, target), tc, energy


def _present(composition: torch.Tensor) -> torch.Tensor:
    """The fractions (batch, k) without the columns in which every candidate is zero: those cost nothing."""
    most = int((composition.detach() > 0).sum(1).max())
    return composition.topk(max(most, 1), dim=1).values


def _enter_stage_2(task: Task, state: State) -> State:
    """Build M_max from the compositions of stage 1, once (KIAGO eq. 7)."""
    return replace(state, max_mask=task.constraints.max_mask(state.x_base, task.settings.max_elements))


def _restart_dead(task: Task, state: State) -> State:
    """Give every dead candidate a fresh guess and a fresh Adam; in stage 2 also its own M_max."""
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
