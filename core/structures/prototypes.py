"""From a formula to ranked crystal structures: its elements on the sites of known prototypes.

A formula of whole amounts takes the prototypes of its own stoichiometry. A doped formula takes those of the nearest
ordered formula, its parent: as an ordered supercell with the dopants where a small one has their share, otherwise as
the parent itself; `Proposal.note` says which. The volume is that of similar compounds.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from core.chemistry import elements
from core.chemistry.composition import formula_of, whole_counts
from core.chemistry.structure import Structure
from core.errors import InputError
from core.reference_data.large_cells import LargeCells, load_large_cells
from core.reference_data.prototypes import Prototypes, anonymous, load_prototypes
from core.structures.element_distance import filled_radii_A
from core.structures.match import Reduced
from core.structures.parents import Parent, parents
from core.structures.ranking import Ranking, load_ranking
from core.structures.ranking_features import entry_numbers, ranked_by_distance
from core.structures.supercell import doped_supercell
from core.structures.superhydrides import CageStructure, superhydrides
from core.structures.symmetry import symmetric
from core.structures.templates import ElementTables, Templates, templates
from core.structures.volume import volumes_A3_per_atom

MOST_PARENTS = 2  # of a doped formula, of which structures are proposed
UNSTABLE_EV_PER_ATOM = 0.01  # energy above hull; smaller differences are errors of the calculations
MOST_FORMULA_ATOMS = 200  # no prototype has more atoms in its formula


@dataclass(frozen=True)
class Proposal:
    """A crystal structure proposed for a formula.

    structure : primitive cell, or a supercell for a doped formula
    prototype : stoichiometry, space group and Wyckoff occupation of the prototype: "AB2 191 1a|2d"; "generated"
    index : of the prototype in the library; -1: none of it, as a structure in a large cell or a generated one
    space_group : international number, of the structure
    example, example_id : the most similar compound with this prototype; empty for a generated structure
    distance : from that compound, see `core.structures.templates`
    compounds, superconductors : known compounds of the prototype; those with a measured Tc, or doped to one
    score : of the learned ranking, higher is likelier; inf for a known structure of the formula or of its parent
    known : whether the formula is known in this structure
    note : for a doped formula, what the structure stands for; for a structure of high pressure, which; else empty
    """

    structure: Structure
    prototype: str
    index: int
    space_group: int
    example: str
    example_id: str
    distance: float
    compounds: int
    superconductors: int
    score: float
    known: bool
    note: str = ""

    @property
    def origin(self) -> str:
        """The prototype and the compound that it is like, in words; or what stands in place of a prototype."""
        return f"prototype {self.prototype} as {self.example}" if self.example else self.prototype


@dataclass(frozen=True)
class _Choice:
    """A candidate in the order of the ranking."""

    found: Templates
    candidate: int
    pair: int
    score: float
    known: bool


class StructureFinder:
    """Proposes structures from a library, in a learned order."""

    def __init__(self, library: Prototypes, ranking: Ranking, large: LargeCells | None = None):
        """large : stable compounds in larger cells; None: none"""
        self._library, self._ranking, self._large = library, ranking, large
        self._tables = ElementTables.of(library)

    def find(self, amounts: Mapping[str, float], top: int = 5) -> list[Proposal]:
        """The likeliest structures of a formula, the likeliest first, all different; at most `top`.

        amounts : element -> amount, above 0

        Raises InputError (field "formula") if neither the formula nor a parent has a known stoichiometry; ValueError
        for top below 1.
        """
        if top < 1:
            raise ValueError("at least one structure must be asked for")
        counts = whole_counts(amounts)
        exact: list[Proposal] = []
        if counts is not None and sum(counts.values()) <= MOST_FORMULA_ATOMS:
            exact = self._distinct(self._exact(counts), top)
        if exact:
            return exact
        doped = self._distinct(self._doped(amounts), top)
        if doped:
            return doped
        raise InputError(
            "formula",
            formula_of(amounts),
            "no known crystal structure has this stoichiometry or one near it",
            "Round the amounts to a simpler ratio",
        )

    @property
    def prototypes(self) -> Prototypes:
        """The library of prototypes."""
        return self._library

    def known(self, counts: Mapping[str, int], most: int | None = None) -> list[Structure]:
        """The known structures of a formula in lowest terms, the stablest first; empty if there are none.

        most : different structures; None: all, equal ones too, which are not compared with each other
        """
        known = itertools.takewhile(lambda proposal: proposal.known, self._exact(counts))
        return [each.structure for each in (known if most is None else self._distinct(known, most))]

    @property
    def formulas(self) -> frozenset[frozenset[tuple[str, int]]]:
        """The formulas of all known compounds, each as pairs of element and number of atoms in lowest terms."""
        return self._library.formulas | (self._large.places.keys() if self._large is not None else frozenset())

    def _exact(self, counts: Mapping[str, int]) -> Iterator[Proposal]:
        """Structures of a formula: that in a large cell, which is stable, the other known ones, and those proposed.

        Of both kinds, those with a cage of hydrogen come first, with the odds of the likeliest other proposal.
        """
        large = self._large
        if large is not None and (place := large.places.get(frozenset(counts.items()))) is not None:
            yield _known_in_large_cell(large, place)
        choices = self._choices(counts)
        cages = superhydrides(counts, filled_radii_A(self._library.radii_A))
        yield from (_in_cage(each, np.inf) for each in cages if each.known)
        yield from (self._proposal(choice, "") for choice in choices if choice.known)
        proposed = [choice for choice in choices if not choice.known]
        likeliest = max((choice.score for choice in proposed), default=0.0)
        yield from (_in_cage(each, likeliest) for each in cages if not each.known)
        yield from (self._proposal(choice, "") for choice in proposed)

    def _choices(self, counts: Mapping[str, int]) -> list[_Choice]:
        """The candidates of a formula: its known structures, in the order of `_stability`, then the others by score."""
        found = templates(self._library, self._tables, counts)
        ranked = ranked_by_distance(self._library, self._tables, found)
        scores = self._ranking.scores(ranked.features)
        choices = [
            _Choice(found, int(candidate), int(pair), float(score), bool(found.distances[pair] == 0))
            for candidate, pair, score in zip(ranked.candidates, ranked.nearest, scores, strict=True)
        ]
        return sorted(choices, key=lambda choice: (not choice.known, *self._stability(choice)))

    def _stability(self, choice: _Choice) -> tuple[int, float, float]:
        """The place of a structure: known ones with a low energy above hull, without one, with a high one; each by it.

        Where no energy is known, the place is that of score - log10(number of the entry). Low numbers are mostly of
        compounds that were made, and were found with the prototype's lowest energy more often than the score alone
        tells: in 64% against 60% of 1,200 formulas with several structures of known energy.
        """
        if not choice.known:
            return 0, -choice.score, 0.0
        row = int(choice.found.rows[choice.pair])
        energy = float(self._library.above_hull_eV_per_atom[row])
        if np.isnan(energy):
            return 1, float(np.log10(entry_numbers(self._library)[row] + 1.0)) - choice.score, 0.0
        return (2 if energy > UNSTABLE_EV_PER_ATOM else 0), energy, -choice.score

    def _proposal(self, choice: _Choice, note: str) -> Proposal:
        library, found, candidate = self._library, choice.found, choice.candidate
        names = elements.symbols()
        prototype, row = int(found.prototypes[candidate]), int(found.rows[choice.pair])
        made = library.structure(prototype, [names[e] for e in found.species[candidate]])
        rows = library.rows_of(prototype)
        return Proposal(
            structure=made.scaled_to(volumes_A3_per_atom(library, found, candidate)),
            prototype=library.label(prototype),
            index=prototype,
            space_group=int(library.space_group[prototype]),
            example=library.formula_of_member(prototype, row - rows.start),
            example_id=library.id_of(row),
            distance=float(found.distances[choice.pair]),
            compounds=int(library.members[prototype]),
            superconductors=int((np.nan_to_num(library.tc_K[rows]) > 0).sum()),
            score=np.inf if choice.known else choice.score,
            known=choice.known,
            note=note,
        )

    def _doped(self, amounts: Mapping[str, float]) -> Iterator[Proposal]:
        """Structures of the parents, with the dopants where a small supercell has their share."""
        for parent in parents(self._library, self._tables.distances, amounts)[:MOST_PARENTS]:
            for choice in self._choices(parent.counts):
                yield _with_dopants(self._proposal(choice, ""), parent)

    def _distinct(self, proposals: Iterator[Proposal], top: int) -> list[Proposal]:
        """The first proposals that are different structures."""
        kept: list[tuple[Proposal, Reduced]] = []
        for proposal in proposals:
            cell = Reduced(proposal.structure)
            if not any(cell.matches(other) for _, other in kept):
                kept.append((proposal, cell))
            if len(kept) == top:
                break
        return [proposal for proposal, _ in kept]


def _with_dopants(proposal: Proposal, parent: Parent) -> Proposal:
    """A structure of the parent as an ordered supercell with the dopants, or as it is; the note says which."""
    name = formula_of({symbol: float(n) for symbol, n in parent.counts.items()})
    vacant = "; its amounts are rounded to whole atoms" if parent.rounded > 1e-6 else ""
    cell = doped_supercell(proposal.structure, parent.hosts, parent.shares)
    known = proposal.known and not parent.hosts and not vacant
    if cell is None:
        return _noted(proposal, proposal.structure, proposal.space_group, known, f"ordered parent {name}{vacant}")
    found = symmetric(cell)
    space_group = found.space_group if found else 1
    return _noted(proposal, cell, space_group, False, f"ordered supercell {cell.formula} of {name}{vacant}")


def _noted(proposal: Proposal, structure: Structure, space_group: int, known: bool, note: str) -> Proposal:
    return replace(proposal, structure=structure, space_group=space_group, known=known, note=note)


def _known_in_large_cell(large: LargeCells, place: int) -> Proposal:
    structure = large.structure(place)
    found = symmetric(structure)
    space_group = found.space_group if found else 1
    stoichiometry = anonymous(sorted(structure.lowest_terms.values()))
    return Proposal(
        structure=structure,
        prototype=f"{stoichiometry} {space_group}, {len(structure.symbols)} atoms",
        index=-1,
        space_group=space_group,
        example=structure.formula,
        example_id=large.id_of(place),
        distance=0.0,
        compounds=1,
        superconductors=0,
        score=np.inf,
        known=True,
    )


def _in_cage(cage: CageStructure, score: float) -> Proposal:
    kind = cage.prototype
    return Proposal(
        structure=cage.structure,
        prototype=kind.label,
        index=-1,
        space_group=kind.space_group[1],
        example=cage.formula if cage.known else kind.example,
        example_id="",
        distance=0.0 if cage.known else np.nan,
        compounds=len(kind.made),
        superconductors=kind.superconductors,
        score=score,
        known=cage.known,
        note=f"a structure of high pressure: the cell is that of {kind.example} at {kind.pressure_GPa:g} GPa; "
        "relax it under a pressure",
    )


@cache
def load_finder() -> StructureFinder:
    """The finder with the tables and the ranking in checkpoints/, loaded once per process. Raises CheckpointError."""
    return StructureFinder(load_prototypes(), load_ranking(), load_large_cells())
