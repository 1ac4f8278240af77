"""Continuous compositions to integer formulas that keep the problem's constraints and, where possible, are neutral."""

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

Loss = Callable[[np.ndarray], np.ndarray]  # compositions (n, 118) -> (n,), the lower the better


@dataclass(frozen=True)
class IntegerFormulas:
    """Integer formulas of compositions.

    rounded : formulas (m, 118)
    rows : (m,) which composition each formula belongs to, ascending; a composition may have none
    exchanged : how many formulas are a neutral neighbour instead of the nearest integer formula
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

    settings : the effective settings; `rounding` chooses the nearest formula, or a neutral neighbour where the nearest
        formula fails the charge screens
    x_const : what is fixed and what has a floor, (118,) fractions each
    loss : ranks the neutral neighbours

    A formula that passes the charge screens as rounded stays, so that no proposal of plain rounding is lost. Several
    sites keep their own numbers of atoms, and with them the total charge: there the nearest formula stays too.
    """
    kept, floors = x_const
    grid = _grid(problem, kept, floors)
    constraints = problem.composition_constraints(elements.symbols())
    rows = np.arange(len(compositions))
    if constraints is None:
        rounded = round_compositions(compositions, kept, grid.atom_counts, floors, settings.exempt_elements, parts)
    else:
        rows, counts = best_on_grid(compositions, grid, constraints.met, _equal_loss, NEAREST_POINT)
        rounded = Rounded(counts, counts)
    if settings.rounding == NEAREST or parts.shape[1] > 1:
        return IntegerFormulas(rounded, rows, 0)

    def neutral(counts: np.ndarray) -> np.ndarray:
        passing = (counts > 0).sum(1) <= MAX_SCREENED_ELEMENTS
        passing = passing if constraints is None else passing & constraints.met(counts)
        return passing & balanced_compounds(counts, problem.charge_rule)

    failing = np.flatnonzero(~(passes_at_once(rounded.counts) | neutral(rounded.counts)))
    owner, counts = best_on_grid(compositions[rows[failing]], grid, neutral, loss)
    exchanged = failing[owner]
    return IntegerFormulas(rounded.exchanged(exchanged, counts), rows, len(exchanged))


def _grid(problem: DesignProblem, kept: np.ndarray, floors: np.ndarray) -> Grid:
    """The integer formulas that keep what is fixed, all floors and the bounds of single elements."""
    least, most = floors.copy(), np.ones_like(floors)
    for symbol, (low, high) in problem.bounds.items():
        column = elements.element(symbol).index
        least[column], most[column] = max(least[column], low), high
    return Grid(problem.atom_counts(), kept, least, most)


def _equal_loss(compositions: np.ndarray) -> np.ndarray:
    return np.zeros(len(compositions))
