"""Several steps of the optimiser between two reads by the host, on a CUDA device replayed as CUDA graphs.

`optimiser.step` reads the device to decide which candidates are dead and how many elements are present. Here the step
has fixed shapes and decides on the device: weights and step sizes are tables indexed by the step, dead candidates
restart from guesses drawn beforehand, and the number of elements has a limit. Where a guess is missing or the limit is
exceeded, the step leaves a mark. The host reads the marks after `STRIDE` steps and, if there is one, repeats these
steps, so that every result is that of `optimiser.step`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial

import torch

from core.chemistry import elements
from core.generation.gradient import optimiser
from core.generation.gradient.cuda_graphs import Graphs
from core.generation.gradient.optimiser import State, Task
from core.generation.interface import Report
from core.predictors.device import matmul_precision
from core.predictors.interface import Predictor

STRIDE = 20  # steps between two reads
MAX_REPEATS = 4  # of the steps between two reads, before they are done with `optimiser.step`
LIMIT_STEP = 4  # limits of the number of elements are multiples of it, so that few graphs are captured


@dataclass(frozen=True)
class Buffers:
    """Tensors that the steps overwrite in place; each keeps its address, as a CUDA graph requires.

    x_base, moment1, moment2, age, max_mask, restarts : as in `State`
    position : (1,) int64, completed steps
    weights, sizes : (steps + STRIDE,) beta in K and learning rate of each step
    spare, spare_mask : (batch, parts * 118) the next initial guess of each candidate, and its M_max
    spare_number : (batch,) int64, the restart for which the guess was drawn; 0: none
    missing : (batch,) bool, candidates that died without a guess for this restart
    most_elements : (1,) int64, the largest number of elements in one composition
    slot : (1,) int64, row of the tables below for the next step
    composition (STRIDE, batch, 118), tc_K, formation_energy_eV_per_atom, integer_loss (STRIDE, batch) : of each step
    restart_count : (STRIDE,) int64, restarts of all candidates
    """

    x_base: torch.Tensor
    moment1: torch.Tensor
    moment2: torch.Tensor
    age: torch.Tensor
    max_mask: torch.Tensor
    restarts: torch.Tensor
    position: torch.Tensor
    weights: torch.Tensor
    sizes: torch.Tensor
    spare: torch.Tensor
    spare_mask: torch.Tensor
    spare_number: torch.Tensor
    missing: torch.Tensor
    most_elements: torch.Tensor
    slot: torch.Tensor
    composition: torch.Tensor
    tc_K: torch.Tensor
    formation_energy_eV_per_atom: torch.Tensor
    integer_loss: torch.Tensor
    restart_count: torch.Tensor

    @classmethod
    def like(cls, task: Task, state: State) -> Buffers:
        """Buffers for the states of a task, without content."""
        x, settings = state.x_base, task.settings
        steps, batch = range(sum(settings.steps)), len(x)
        whole = partial(torch.zeros, dtype=torch.int64, device=x.device)
        column = partial(x.new_zeros, (STRIDE, batch))
        return cls(
            **{name: torch.empty_like(getattr(state, name)) for name in STATE_FIELDS},
            position=whole(1),
            weights=_table([optimiser.integer_weight(settings, k) for k in steps], x),
            sizes=_table([optimiser.step_size(settings, k) for k in steps], x),
            spare=torch.zeros_like(x),
            spare_mask=torch.ones_like(state.max_mask),
            spare_number=whole(batch),
            missing=torch.zeros(batch, dtype=torch.bool, device=x.device),
            most_elements=whole(1),
            slot=whole(1),
            composition=x.new_zeros(STRIDE, batch, elements.N_ELEMENTS),
            tc_K=column(),
            formation_energy_eV_per_atom=column(),
            integer_loss=column(),
            restart_count=whole(STRIDE),
        )

    def load(self, state: State) -> None:
        """Continue from this state, without marks."""
        for name in STATE_FIELDS:
            getattr(self, name).copy_(getattr(state, name))
        self.position.fill_(int(state.step))
        for mark in (self.missing, self.most_elements, self.slot):
            mark.zero_()

    def state(self, step: int) -> State:
        """A copy of the state after `step` completed steps."""
        copies = {name: getattr(self, name).clone() for name in STATE_FIELDS}
        return State(step=torch.tensor(step, dtype=torch.int64), **copies)


def _table(values: list[float], like: torch.Tensor) -> torch.Tensor:
    """The value of each step, and of `STRIDE` more: steps before a capture may go beyond the last one."""
    return torch.tensor(values + values[-1:] * STRIDE, dtype=like.dtype).to(like.device)


REPORT_FIELDS = ("composition", "tc_K", "formation_energy_eV_per_atom", "integer_loss")
# A task with the prices of a hull is not captured.
STATE_FIELDS = tuple(field.name for field in fields(State) if field.name not in ("step", "prices"))


def step_in_place(
    task: Task, buffers: Buffers, stage: int, predictors: tuple[Predictor, Predictor], limit: int | None
) -> None:
    """`optimiser.step` on the buffers, with fixed shapes and without reads by the host.

    predictors : of Tc and of the formation energy, in their form of fixed shapes
    limit : number of columns of the integer loss, enough for all elements present; None: all columns
    """
    b, number = buffers, buffers.position
    dead = ~task.constraints.alive(b.x_base, b.max_mask)
    b.missing.logical_or_(dead & (b.spare_number != b.restarts + 1))
    b.restarts.add_(dead)
    b.max_mask.copy_(torch.where(dead[:, None], b.spare_mask, b.max_mask))
    x_base = torch.where(dead[:, None], b.spare, b.x_base)
    x_base = task.constraints.project_ratios(x_base, b.max_mask)
    weight = None if stage == 1 else b.weights.index_select(0, number)
    gradient, evaluation = optimiser.loss_gradient(
        task, x_base, b.max_mask, predictors, weight, partial(_largest, limit)
    )
    x_base, moment1, moment2, age = optimiser.adam(
        x_base,
        gradient,
        b.moment1.masked_fill(dead[:, None], 0),
        b.moment2.masked_fill(dead[:, None], 0),
        b.age.masked_fill(dead, 0),
        b.sizes.index_select(0, number),
    )
    b.x_base.copy_(torch.where(optimiser.is_finite(evaluation, gradient)[:, None], x_base, torch.nan))
    for buffer, value in ((b.moment1, moment1), (b.moment2, moment2), (b.age, age)):
        buffer.copy_(value)
    for name in REPORT_FIELDS:
        getattr(b, name).index_copy_(0, b.slot, getattr(evaluation, name)[None])
    b.restart_count.index_copy_(0, b.slot, b.restarts.sum()[None])
    b.most_elements.copy_(torch.maximum(b.most_elements, (evaluation.composition > 0).sum(1).amax()))
    b.slot.add_(1)
    b.position.add_(1)


def _largest(limit: int | None, composition: torch.Tensor) -> torch.Tensor:
    return composition if limit is None else composition.topk(limit, dim=1).values


class DeviceSteps:
    """Does the steps of one task, `STRIDE` at a time.

    graphs : captures and replays the steps; None: each step is launched operation by operation
    tf32 : whether products of float32 matrices are in TF32, see `matmul_precision`
    """

    def __init__(self, graphs: Graphs | None = None, tf32: bool = False):
        self.graphs, self.tf32 = graphs, tf32
        self._stages: dict[int, _StageSteps] = {}

    def fresh(self) -> DeviceSteps:
        """The same execution for a task with other settings, which has steps of its own."""
        return DeviceSteps(self.graphs, self.tf32)

    @property
    def execution(self) -> str:
        """How the steps are executed, for the provenance of a run."""
        return "without CUDA graphs" if self.graphs is None else self.graphs.execution

    def advance(self, task: Task, state: State) -> tuple[State, tuple[Report, ...]]:
        """Up to `STRIDE` steps, not beyond the end of a stage: the state after them, and their reports."""
        first, settings = int(state.step), task.settings
        stage = optimiser.stage(settings, first)
        end = settings.steps[0] if stage == 1 else sum(settings.steps)
        if stage not in self._stages:
            self._stages[stage] = _StageSteps(task, state, stage, self.graphs, self.tf32)
        steps, count = self._stages[stage], min(STRIDE, end - first)
        for _ in range(MAX_REPEATS):
            if steps.run(state, count):
                after, reports = steps.results(first, count)
                if stage == 1 and first + count == end:
                    after = optimiser.enter_stage_2(task, after)
                return after, reports
        return _one_by_one(task, state, count)


class _StageSteps:
    """The steps of one stage of a task, on buffers of their own."""

    def __init__(self, task: Task, state: State, stage: int, graphs: Graphs | None, tf32: bool):
        self.task, self.stage, self.graphs, self.tf32 = task, stage, graphs, tf32
        self.buffers = Buffers.like(task, state)
        self.limit = min(task.settings.max_elements, elements.N_ELEMENTS) if stage == 2 else _most(task, state)
        self._forms: dict[tuple[int, int], Predictor] = {}
        self._works: dict[tuple[int, int, int], Callable[[], None]] = {}

    def run(self, state: State, count: int) -> bool:
        """Do `count` steps from this state: True, or False if they must be repeated.

        What the steps lacked is then supplied.
        """
        first = int(state.step)
        works = [self._work(state, number) for number in range(first, first + count)]
        self.buffers.load(state)
        for work in works:
            work()
        return self._complete(state)

    def results(self, first: int, count: int) -> tuple[State, tuple[Report, ...]]:
        """The state after steps `first` to first + count, and their reports."""
        b = self.buffers
        restarts = b.restart_count[:count].tolist()
        values = {name: getattr(b, name)[:count].clone() for name in REPORT_FIELDS}
        reports = tuple(
            Report(
                step=first + k,
                stage=self.stage,
                restarts=restarts[k],
                **{name: values[name][k] for name in REPORT_FIELDS},
            )
            for k in range(count)
        )
        return b.state(first + count), reports

    def _work(self, state: State, number: int) -> Callable[[], None]:
        """The step with this number, ready to be called; captured at its first use."""
        members = optimiser.step_members(self.task, number)
        key = self.limit, id(members[0]), id(members[1])
        if key not in self._works:
            tc, energy = (self._form(member) for member in members)
            work = partial(self._step, (tc, energy))
            if self.graphs is not None:
                self.buffers.load(state)  # values for the steps before the capture
                work = self.graphs.captured(work)
            self._works[key] = work
        return self._works[key]

    def _form(self, member: Predictor) -> Predictor:
        """The member in its form of fixed shapes for the present limit."""
        key = self.limit, id(member)
        if key not in self._forms:
            self._forms[key] = member.capturable(self.limit)
        return self._forms[key]

    def _step(self, predictors: tuple[Predictor, Predictor]) -> None:
        # In stage 1 the integer loss is only reported: all columns cost little there.
        columns = self.limit if self.stage == 2 else None
        with matmul_precision(self.tf32, self.buffers.x_base.device):
            step_in_place(self.task, self.buffers, self.stage, predictors, columns)

    def _complete(self, state: State) -> bool:
        """Whether the steps lacked nothing; otherwise supply it."""
        b = self.buffers
        most, n_missing = torch.stack([b.most_elements[0], b.missing.sum()]).tolist()
        within = most <= self.limit
        if not within:
            self.limit = _rounded_up(most)
        if n_missing:
            rows = b.missing.nonzero().flatten()
            numbers = state.restarts[rows] + 1
            guesses = [self.task.guess(i, k) for i, k in zip(rows.tolist(), numbers.tolist(), strict=True)]
            b.spare[rows], b.spare_number[rows] = torch.stack(guesses), numbers
            if self.stage == 2:
                b.spare_mask[rows] = self.task.constraints.max_mask(b.spare[rows], self.task.settings.max_elements)
        return within and not n_missing


def _most(task: Task, state: State) -> int:
    """The largest number of elements of a composition of this state, rounded up."""
    with torch.no_grad():
        composition = task.constraints.compose(state.x_base, state.max_mask)
    return _rounded_up(int((composition > 0).sum(1).max()))


def _rounded_up(most: int) -> int:
    return min(-(-most // LIMIT_STEP) * LIMIT_STEP, elements.N_ELEMENTS)


def _one_by_one(task: Task, state: State, count: int) -> tuple[State, tuple[Report, ...]]:
    """The steps with `optimiser.step`: a candidate that dies twice between two reads needs two guesses."""
    reports = []
    for _ in range(count):
        state, report = optimiser.step(task, state)
        reports.append(report)
    return state, tuple(reports)
