"""Templates of the samples of a formula, drawn from a library of prototypes by the likeness of their known compounds.

A candidate is a prototype with the elements of the formula at its sites, see `core.structures.templates`. Its weight is
the sum over the compounds of the prototype of exp(-d / SCALE), where d is the distance between the elements of the
compound and those of the formula: a prototype with many compounds, or with very similar ones, is drawn often. SCALE was
chosen on 880 formulas that no figure is measured on, whose own compounds were left out: a known structure of the
formula is then drawn with the probability 0.51, and at least once in twenty draws with 0.70; with weights by the number
of compounds alone 0.14 and 0.50.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

import numpy as np

from core.chemistry import elements
from core.chemistry.structure import Structure, reduced_counts
from core.reference_data.prototypes import Prototypes
from core.structures.diffusion.wyckoff_templates import WyckoffTemplate
from core.structures.templates import ElementTables, templates

Formula = frozenset[tuple[str, int]]  # element and number of atoms in lowest terms, as in `Prototypes.formulas`
SCALE = 0.3  # of the distance between compounds, see `core.structures.element_distance`
VERSION = 2  # of the draw; other templates with the same library have another one
_STREAM = 5  # number of the random stream; the sampler has those before


class TemplateDraw:
    """Draws prototypes with the stoichiometry and number of atoms of a composition, and elements for their sites."""

    def __init__(self, library: Prototypes, composition: Sequence[str], excluded: Collection[Formula] = frozenset()):
        """excluded : formulas that count as unknown: no compound of theirs, and no prototype with their geometry"""
        self._library, self._composition = library, tuple(composition)
        candidates = Candidates(library, composition, excluded)
        self._chances = candidates.chances(len(composition))
        self._prototypes, self._species = candidates.prototypes, candidates.species
        self._note = "" if self._chances.any() else candidates.note(len(composition))
        self._made: dict[int, WyckoffTemplate] = {}

    @property
    def note(self) -> str:
        """That samples have any symmetry, if no prototype fits, with the cells that have one; else empty."""
        return self._note

    def templates(self, seed: int, numbers: Iterable[int]) -> list[WyckoffTemplate]:
        """The templates of the samples with these numbers; those without symmetry if the library has none."""
        return [self._template(self._drawn(seed, number)) for number in numbers]

    def structures(self, seed: int, numbers: Iterable[int]) -> list[Structure]:
        """The geometries of the templates of the samples with these numbers; empty if the library has none."""
        drawn = (self._drawn(seed, number) for number in numbers)
        return [self._structure(chosen) for chosen in drawn if chosen is not None]

    def _drawn(self, seed: int, number: int) -> int | None:
        """The candidate of a sample; None if there is none."""
        if not self._chances.any():
            return None
        return int(np.random.default_rng([seed, number, 0, _STREAM]).choice(len(self._chances), p=self._chances))

    def _structure(self, chosen: int) -> Structure:
        names = elements.symbols()
        return self._library.structure(int(self._prototypes[chosen]), [names[e] for e in self._species[chosen]])

    def _template(self, chosen: int | None) -> WyckoffTemplate:
        if chosen is None:
            return WyckoffTemplate.none(len(self._composition))
        if chosen not in self._made:
            label = self._library.label(int(self._prototypes[chosen]))
            self._made[chosen] = WyckoffTemplate.of(self._structure(chosen), self._composition, label)
        return self._made[chosen]


class Candidates:
    """The prototypes of a stoichiometry with the elements of a composition at their sites, and their weights.

    prototypes : (c,) index of the prototype; species : (c, k) index of the element at each slot
    weights : (c,) see the module
    """

    def __init__(self, library: Prototypes, composition: Sequence[str], excluded: Collection[Formula] = frozenset()):
        """As `TemplateDraw`; of the composition only its lowest terms count."""
        amounts = reduced_counts(Counter(composition))
        found = templates(library, ElementTables.of(library), amounts)
        kernel = np.exp(-found.distances / SCALE)
        if excluded:
            counts = sorted(amounts.values())
            of_excluded = _rows_of(library, {int(p) for p in found.prototypes}, counts, excluded)
            kernel[np.isin(found.rows, of_excluded)] = 0.0
            kernel[np.isin(_first_rows(library, found.prototypes), of_excluded)[found.owner]] = 0.0
        self.prototypes, self.species = found.prototypes, found.species
        self.weights = np.bincount(found.owner, kernel, len(found))
        self._atoms, self._units = library.sites[found.prototypes].astype(int), sum(amounts.values())

    def chances(self, atoms: int) -> np.ndarray:
        """(c,) probability of each candidate among those whose primitive cell has this number of atoms; 0: none has."""
        weights = np.where(self._atoms == atoms, self.weights, 0.0)
        total = weights.sum()
        return weights / total if total > 0 else np.zeros(len(weights))

    def note(self, atoms: int) -> str:
        """Why samples with this number of atoms have any symmetry, and with which they would have one."""
        known = sorted({int(each) // self._units for each in self._atoms[self.weights > 0]})
        if not known:
            return "No known prototype has this stoichiometry: the crystals have any symmetry."
        listed = f"{', '.join(map(str, known))} formula unit{'s' if known != [1] else ''}"
        return (
            f"No known prototype has this stoichiometry with {atoms} atoms in the primitive cell: the crystals have "
            f"any symmetry. Those that are known have {listed}."
        )


def _first_rows(library: Prototypes, prototypes: np.ndarray) -> np.ndarray:
    """(c,) row of the compound whose geometry each prototype has."""
    return np.array([library.rows_of(int(prototype)).start for prototype in prototypes], dtype=np.int64)


def _rows_of(
    library: Prototypes, prototypes: Iterable[int], counts: Sequence[int], formulas: Collection[Formula]
) -> np.ndarray:
    """The rows of compounds of these prototypes whose formula is one of these."""
    names, rows = elements.symbols(), []
    for prototype in prototypes:
        for row, species in enumerate(library.species_of(prototype).tolist(), library.rows_of(prototype).start):
            if frozenset((names[e], n) for e, n in zip(species, counts, strict=True)) in formulas:
                rows.append(row)
    return np.array(rows, dtype=np.int64)
