"""The integer formulas that a problem allows: rows of whole atoms, tested against everything that it demands.

A row holds atoms of the smallest cell in which all elements have whole atoms, in lowest terms. Without fractional
elements it is a formula of N atoms, for an allowed N or a divisor of one; with them the cell may be larger, and the
amounts per formula unit have hundredths (`Rounded`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np

from core.chemistry.composition import composition_vector, element_mask, fraction_vector
from core.chemistry.tolerances import ROUNDING_ERROR, WHOLE_ATOM
from core.generation.rounding import HUNDREDTHS, Rounded
from core.problem.constraint_sets import CompositionConstraints
from core.problem.problem import DesignProblem
from core.problem.settings import NEAR, NEW
from core.screening.composition_distance import KnownCompositions, exchanged_share
from core.screening.neutrality_filter import balanced_compounds, passes_at_once


@dataclass(frozen=True)
class FormulaSpace:
    """The demands of a problem on a formula, except those on predicted values.

    atom_counts : the allowed N, ascending
    fixed, floors : (118,) x_const, fractions of all atoms; fixed elements have whole atoms at every N within 1%
    allowed : (parts, 118) bool, M_elem of each free part
    rooms : (parts,) fraction of all atoms in each free part, whole atoms at every N if there are several
    constraints : bounds, groups and ratios; None without any
    max_elements : largest number of elements
    charge_rule : see DesignProblem
    fractional : number of elements that may have hundredths of atoms per formula unit
    base : (118,) fractions of the base
    most_changed : largest share of the atoms that differ from the base; None: any
    known : compositions from which a formula must differ; None: any formula may be known
    least_distance : share of the atoms by which a formula must differ from every known one
    """

    atom_counts: tuple[int, ...]
    fixed: np.ndarray
    floors: np.ndarray
    allowed: np.ndarray
    rooms: np.ndarray
    constraints: CompositionConstraints | None
    max_elements: int
    charge_rule: str
    fractional: int
    base: np.ndarray
    most_changed: float | None = None
    known: KnownCompositions | None = None
    least_distance: float = 0.0

    @property
    def scale(self) -> int:
        """Parts into which a search divides an atom: 1, or HUNDREDTHS with fractional elements."""
        return HUNDREDTHS if self.fractional else 1

    @cached_property
    def free(self) -> np.ndarray:
        """Elements whose amount may change, (118,) bool."""
        return np.any(self.allowed, axis=0)

    def keeps(self, counts: np.ndarray) -> np.ndarray:
        """Whether cells (n, 118) in lowest terms satisfy everything but charge neutrality: (n,) bool."""
        present = counts > 0
        ok = (present.sum(1) <= self.max_elements) & ~(present & ~self.free & (self.fixed == 0)).any(1)
        rows = np.flatnonzero(ok)
        rows = rows[self._whole(counts[rows])]
        rows = rows[self._above_floors(counts[rows]) & self._fits_parts(counts[rows])]
        if self.constraints is not None:
            rows = rows[self.constraints.satisfied(counts[rows])]
        if self.most_changed is not None:
            changed = exchanged_share(_fractions(counts[rows]), self.base)
            rows = rows[changed <= self.most_changed + ROUNDING_ERROR]
        ok[:] = False
        ok[rows] = True
        return ok

    def passes(self, counts: np.ndarray) -> np.ndarray:
        """Whether cells (n, 118) in lowest terms also pass the charge screens and are new, if required: (n,) bool."""
        ok = self.keeps(counts)
        rows = np.flatnonzero(ok)
        rows = rows[self.neutral(counts[rows])]
        rows = rows[self.is_new(counts[rows])]
        ok[:] = False
        ok[rows] = True
        return ok

    def is_new(self, counts: np.ndarray) -> np.ndarray:
        """Whether cells (n, 118) differ enough from the known compositions; true if this is not required: (n,) bool."""
        if self.known is None or not len(counts):
            return np.ones(len(counts), dtype=bool)
        return ~self.known.any_within(_fractions(counts), self.least_distance)

    def neutral(self, counts: np.ndarray) -> np.ndarray:
        """Whether cells (n, 118) pass the charge screens and have several elements: (n,) bool."""
        several = (counts > 0).sum(1) > 1
        return several & (passes_at_once(counts) | balanced_compounds(counts, self.charge_rule))

    def rounded(self, counts: np.ndarray) -> Rounded:
        """The formulas of cells (n, 118) that `keeps` accepts, as a result writes them."""
        cells = counts.sum(1)
        units = np.ones(len(counts))
        large = np.flatnonzero(cells > self.atom_counts[-1])
        units[large] = cells[large] / self.formula_units(counts[large])
        return Rounded(counts, counts / units[:, None])

    def _whole(self, counts: np.ndarray) -> np.ndarray:
        """Whether some allowed N gives whole atoms, with the fixed elements rounded as at this N: (n,) bool."""
        return self.formula_units(counts) > 0

    def formula_units(self, counts: np.ndarray) -> np.ndarray:
        """The smallest allowed N of each cell (n, 118); 0 without one: (n,) int64."""
        found, cells = np.zeros(len(counts), dtype=np.int64), counts.sum(1)
        place = np.flatnonzero(self.fixed)
        for n in self.atom_counts:
            rows = np.flatnonzero((found == 0) & ((cells <= n) | (self.fractional > 0)))
            rows = rows[(n % cells[rows] == 0) | (self.fractional > 0)]
            if not len(rows):
                continue
            amounts = counts[rows] * (n / cells[rows])[:, None]
            fits = (np.abs(amounts[:, place] - np.round(self.fixed[place] * n)) <= WHOLE_ATOM).all(1)
            if self.fractional:
                doped = np.abs(amounts - np.round(amounts)) > WHOLE_ATOM
                hundredths = np.abs(amounts * HUNDREDTHS - np.round(amounts * HUNDREDTHS)) <= WHOLE_ATOM * HUNDREDTHS
                fits &= (doped.sum(1) <= self.fractional) & hundredths.all(1)
            found[rows[fits]] = n
        return found

    def _above_floors(self, counts: np.ndarray) -> np.ndarray:
        atoms, place = counts.sum(1, keepdims=True), np.flatnonzero(self.floors)
        return np.all(counts[:, place] >= self.floors[place] * atoms - WHOLE_ATOM, axis=1)

    def _fits_parts(self, counts: np.ndarray) -> np.ndarray:
        """Whether the free atoms can be distributed over the parts.

        By Hall's theorem: the elements that only some of the parts allow need no more than the room of these parts.
        """
        ok, parts = np.ones(len(counts), dtype=bool), range(len(self.rooms))
        if len(parts) == 1:
            return ok
        fractions = counts / counts.sum(1, keepdims=True)
        for size in range(1, len(parts)):
            for some in combinations(parts, size):
                others = [part for part in parts if part not in some]
                only = self.free & ~self.allowed[others].any(0)
                ok &= fractions[:, only].sum(1) <= self.rooms[list(some)].sum() + ROUNDING_ERROR
        return ok & (np.abs(fractions[:, self.free].sum(1) - self.rooms.sum()) <= WHOLE_ATOM)


def _fractions(counts: np.ndarray) -> np.ndarray:
    return counts / counts.sum(1, keepdims=True)


def formula_space(
    problem: DesignProblem,
    known: Sequence[str] | frozenset[str],
    most_elements: int,
    superconductors: np.ndarray | None = None,
) -> FormulaSpace:
    """The space of a valid problem.

    known : symbols of the elements known to all predictors
    most_elements : largest number of elements that the screens let pass
    superconductors : (n, 118) the known superconductors, for a problem that demands new formulas
    """
    settings, base = problem.settings, base_composition(problem)
    known_ones = None
    if settings.novelty == NEW and superconductors is not None:
        known_ones = KnownCompositions(np.concatenate([superconductors, base[None]]))
    parts = problem.free_parts()
    return FormulaSpace(
        atom_counts=problem.atom_counts(),
        fixed=fraction_vector(problem.fixed_fractions()),
        floors=fraction_vector(problem.floors),
        allowed=np.stack([element_mask(problem.allowed_symbols(known, part)) for part in range(len(parts))]),
        rooms=np.array([room for _, room in parts]),
        constraints=problem.composition_constraints(known),
        max_elements=min(settings.max_elements, most_elements),
        charge_rule=problem.charge_rule,
        fractional=settings.fractional_elements,
        base=base,
        most_changed=settings.most_changed if settings.change == NEAR else None,
        known=known_ones,
        least_distance=settings.least_distance,
    )


def in_lowest_terms(counts: np.ndarray) -> np.ndarray:
    """Rows (n, k) of whole numbers, each divided by its greatest common divisor; a row of zeros stays."""
    return counts // np.maximum(np.gcd.reduce(counts, axis=1, keepdims=True), 1)


def distinct_rows(*counts: np.ndarray) -> np.ndarray:
    """The distinct rows of arrays (n, 118) of whole numbers from 0 to 2^31 - 1, sorted."""
    rows = np.concatenate(counts)
    # The bytes of big-endian numbers have the order of the rows, and are sorted faster than rows of numbers.
    keys = np.ascontiguousarray(rows, dtype=">i4").view(f"S{4 * rows.shape[1]}").ravel()
    return rows[np.unique(keys, return_index=True)[1]]


def base_composition(problem: DesignProblem) -> np.ndarray:
    """The fractions of the base, (118,)."""
    return composition_vector(problem.base_fractions())
