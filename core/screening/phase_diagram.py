"""The phase diagram of a chemical system of two to four elements: stable phases, tie lines, and one composition in it.

pymatgen's PhaseDiagram constructs the lower convex hull of the formation energies; its simplices give the tie lines
(S. P. Ong et al., Chemistry of Materials 20, 1798 (2008), doi:10.1021/cm702327g).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from core.chemistry import elements
from core.chemistry.composition import checked_compositions
from core.chemistry.conventional_formula import chemists_formula
from core.chemistry.element_order import ordered
from core.screening.convex_hull import Hull

LEAST_ELEMENTS, MOST_ELEMENTS = 2, 4
STABLE = 1e-8  # eV/atom above the hull, a tolerance for rounding


@dataclass(frozen=True)
class PhaseDiagramData:
    """A phase diagram of k elements with n phases, the elements included.

    symbols : the elements, as chemists order them
    formulas (n,), fractions (n, k), energies (n,), above_hull (n,) : the phases; eV/atom
    tie_lines : pairs of stable phases that coexist
    composition (k,), energy, above : the composition that is placed in the diagram; eV/atom
    competing : the stable phases into which it decomposes
    """

    symbols: tuple[str, ...]
    formulas: tuple[str, ...]
    fractions: np.ndarray
    energies: np.ndarray
    above_hull: np.ndarray
    tie_lines: tuple[tuple[int, int], ...]
    composition: np.ndarray
    energy: float
    above: float
    competing: tuple[int, ...]

    @property
    def stable(self) -> np.ndarray:
        """Which phases are on the hull, (n,) bool."""
        return self.above_hull <= STABLE


def can_be_drawn(composition: np.ndarray) -> bool:
    """Whether a composition (118,) has a number of elements whose phase diagram can be drawn."""
    return LEAST_ELEMENTS <= int(np.count_nonzero(composition)) <= MOST_ELEMENTS


def phase_diagram(hull: Hull, composition: np.ndarray, energy: float) -> PhaseDiagramData:
    """The diagram of the elements of a composition (118,) with this formation energy in eV/atom.

    The composition is not part of the hull, as in `Hull.distance`. Raises ValueError unless it has LEAST_ELEMENTS to
    MOST_ELEMENTS elements, fractions >= 0 with sum 1, and a finite energy.
    """
    composition = checked_compositions(composition[None])[0]
    if not can_be_drawn(composition):
        raise ValueError(f"{np.count_nonzero(composition)} elements; a phase diagram is drawn for 2 to 4")
    present = ordered({elements.symbols()[i]: float(composition[i]) for i in np.flatnonzero(composition)})
    indices = [elements.element(symbol).index for symbol in present]
    phases = hull.phases_of(indices)
    formulas = (*present, *(chemists_formula(formula) for formula in phases.formulas))
    fractions = np.concatenate([np.eye(len(present)), phases.fractions])
    energies = np.concatenate([np.zeros(len(present)), phases.energies])
    above = np.array([_above(hull, indices, x, e) for x, e in zip(fractions, energies, strict=True)])
    placed = hull.distance(composition, energy)
    written = {formula: place for place, formula in enumerate(formulas)}
    return PhaseDiagramData(
        symbols=tuple(present),
        formulas=formulas,
        fractions=fractions,
        energies=energies,
        above_hull=above,
        tie_lines=_tie_lines(present, fractions, energies),
        composition=composition[indices],
        energy=energy,
        above=placed.energy_above_hull_eV_per_atom,
        competing=tuple(written[chemists_formula(formula)] for formula, _ in placed.decomposition),
    )


def _above(hull: Hull, indices: list[int], fractions: np.ndarray, energy: float) -> float:
    """Distance of a phase to the hull in eV/atom: 0 if it is on the hull."""
    composition = np.zeros(elements.N_ELEMENTS)
    composition[indices] = fractions
    return hull.distance(composition, energy).energy_above_hull_eV_per_atom


def _tie_lines(symbols: Iterable[str], fractions: np.ndarray, energies: np.ndarray) -> tuple[tuple[int, int], ...]:
    """Pairs of phases at the ends of an edge of the hull of phases with fractions (n, k) and energies (n,)."""
    from pymatgen.analysis.phase_diagram import PDEntry, PhaseDiagram  # takes two seconds to import
    from pymatgen.core import Composition

    names = tuple(symbols)
    entries = [
        PDEntry(Composition(dict(zip(names, map(float, x), strict=True))), float(energy), attribute=place)
        for place, (x, energy) in enumerate(zip(fractions, energies, strict=True))
    ]
    diagram = PhaseDiagram(entries)
    facets = [sorted(diagram.qhull_entries[i].attribute for i in facet) for facet in diagram.facets]
    return tuple(sorted({pair for facet in facets for pair in itertools.combinations(facet, 2)}))
