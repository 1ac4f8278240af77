"""The gradient-based generator (KIAGO): the optimiser's task for a problem, and candidates from its last state."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from functools import partial

import numpy as np
import torch

from core.chemistry import elements
from core.chemistry.composition import composition_vector, element_mask, fraction_vector
from core.errors import InputError
from core.generation.gradient import optimiser
from core.generation.gradient.batch_parallel import BatchParallel
from core.generation.gradient.constraint_projection import constraint_projection
from core.generation.gradient.cuda_graphs import Graphs
from core.generation.gradient.device_steps import DeviceSteps
from core.generation.gradient.optimiser import State, Task
from core.generation.gradient.simplex_map import SimplexMap
from core.generation.hull_objective import check_hull, hull_of
from core.generation.initialization import MIXTURE, InitialGuesses, add_missing_elements
from core.generation.integer_formulas import integer_formulas
from core.generation.interface import Candidates, PropertyPredictors, Report
from core.generation.loop import ONE_BY_ONE, OnStep, run_steps
from core.generation.schedule import Schedule, Stage
from core.generation.starting_materials import FROM_KNOWN, check_start, starting_materials
from core.predictors.device import resolve_precision
from core.predictors.interface import Predictor
from core.problem import validation
from core.problem.problem import DesignProblem
from core.problem.settings import BFLOAT16, NEAREST, RAISE_TC, TFLOAT32, OptimiserSettings
from core.reference_data.references import load_references

RANKING_BATCH = 1024  # compositions predicted together, which bounds the memory
STEP_BATCH = 512  # candidates per core evaluated together, which bounds the memory
STEP_BATCH_ON_GPU = 4096
ADDED = 1  # separates the random stream of elements added to a guess from that of the guess
UNSTABLE_K = 1e6  # penalty in K for a formation energy that fails the screen


class GradientGenerator:
    """KIAGO and its predecessor GDMCD: two stages of Adam on the compositions, then rounding to integer formulas."""

    state_type = State

    def validate(self, problem: DesignProblem, known: Collection[str]) -> list[InputError]:
        """Errors if no integer formula is feasible, or no known superconductor is left to start from."""
        return validation.check_atom_counts(problem) or check_hull(problem) or check_start(problem, known)

    def effective_settings(self, problem: DesignProblem) -> OptimiserSettings:
        """Fractional elements imply rounding to the nearest formula, because neutral neighbours have whole atoms."""
        settings = problem.settings
        return replace(settings, rounding=NEAREST) if settings.fractional_elements else settings

    def schedule(self, problem: DesignProblem) -> Schedule:
        """Stage 1 without the integer loss, stage 2 with it."""
        first, second = problem.settings.steps
        stages = Stage("Stage 1: raise Tc, lower energy", first), Stage("Stage 2: towards whole atoms", second)
        return Schedule(stages, problem.settings.candidates)

    def atom_counts(self, problem: DesignProblem) -> tuple[int, ...]:
        """See `DesignProblem.atom_counts`."""
        return problem.atom_counts()

    def prepare(self, problem: DesignProblem, predictors: PropertyPredictors) -> Task:
        """The optimiser's task: predictors, constraints and initial guesses."""
        device = predictors.device
        known = predictors.known_symbols()
        x_const = fraction_vector(problem.least_fractions())
        rooms = tuple(room for _, room in problem.free_parts())
        allowed = np.stack([element_mask(problem.allowed_symbols(known, part)) for part in range(len(rooms))])
        constraints = problem.composition_constraints(known)
        precision, hull = resolve_precision(problem.precision, device), hull_of(problem)
        captured = device.type == "cuda" and hull is None  # the prices of a hull come from outside a captured step
        return Task(
            tc=predictors.tc,
            formation_energy=predictors.formation_energy,
            constraints=SimplexMap(
                torch.from_numpy(x_const).float(),
                torch.from_numpy(allowed.ravel()),
                torch.tensor(rooms) if len(rooms) > 1 else None,
                constraint_projection(constraints) if constraints else None,
            ).to(device),
            settings=self.effective_settings(problem),
            atom_counts=torch.tensor(problem.atom_counts(), dtype=torch.float32, device=device),
            guess=_guess(problem, known, x_const, allowed, device),
            cores=(
                BatchParallel(torch.get_num_threads(), STEP_BATCH)
                if device.type == "cpu"
                else BatchParallel(max_rows=STEP_BATCH_ON_GPU)
            ),
            step_predictors=_step_predictors(predictors, precision),
            device_steps=DeviceSteps(Graphs(), precision == TFLOAT32) if captured else None,
            hull=hull,
        )

    def init(self, task: Task) -> State:
        """See `optimiser.init`."""
        return optimiser.init(task)

    def step(self, task: Task, state: State) -> tuple[State, Report]:
        """See `optimiser.step`."""
        return optimiser.step(task, state)

    def advance(self, task: Task, state: State) -> tuple[State, tuple[Report, ...]]:
        """Several steps on a CUDA device, see `DeviceSteps`; one on other devices."""
        if task.device_steps is not None:
            return task.device_steps.advance(task, state)
        state, report = optimiser.step(task, state)
        return state, (report,)

    def execution(self, task: Task) -> str:
        """See `SeveralSteps.execution`."""
        return ONE_BY_ONE if task.device_steps is None else task.device_steps.execution

    def candidates(self, problem: DesignProblem, task: Task, state: State) -> Candidates:
        """Integer formulas of the live candidates, evaluated in full precision before rounding.

        In stage 1 the candidates first keep their largest fractions only, as at the begin of stage 2.
        """
        if int(state.step) < task.settings.steps[0]:
            state = optimiser.enter_stage_2(task, state)
        report = optimiser.evaluate(task, state)
        alive = task.constraints.alive(state.x_base, state.max_mask).cpu().numpy()
        chosen = np.flatnonzero(alive)
        composition = _float64(report.composition)
        with torch.no_grad():
            parts = _float64(task.constraints.parts(state.x_base, state.max_mask))
        fixed_and_floors = _float64(task.constraints.kept), _float64(task.constraints.floors)
        formulas = integer_formulas(
            problem, task.settings, composition[chosen], parts[chosen], fixed_and_floors, partial(ranking_loss, task)
        )
        number = chosen[formulas.rows]
        return Candidates(
            total=len(alive),
            rounded=formulas.rounded,
            number=number,
            composition=composition[number],
            tc_K=_float64(report.tc_K)[number],
            formation_energy_eV_per_atom=_float64(report.formation_energy_eV_per_atom)[number],
            integer_loss=_float64(report.integer_loss)[number],
            lost={
                "no positive ratio was left after the last step": int((~alive).sum()),
                "no nearby integer formula satisfies the bounds, groups and ratios": len(chosen) - len(number),
            },
            exchanged=formulas.exchanged,
            restarts=int(state.restarts.sum()),
        )


GENERATOR = GradientGenerator()


def _step_predictors(predictors: PropertyPredictors, precision: str) -> tuple[Predictor, Predictor] | None:
    """The versions of the predictors for steps in this precision; None: the predictors themselves."""
    both = predictors.tc, predictors.formation_energy
    if precision == BFLOAT16:
        return both[0].in_bfloat16(), both[1].in_bfloat16()
    return (both[0].in_tf32(), both[1].in_tf32()) if precision == TFLOAT32 else None


def optimise(task: Task, state: State | None = None, on_step: OnStep | None = None) -> tuple[State, str]:
    """Run both stages of a task, see `core.generation.loop.run_steps`."""
    return run_steps(GENERATOR, task, sum(task.settings.steps), state, on_step)


def ranking_loss(task: Task, compositions: np.ndarray) -> np.ndarray:
    """L_1 (n,) in K of compositions (n, 118), with a penalty for a formation energy that is not negative."""
    device = task.constraints.fixed.device
    with torch.no_grad():
        parts = [
            optimiser.first_loss(task.settings, x, task.tc, task.formation_energy)
            for x in torch.from_numpy(compositions).float().to(device).split(RANKING_BATCH)
        ]
    loss, _, energy = (_float64(torch.cat(column)) for column in zip(*parts, strict=True))
    if task.hull is not None:
        loss = loss - task.settings.formation_energy_weight * task.hull.with_prices(compositions)[0]
    return np.where(energy < 0, loss, loss + UNSTABLE_K)


def _guess(
    problem: DesignProblem, known: Collection[str], x_const: np.ndarray, allowed: np.ndarray, device: torch.device
) -> optimiser.Guess:
    """Function of candidate and restart that returns x_base (parts * 118,)."""
    initial = [_initial_guesses(problem, known, mask, x_const * mask, part) for part, mask in enumerate(allowed)]
    constraints = problem.composition_constraints(known)

    def guess(candidate: int, restart: int) -> torch.Tensor:
        parts = [guesses.guess(candidate, restart) for guesses in initial]
        if constraints is not None:
            random = np.random.default_rng([problem.seed, candidate, restart, ADDED])
            parts = [add_missing_elements(parts[0], constraints, allowed[0], random)]
        return torch.from_numpy(np.concatenate(parts)).float().to(device)

    return guess


def _initial_guesses(
    problem: DesignProblem, known: Collection[str], allowed: np.ndarray, floors: np.ndarray, part: int
) -> InitialGuesses:
    settings = problem.settings
    start = settings.start if problem.task == RAISE_TC else MIXTURE
    return InitialGuesses(
        start=start,
        base=composition_vector(problem.base_fractions()),
        allowed=allowed,
        floors=floors,
        room=1 - sum(problem.least_fractions().values()),
        frequencies=load_references().frequencies,
        mutate_probability=settings.mutate_probability,
        perturb_ratio=settings.perturb_ratio,
        added_elements=settings.added_elements,
        seed=problem.seed,
        part=part,
        known=starting_materials(problem, known) if start in FROM_KNOWN else np.zeros((0, elements.N_ELEMENTS)),
    )


def _float64(tensor: torch.Tensor) -> np.ndarray:
    return tensor.cpu().numpy().astype(np.float64)
