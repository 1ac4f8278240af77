"""Start formulas of a search: integer forms of the base, and of the initial guesses of the gradient method."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from core.chemistry import elements
from core.chemistry.composition import whole_counts
from core.generation.gradient.generator import GENERATOR as GRADIENT
from core.generation.gradient.optimiser import Task
from core.generation.integer_formulas import integer_formulas
from core.generation.interface import PropertyPredictors
from core.generation.search.formula_space import FormulaSpace, distinct_rows, in_lowest_terms
from core.generation.search.neutral_neighbors import Grid, Search, grid_points
from core.problem.problem import DesignProblem

NEAR_BASE = (0.0, 0.03, 0.06, 0.12, 0.24)  # largest share of exchanged atoms of the integer forms of the base
FORMS = 64  # integer forms of the base that are enough


def gradient_task(problem: DesignProblem, predictors: PropertyPredictors) -> Task:
    """The gradient method's task for the problem: initial guesses, and compositions that keep every constraint."""
    return GRADIENT.prepare(problem, predictors)


def base_itself(problem: DesignProblem) -> np.ndarray:
    """The base as a cell of whole atoms (1, 118), whether or not the problem allows it; (0, 118) without one."""
    amounts = whole_counts(problem.base_fractions())
    counts = np.zeros((int(amounts is not None), elements.N_ELEMENTS), dtype=np.int64)
    for symbol, count in (amounts or {}).items():
        counts[0, elements.element(symbol).index] = count
    return counts


def base_forms(space: FormulaSpace, base: np.ndarray) -> np.ndarray:
    """The integer formulas (n, 118) nearest to a composition (118,) that keep the constraints; they may be charged.

    Empty if the composition has elements that the problem excludes, or if it is a substitution.
    """
    excluded = ~space.free & (space.fixed == 0)
    if base[excluded].any() or len(space.rooms) > 1:
        return np.zeros((0, len(base)), dtype=np.int64)
    grid = Grid(space.atom_counts, space.fixed, space.floors, np.ones_like(space.floors))
    found = np.zeros((0, len(base)), dtype=np.int64)
    for radius in NEAR_BASE:
        points = grid_points(base[None], grid, radius, Search())
        counts = points.counts(np.arange(len(points.owner))[: 4 * FORMS], len(base))
        found = counts[space.keeps(counts)][:FORMS]
        if len(found) >= FORMS // 4:
            break
    return found


def guessed_forms(problem: DesignProblem, task: Task, space: FormulaSpace, count: int) -> np.ndarray:
    """Integer formulas (n, 118) of the first `count` initial guesses, neutral ones where they are near."""
    x_base = torch.stack([task.guess(i, 0) for i in range(count)])
    return rounded_forms(problem, task, space, task.constraints.project_ratios(x_base))


def rounded_forms(
    problem: DesignProblem, task: Task, space: FormulaSpace, x_base: torch.Tensor, max_mask: torch.Tensor | None = None
) -> np.ndarray:
    """Distinct integer formulas (n, 118) of ratios (batch, parts * 118), with all constraints of the space."""
    with torch.no_grad():
        mask = task.constraints.max_mask(x_base, space.max_elements) if max_mask is None else max_mask
        alive = task.constraints.alive(x_base, mask)
        x_base, mask = x_base[alive], mask[alive]
        x, parts = (each.cpu().numpy().astype(np.float64) for each in
                    (task.constraints.compose(x_base, mask), task.constraints.parts(x_base, mask)))  # fmt: skip
    x_const = tuple(each.cpu().numpy().astype(np.float64) for each in (task.constraints.kept, task.constraints.floors))
    settings = replace(task.settings, max_elements=space.max_elements)
    formulas = integer_formulas(problem, settings, x, parts, x_const, lambda rows: np.zeros(len(rows)))
    counts = distinct_rows(in_lowest_terms(formulas.rounded.counts))
    return counts[space.keeps(counts)]
