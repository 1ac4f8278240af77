"""Genetic search on the integer formulas: mutation, crossover and truncation selection.

In every generation the children of random members of the population, the best formulas so far, are screened for all
constraints and charges, predicted and merged into the population. Formulas that were predicted before cost nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
import torch

from core.errors import InputError
from core.generation.interface import Candidates, PropertyPredictors, Report
from core.generation.registry import settings_of_method
from core.generation.schedule import Schedule, Stage
from core.generation.search import setting
from core.generation.search.archive import Archive
from core.generation.search.formula_space import distinct_rows
from core.generation.search.setting import SearchTask
from core.problem.problem import DesignProblem
from core.problem.settings import NEUTRAL, OptimiserSettings

DRAWS = 4  # children drawn for each one that is predicted: most are charged, forbidden or known
GUESSES = 128


@dataclass(frozen=True)
class State:
    """The population.

    step : () int64, generations
    counts : (population, 118) int64 formulas in lowest terms, the best first; zeros beyond their number
    numbers : (population, 5) float64: Tc and its error in K, formation energy and that of the hull in eV/atom, score
        in K
    tested : () int64, formulas tested so far
    """

    step: torch.Tensor
    counts: torch.Tensor
    numbers: torch.Tensor
    tested: torch.Tensor


class GeneticSearch:
    """A genetic algorithm with the objective and the constraints of the problem."""

    state_type = State

    def validate(self, problem: DesignProblem, known: Collection[str]) -> list[InputError]:
        """See `setting.check`."""
        return setting.check(problem, known)

    def effective_settings(self, problem: DesignProblem) -> OptimiserSettings:
        """Generations instead of steps; every formula passes the charge screens."""
        own = settings_of_method(problem)
        return replace(problem.settings, candidates=own["population"], steps=(own["generations"], 0), rounding=NEUTRAL)

    def schedule(self, problem: DesignProblem) -> Schedule:
        """One stage."""
        own = settings_of_method(problem)
        return Schedule((Stage("Generations", own["generations"]),), own["population"])

    def atom_counts(self, problem: DesignProblem) -> tuple[int, ...]:
        """See `DesignProblem.atom_counts`."""
        return problem.atom_counts()

    def prepare(self, problem: DesignProblem, predictors: PropertyPredictors) -> SearchTask:
        """The task of a valid problem."""
        return setting.prepare(problem, predictors, settings_of_method(problem)["population"], GUESSES)

    def init(self, task: SearchTask) -> State:
        """The start formulas that pass."""
        passing = task.starts[task.space.passes(task.starts)]
        return _state(0, Archive.empty().merged(passing, task.scorer, task.size, task.limit), task, len(passing))

    def step(self, task: SearchTask, state: State) -> tuple[State, Report]:
        """One generation; the report is of the population before it."""
        population, step = Archive.from_padded(state.counts, state.numbers), int(state.step)
        tested = int(state.tested)
        random = np.random.default_rng([task.seed, step])
        children = next_generation(task, population, settings_of_method(task.problem)["offspring"], random)
        after = population.merged(children, task.scorer, task.size, task.limit)
        report = population.report(step, 1, task.size, tested, task.space)
        return _state(step + 1, after, task, tested + len(children)), report

    def candidates(self, problem: DesignProblem, task: SearchTask, state: State) -> Candidates:
        """The population."""
        population = Archive.from_padded(state.counts, state.numbers)
        return population.candidates(task.size, task.space)


def next_generation(task: SearchTask, population: Archive, offspring: int, random: np.random.Generator) -> np.ndarray:
    """About `offspring` new formulas (m, 118) that pass, children of the population and of the starts."""
    parents = population.counts
    if len(parents) < task.size // 8:  # few formulas pass yet: the starts are parents too, even if they are charged
        parents = distinct_rows(parents, task.starts) if len(parents) else task.starts
    children = task.operators.children(parents, DRAWS * offspring, random)
    children = children[random.permutation(len(children))]
    return children[task.space.passes(children)][:offspring]


def _state(step: int, population: Archive, task: SearchTask, tested: int) -> State:
    return State(torch.tensor(step), *population.padded(task.size), torch.tensor(tested))


GENERATOR = GeneticSearch()
