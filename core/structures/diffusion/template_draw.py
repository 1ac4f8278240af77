"""Templates of the samples of a formula, drawn from a library of prototypes by the number of their known compounds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

import numpy as np

from core.chemistry import elements
from core.chemistry.structure import reduced_counts
from core.reference_data.prototypes import Prototypes
from core.structures.diffusion.wyckoff_templates import WyckoffTemplate

NO_PROTOTYPE = "No known prototype has this stoichiometry and number of atoms: the crystals have any symmetry."
Formula = frozenset[tuple[str, int]]  # element and number of atoms in lowest terms, as in `Prototypes.formulas`
_STREAM = 5  # number of the random stream; the sampler has those before


class TemplateDraw:
    """Draws prototypes with the stoichiometry and the number of atoms of a composition.

    Of elements with equally many atoms, chance says which has which sites.
    """

    def __init__(self, library: Prototypes, composition: Sequence[str], excluded: Collection[Formula] = frozenset()):
        """excluded : formulas that count as unknown: no compound of theirs, and no prototype with their geometry"""
        self._library, self._composition = library, tuple(composition)
        self._amounts = reduced_counts(Counter(composition))
        found = library.by_stoichiometry.get(tuple(sorted(self._amounts.values())), np.zeros(0, dtype=np.int64))
        fitting = found[library.sites[found] == len(composition)]
        compounds = np.array([self._compounds(int(prototype), excluded) for prototype in fitting], dtype=float)
        self._prototypes, self._compounds_of = fitting[compounds > 0], compounds[compounds > 0]
        self._made: dict[tuple[int, tuple[str, ...]], WyckoffTemplate] = {}

    @property
    def note(self) -> str:
        """That samples have any symmetry, if no prototype fits; else empty."""
        return "" if len(self._prototypes) else NO_PROTOTYPE

    def templates(self, seed: int, numbers: Iterable[int]) -> list[WyckoffTemplate]:
        """The templates of the samples with these numbers; those without symmetry if the library has none."""
        return [self._template(np.random.default_rng([seed, number, 0, _STREAM])) for number in numbers]

    def _compounds(self, prototype: int, excluded: Collection[Formula]) -> int:
        """Number of known compounds, 0 if the geometry is that of an excluded one."""
        if not excluded:
            return int(self._library.members[prototype])
        names, counts = elements.symbols(), self._library.counts_of(prototype)
        kept = [
            frozenset((names[e], n) for e, n in zip(row, counts, strict=True)) not in excluded
            for row in self._library.species_of(prototype).tolist()
        ]
        return sum(kept) if kept[0] else 0

    def _template(self, random: np.random.Generator) -> WyckoffTemplate:
        if not len(self._prototypes):
            return WyckoffTemplate.none(len(self._composition))
        prototype = int(random.choice(self._prototypes, p=self._compounds_of / self._compounds_of.sum()))
        species = self._species(prototype, random)
        if (prototype, species) not in self._made:
            structure = self._library.structure(prototype, species)
            label = self._library.label(prototype)
            self._made[prototype, species] = WyckoffTemplate.of(structure, self._composition, label)
        return self._made[prototype, species]

    def _species(self, prototype: int, random: np.random.Generator) -> tuple[str, ...]:
        """An element for each slot of a prototype."""
        left: dict[int, list[str]] = {}
        for symbol in sorted(self._amounts):
            left.setdefault(self._amounts[symbol], []).append(symbol)
        for symbols in left.values():
            random.shuffle(symbols)
        return tuple(left[count].pop() for count in self._library.counts_of(prototype))
