"""Conventional element substitution (C-ES) as a generator: the baseline of KIAGO 3.1 and 3.4, without optimisation."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
import torch

from core.chemistry import elements
from core.chemistry.composition import element_mask, fraction_vector
from core.errors import InputError
from core.generation.interface import Candidates, PropertyPredictors, Report
from core.generation.rounding import Rounded
from core.generation.schedule import Schedule, Stage
from core.generation.substitution import validation
from core.generation.substitution.substituter import Substituter, make_substituter
from core.problem.problem import DesignProblem
from core.problem.settings import BASE, NEAREST, OptimiserSettings

MAX_REDRAWS = 1  # of a candidate in which a forbidden element could not be replaced


@dataclass(frozen=True)
class Task:
    """The constant data of a run.

    candidates : number of candidates
    x_const : (118,) fixed fractions
    """

    substituter: Substituter
    candidates: int
    predictors: PropertyPredictors
    x_const: torch.Tensor


@dataclass(frozen=True)
class State:
    """Candidates, drawn in the only step.

    step : () int64, completed steps: 0 or 1
    counts : (batch, 118) int64 atoms; zeros for a candidate without a formula, and before the step
    redraws : (batch,) int64, redraws of each candidate
    """

    step: torch.Tensor
    counts: torch.Tensor
    redraws: torch.Tensor


class SubstitutionGenerator:
    """C-ES: draws and predicts all candidates in a single step."""

    state_type = State

    def validate(self, problem: DesignProblem, known: Collection[str]) -> list[InputError]:
        """Errors for constrained amounts, sites with a new oxidation state, and a base without an integer formula."""
        return validation.check(problem, known)

    def effective_settings(self, problem: DesignProblem) -> OptimiserSettings:
        """A single step from the base, without rounding."""
        return replace(problem.settings, steps=(1, 0), rounding=NEAREST, fractional_elements=0, start=BASE)

    def schedule(self, problem: DesignProblem) -> Schedule:
        """A single step."""
        return Schedule((Stage("Draw", 1),), problem.settings.candidates)

    def atom_counts(self, problem: DesignProblem) -> tuple[int, ...]:
        """Multiples of the atoms of the base within `n_unit`, or else the smallest one above the lower end."""
        low, high = problem.settings.n_unit
        base = problem.base_atoms()
        if not base:
            return ()
        first = math.ceil(low / base) * base
        return tuple(range(first, max(first, high) + 1, base))

    def prepare(self, problem: DesignProblem, predictors: PropertyPredictors) -> Task:
        """The task, restricted to the elements known to both predictors."""
        allowed = element_mask(problem.allowed_symbols(predictors.known_symbols()))
        substituter = make_substituter(problem, allowed, self.atom_counts(problem))
        x_const = torch.from_numpy(fraction_vector(problem.fixed_fractions())).float()
        return Task(substituter, problem.settings.candidates, predictors, x_const)

    def init(self, task: Task) -> State:
        """State before the candidates are drawn."""
        return State(
            step=torch.zeros((), dtype=torch.int64),
            counts=torch.zeros(task.candidates, elements.N_ELEMENTS, dtype=torch.int64),
            redraws=torch.zeros(task.candidates, dtype=torch.int64),
        )

    def step(self, task: Task, state: State) -> tuple[State, Report]:
        """Draw all candidates and predict those with a formula."""
        drawn = [_draw(task.substituter, candidate) for candidate in range(task.candidates)]
        after = State(
            step=state.step + 1,
            counts=torch.from_numpy(np.stack([counts for counts, _ in drawn])),
            redraws=torch.tensor([redraws for _, redraws in drawn]),
        )
        return after, _report(task, state, after)

    def candidates(self, problem: DesignProblem, task: Task, state: State) -> Candidates:
        """The drawn formulas, which are integer formulas without rounding."""
        counts = state.counts.cpu().numpy()
        number = np.flatnonzero(counts.sum(1))
        reduced = counts[number] // np.gcd.reduce(counts[number], axis=1, keepdims=True)
        rounded = Rounded(reduced, reduced)
        composition = _compositions(task, counts[number])
        tc, energy = task.predictors.predict(composition)
        return Candidates(
            total=task.candidates,
            rounded=rounded,
            number=number,
            composition=composition,
            tc_K=tc,
            formation_energy_eV_per_atom=energy,
            integer_loss=np.zeros(len(number)),
            lost={"a forbidden element could not be replaced": task.candidates - len(number)},
            exchanged=0,
            restarts=int(state.redraws.sum()),
        )


GENERATOR = SubstitutionGenerator()


def _draw(substituter: Substituter, candidate: int) -> tuple[np.ndarray, int]:
    """Atoms (118,) of a candidate, zeros without a formula, and the number of redraws."""
    for redraw in range(MAX_REDRAWS + 1):
        counts = substituter.draw(candidate, redraw)
        if counts is not None:
            return counts, redraw
    return np.zeros(elements.N_ELEMENTS, dtype=np.int64), MAX_REDRAWS


def _compositions(task: Task, counts: np.ndarray) -> np.ndarray:
    """Fractions (n, 118) of formulas (n, 118): x_const and the normalised free part, in single precision.

    Every generator builds compositions from these two parts (KIAGO eq. 3), so that values before rounding compare.
    """
    free = np.where(task.x_const.numpy() > 0, 0, counts)
    parts = torch.from_numpy(free / free.sum(1, keepdims=True)).float()
    parts = parts / parts.sum(1, keepdim=True)
    return (task.x_const + parts * (1 - task.x_const.sum())).numpy().astype(np.float64)


def _report(task: Task, before: State, after: State) -> Report:
    """Report of the drawn candidates; NaN for those without a formula."""
    counts = after.counts.numpy()
    number = np.flatnonzero(counts.sum(1))
    composition = np.zeros(counts.shape)
    composition[number] = _compositions(task, counts[number])
    values = np.full((3, len(counts)), np.nan)
    values[0, number], values[1, number] = task.predictors.predict(composition[number])
    values[2, number] = 0.0  # integer formulas have no integer loss
    tc, energy, integer = torch.from_numpy(values).float()
    return Report(
        step=int(before.step),
        stage=1,
        composition=torch.from_numpy(composition).float(),
        tc_K=tc,
        formation_energy_eV_per_atom=energy,
        integer_loss=integer,
        restarts=int(after.redraws.sum()),
    )
