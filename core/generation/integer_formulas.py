"""Integer formulas of continuous compositions that satisfy the constraints and, if possible, are charge-neutral."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.chemistry import elements
from core.generation.rounding import Rounded, round_compositions
from core.generation.search.neutral_neighbors import Grid, Search, best_on_grid
from core.problem.problem import DesignProblem
from core.problem.settings import NEAREST, OptimiserSettings
from core.screening.neutrality_filter import balanced_compounds, passes_at_once
from core.screening.registry import MAX_SCREENED_ELEMENTS

NEAREST_POINT = Search(radii=(0.03, 0.06, 0.12, 0.24, 0.48, 1.0), choices=1)

Loss = Callable[[np.ndarray], np.ndarray]  # compositions (n, 118) -> (n,), lower is better


@dataclass(frozen=True)
class IntegerFormulas:
    """Integer formulas of compositions.

    rounded : formulas (m, 118)
    rows : (m,) index of the composition of each formula, ascending; not every composition has a formula
    exchanged : number of formulas that are a neutral neighbour instead of the nearest integer formula
    """

    rounded: Rounded
    rows: np.ndarray
    exchanged: int


def integer_formulas(
    problem: DesignProblem,
    settings: OptimiserSettings,
    compositions: np.ndarray,
    parts: np.ndarray,
    x_const: tuple[np.ndarray, np.ndarray],
    loss: Loss,
) -> IntegerFormulas:
    """The integer formulas of compositions (n, 118) with their free parts (n, parts, 118).

    settings : the effective settings; with `rounding` "neutral" a neutral neighbour replaces a nearest formula that
        fails the charge screens
    x_const : fixed elements and floors, (118,) fractions each
    loss : ranks the neutral neighbours

    With several sites, rounding keeps the number of atoms of each free part and therefore the total charge, so that the
    nearest formula is never replaced.
    """
    fixed, floors = x_const
    grid = _grid(problem, fixed, floors)
    constraints = problem.composition_constraints(elements.symbols())
    rows = np.arange(len(compositions))
    if constraints is None:
        rounded = round_compositions(compositions, fixed, grid.atom_counts, floors, settings.fractional_elements, parts)
    else:
        rows, counts = best_on_grid(compositions, grid, constraints.satisfied, _equal_loss, NEAREST_POINT)
        rounded = Rounded(counts, counts)
    if settings.rounding == NEAREST or parts.shape[1] > 1:
        return IntegerFormulas(rounded, rows, 0)

    def neutral(counts: np.ndarray) -> np.ndarray:
        passing = (counts > 0).sum(1) <= MAX_SCREENED_ELEMENTS
        passing = passing if constraints is None else passing & constraints.satisfied(counts)
        return passing & balanced_compounds(counts, problem.charge_rule)

    failing = np.flatnonzero(~(passes_at_once(rounded.counts) | neutral(rounded.counts)))
    owner, counts = best_on_grid(compositions[rows[failing]], grid, neutral, loss)
    exchanged = failing[owner]
    return IntegerFormulas(rounded.with_counts(exchanged, counts), rows, len(exchanged))


def _grid(problem: DesignProblem, fixed: np.ndarray, floors: np.ndarray) -> Grid:
    """Integer formulas with the fixed fractions, within the floors and the bounds of single elements."""
    lower, upper = floors.copy(), np.ones_like(floors)
    for symbol, (low, high) in problem.bounds.items():
        column = elements.element(symbol).index
        lower[column], upper[column] = max(lower[column], low), high
    return Grid(problem.atom_counts(), fixed, lower, upper)


def _equal_loss(compositions: np.ndarray) -> np.ndarray:
    return np.zeros(len(compositions))
