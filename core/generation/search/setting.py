"""What every search on integer formulas needs: the problem's space, its operators, its scorer and its starts."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import torch

from core.errors import InputError
from core.generation.gradient.batch_parallel import BatchParallel
from core.generation.gradient.optimiser import Task as GradientTask
from core.generation.hull_objective import check_hull, hull_of
from core.generation.interface import PropertyPredictors
from core.generation.search import starts
from core.generation.search.archive import Limit
from core.generation.search.formula_space import FormulaSpace, base_composition, distinct_rows, formula_space
from core.generation.search.operators import Operators
from core.generation.search.scoring import ROWS, ROWS_ON_GPU, Scorer
from core.generation.starting_materials import FROM_KNOWN, check_start, starting_materials
from core.problem import validation
from core.problem.problem import DesignProblem
from core.problem.settings import RAISE_TC
from core.reference_data.references import load_references
from core.screening.registry import MAX_SCREENED_ELEMENTS


@dataclass(frozen=True)
class SearchTask:
    """The constant data of a search.

    starts : (n, 118) start formulas that satisfy all constraints, with or without charge neutrality
    known_starts : (m, 118) known superconductors as further starts; empty unless the problem starts from them
    size : number of formulas that are kept
    """

    problem: DesignProblem
    space: FormulaSpace
    operators: Operators
    scorer: Scorer
    gradient: GradientTask
    starts: np.ndarray
    size: int

    @property
    def limit(self) -> Limit | None:
        """The largest number of results with the same elements."""
        most = self.problem.settings.per_element_set
        return Limit(most) if most else None

    @property
    def seed(self) -> int:
        """Seed of the problem."""
        return self.problem.seed


def prepare(problem: DesignProblem, predictors: PropertyPredictors, size: int, guesses: int) -> SearchTask:
    """The task of a valid problem.

    size : number of formulas that are kept
    guesses : number of the gradient method's initial guesses among the starts, if the base gives fewer formulas
    """
    gradient = starts.gradient_task(problem, predictors)
    superconductors = load_references().superconducting_compositions
    space = formula_space(problem, predictors.known_symbols(), MAX_SCREENED_ELEMENTS, superconductors)
    hull = hull_of(problem)
    on_cpu = predictors.device.type == "cpu"
    cores = BatchParallel(torch.get_num_threads(), ROWS) if on_cpu else BatchParallel(0, ROWS_ON_GPU)
    return SearchTask(
        problem=problem,
        space=space,
        operators=Operators(space, load_references().frequencies),
        scorer=Scorer(predictors, gradient.settings, cores, hull),
        gradient=gradient,
        starts=_starts(problem, predictors, gradient, space, guesses),
        size=size,
    )


def check(problem: DesignProblem, known: Collection[str]) -> list[InputError]:
    """Errors if no integer formula is feasible, or no known superconductor is left to start from."""
    return validation.check_atom_counts(problem) or check_hull(problem) or check_start(problem, known)


def _starts(
    problem: DesignProblem, predictors: PropertyPredictors, gradient: GradientTask, space: FormulaSpace, guesses: int
) -> np.ndarray:
    """The base's integer forms; known superconductors if the problem starts from them; guesses if there are few."""
    found = [starts.base_forms(space, base_composition(problem))]
    itself = starts.base_itself(problem)
    found.append(itself[space.keeps(itself)])
    if problem.task == RAISE_TC and problem.settings.start in FROM_KNOWN:
        materials = starting_materials(problem, predictors.known_symbols())
        found += [starts.base_forms(space, row) for row in materials[:guesses]]
    rows = distinct_rows(*found)
    if len(rows) < starts.FORMS // 4:
        rows = distinct_rows(rows, starts.guessed_forms(problem, gradient, space, guesses))
    return rows
