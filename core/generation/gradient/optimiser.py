"""The two-stage optimiser as pure functions: `init` returns a state, `step` applies one Adam step to all candidates.

Stage 1 minimises L_1 = -(Tc - kappa error) + alpha Ef, and its last compositions define M_max. Stage 2 minimises L_2 =
L_1 + beta(t) L_integer (KIAGO eq. 12-17). With a target, max(0, y_t - Tc) replaces -Tc (GDMCD eq. 3-10). With a hull,
the energy above hull replaces Ef (`hull_prices`). The error is
the predictor's own estimate of its error in Tc; predictors without an estimate, and the papers, have 0. Dead candidates
(not finite, or with a free part without positive ratios) are restarted from a new initial guess.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol

import torch

from core.chemistry import elements
from core.generation.gradient import losses
from core.generation.gradient.batch_parallel import BatchParallel
from core.generation.gradient.hull_prices import REFRESH_STEPS, StableMixtures, refreshed
from core.generation.gradient.simplex_map import SimplexMap
from core.generation.interface import Report
from core.predictors.interface import Predictor
from core.problem.settings import CONSTANT, TARGET, OptimiserSettings

Guess = Callable[[int, int], torch.Tensor]  # (candidate, restart) -> x_base (parts * 118,)

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8  # Kingma and Ba 2015


class StepsAtOnce(Protocol):
    """Does several steps of a task at once.

    tf32 : whether products of float32 matrices are in TF32
    """

    tf32: bool

    def fresh(self) -> StepsAtOnce:
        """The same execution for a task with other settings, which has steps of its own."""
        ...

    @property
    def execution(self) -> str:
        """How the steps are executed, for the provenance of a run."""
        ...

    def advance(self, task: Task, state: State) -> tuple[State, tuple[Report, ...]]:
        """One or more steps, not beyond the end of a stage: the state after them, and the report of each step."""
        ...


@dataclass(frozen=True)
class Task:
    """The constant data of a run.

    tc, formation_energy : predictors of Tc in K and formation energy in eV/atom
    constraints : the map x_base -> composition
    atom_counts : (sizes,) float, the N of the integer loss
    guess(candidate, restart) : initial x_base (parts * 118,) on the device of the run
    cores : distributes the candidates over the cores of the CPU
    step_predictors : faster versions of `tc` and `formation_energy` in lower precision, for the steps; None: the same
    device_steps : does several steps at once on a CUDA device; None: `step` is used
    hull : convex hull of an objective with the energy above hull; None: the objective has the formation energy
    """

    tc: Predictor
    formation_energy: Predictor
    constraints: SimplexMap
    settings: OptimiserSettings
    atom_counts: torch.Tensor
    guess: Guess
    cores: BatchParallel = field(default_factory=BatchParallel)
    step_predictors: tuple[Predictor, Predictor] | None = None
    device_steps: StepsAtOnce | None = None
    hull: StableMixtures | None = None


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
    prices : (batch, 118) dual prices of the elements in eV per atom; (0,) without a hull
    """

    step: torch.Tensor
    x_base: torch.Tensor
    moment1: torch.Tensor
    moment2: torch.Tensor
    age: torch.Tensor
    max_mask: torch.Tensor
    restarts: torch.Tensor
    prices: torch.Tensor = field(default_factory=lambda: torch.zeros(0))


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
        prices=x_base.new_zeros(0 if task.hull is None else (len(x_base), elements.N_ELEMENTS)),
    )
    return enter_stage_2(task, state) if task.settings.steps[0] == 0 else state


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
    weight = integer_weight(task.settings, int(state.step))

    def evaluated(rows: slice) -> Evaluation:
        with torch.no_grad():  # this setting is local to the thread
            return _evaluate(
                task, state.x_base[rows], state.max_mask[rows], (task.tc, task.formation_energy), weight, _present
            )

    return _report(task, state, _concatenated(task.cores.map(evaluated, len(state.x_base))))


def step(task: Task, state: State) -> tuple[State, Report]:
    """One Adam step for every candidate, after a restart of the dead ones; the report precedes the step."""
    state = _restart_dead(task, state)
    x_base = task.constraints.project_ratios(state.x_base.detach(), state.max_mask)
    number = int(state.step)
    prices = _prices(task, state, x_base)
    gradient, evaluation = loss_gradient(
        task, x_base, state.max_mask, step_members(task, number), integer_weight(task.settings, number), _present,
        prices,
    )  # fmt: skip
    x_base, moment1, moment2, age = adam(
        x_base, gradient, state.moment1, state.moment2, state.age, step_size(task.settings, number)
    )
    moved = replace(
        state,
        step=state.step + 1,
        x_base=torch.where(is_finite(evaluation, gradient)[:, None], x_base, torch.nan),
        moment1=moment1,
        moment2=moment2,
        age=age,
        prices=state.prices if prices is None else prices,
    )
    if int(moved.step) == task.settings.steps[0]:
        moved = enter_stage_2(task, moved)
    return moved, _report(task, state, evaluation)


class Evaluation(NamedTuple):
    """Loss of the stage, composition, Tc, formation energy and L_integer of candidates, each (rows, ...)."""

    loss: torch.Tensor
    composition: torch.Tensor
    tc_K: torch.Tensor
    formation_energy_eV_per_atom: torch.Tensor
    integer_loss: torch.Tensor


def step_members(task: Task, number: int) -> tuple[Predictor, Predictor]:
    """The predictors of Tc and of the formation energy that step `number` (from 0) optimises."""
    predictors = task.step_predictors or (task.tc, task.formation_energy)
    tc, energy = (predictor.member_at(number) for predictor in predictors)
    return tc, energy


def loss_gradient(
    task: Task,
    x_base: torch.Tensor,
    max_mask: torch.Tensor,
    predictors: tuple[Predictor, Predictor],
    weight: float | torch.Tensor | None,
    present: Callable[[torch.Tensor], torch.Tensor],
    prices: torch.Tensor | None = None,
) -> tuple[torch.Tensor, Evaluation]:
    """Gradient of the loss in x_base (batch, parts * 118), of the same shape, and the evaluation.

    max_mask, predictors, weight, present, prices : as for `_evaluate`
    """

    def with_gradient(rows: slice) -> tuple[torch.Tensor, Evaluation]:
        x = x_base[rows].requires_grad_(True)
        of_rows = None if prices is None else prices[rows]
        evaluation = _evaluate(task, x, max_mask[rows], predictors, weight, present, of_rows)
        gradient = torch.autograd.grad(evaluation.loss.sum(), x)[0]
        return gradient, Evaluation(*(values.detach() for values in evaluation))

    gradients, shares = zip(*task.cores.map(with_gradient, len(x_base)), strict=True)
    return torch.cat(gradients), _concatenated(shares)


def is_finite(evaluation: Evaluation, gradient: torch.Tensor) -> torch.Tensor:
    """Whether loss and gradient (batch, width) of a candidate are finite: (batch,) bool.

    Other candidates become NaN, so that the next step restarts them.
    """
    return torch.isfinite(evaluation.loss) & torch.isfinite(gradient).all(1)


def adam(
    x_base: torch.Tensor,
    gradient: torch.Tensor,
    moment1: torch.Tensor,
    moment2: torch.Tensor,
    age: torch.Tensor,
    size: float | torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """One step of Adam (Kingma and Ba 2015): x_base, moments (batch, width) and age (batch,) after the step.

    size : learning rate in units of x_base, a number or a tensor ()
    """
    moment1 = BETA1 * moment1 + (1 - BETA1) * gradient
    moment2 = BETA2 * moment2 + (1 - BETA2) * gradient.square()
    age = age + 1
    powers = age[:, None].to(x_base.dtype)
    mean = moment1 / (1 - BETA1**powers)
    scale = (moment2 / (1 - BETA2**powers)).sqrt() + EPSILON
    return (x_base - size * mean / scale).detach(), moment1, moment2, age


def _evaluate(
    task: Task,
    x_base: torch.Tensor,
    max_mask: torch.Tensor,
    predictors: tuple[Predictor, Predictor],
    weight: float | torch.Tensor | None,
    present: Callable[[torch.Tensor], torch.Tensor],
    prices: torch.Tensor | None = None,
) -> Evaluation:
    """Evaluate candidates with ratios x_base and masks max_mask, both (rows, parts * 118).

    predictors : of Tc and of the formation energy
    weight : beta in K, a number or a tensor (); 0 or None: the loss has no integer part
    present : compositions (rows, 118) -> columns (rows, k) that contain all fractions above 0
    prices : (rows, 118) dual prices of the elements; None: the loss has the formation energy
    """
    settings = task.settings
    composition = task.constraints.compose(x_base, max_mask)
    loss, tc, energy = first_loss(settings, composition, *predictors)
    if prices is not None:  # Ef - E_hull in place of Ef
        loss = loss - settings.formation_energy_weight * (composition * prices).sum(1)
    integer = losses.integer_loss(
        present(composition), task.atom_counts, settings.integer_loss, settings.fractional_elements
    )
    if isinstance(weight, torch.Tensor) or weight:
        loss = loss + weight * integer
    return Evaluation(loss, composition, tc, energy, integer)


def _concatenated(shares: Sequence[Evaluation]) -> Evaluation:
    """One evaluation of all candidates from those of consecutive shares."""
    return Evaluation(*(torch.cat(columns) for columns in zip(*shares, strict=True)))


def _report(task: Task, state: State, evaluation: Evaluation) -> Report:
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
    (tc, error, *_), energy = tc_of.estimate(composition), energy_of(composition)
    safe_tc = tc if error is None else tc - settings.risk_aversion * error
    target = settings.target_tc_K if settings.objective == TARGET else None
    return losses.objective(safe_tc, energy, settings.formation_energy_weight, target), tc, energy


def _present(composition: torch.Tensor) -> torch.Tensor:
    """The largest fractions (batch, k) of each row; k is large enough for all that are above 0."""
    k = int((composition.detach() > 0).sum(1).max())
    return composition.topk(max(k, 1), dim=1).values


def _prices(task: Task, state: State, x_base: torch.Tensor) -> torch.Tensor | None:
    """The prices of a step at x_base: new ones every few steps, at the begin of a stage and after a restart."""
    if task.hull is None:
        return None
    number = int(state.step)
    due = number % REFRESH_STEPS == 0 or number == task.settings.steps[0]
    with torch.no_grad():
        composition = task.constraints.compose(x_base, state.max_mask)
    return refreshed(
        task.hull, composition, state.prices, torch.ones_like(state.age, dtype=torch.bool) if due else state.age == 0
    )


def enter_stage_2(task: Task, state: State) -> State:
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
