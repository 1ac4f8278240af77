"""Random element substitution in a base, for the baseline C-ES (KIAGO 3.1).

"The C-ES method randomly replaces some elements with others of identical oxidation states." The details follow the
samples in table 3 of the paper: the base is written for one or more formula units, a random subset of its elements is
selected, and the atoms of each are distributed among one or more elements that have its oxidation state in the base
(see `core.screening.oxidation_states`). For example, two formula units of LaPt2B2C become La2Hf2Ir2B4C2. The amounts at
each site are those of the base and every element occupies a single site, so that the candidates of a charge-balanced
base are charge-neutral.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from core.chemistry import elements
from core.chemistry.composition import composition_vector, element_mask
from core.chemistry.formula_reader import parse_formula
from core.problem.problem import DesignProblem
from core.problem.settings import SUBSTITUTE
from core.problem.substitution_sites import Replacement
from core.screening.oxidation_states import proposed_state

REPLACE_PROBABILITY = 0.5  # for each element of the base, so that all subsets are equally likely


@dataclass(frozen=True)
class Substituter:
    """Random element substitution in a base.

    counts : (118,) int64 atoms of the base in its smallest cell of whole atoms
    multiples : allowed numbers of these cells in a candidate
    replacements : symbol -> its replacements, for the replaceable elements
    forced : symbols of elements of the base that are forbidden or must not return: they are always replaced
    allowed : (118,) bool, allowed replacements
    elements_per_site : smallest and largest number of elements that replace one element
    max_elements : largest number of elements in a candidate
    seed : seed of the problem
    """

    counts: np.ndarray
    multiples: tuple[int, ...]
    replacements: Mapping[str, Replacement]
    forced: frozenset[str]
    allowed: np.ndarray
    elements_per_site: tuple[int, int]
    max_elements: int
    seed: int

    def draw(self, candidate: int, redraw: int = 0) -> np.ndarray | None:
        """Atoms (118,) of a candidate; None if a forbidden element could not be replaced."""
        random = np.random.default_rng([self.seed, candidate, redraw])
        counts = self.counts * random.choice(self.multiples)
        for symbol in self._selected(random):
            self._replace(counts, symbol, random)
        incomplete = any(counts[elements.element(symbol).index] for symbol in self.forced)
        return None if incomplete else counts

    def _selected(self, random: np.random.Generator) -> list[str]:
        """Elements to replace, at least one: first the forced ones, then the others in random order."""
        names = list(self.replacements)
        chosen = [s for s in names if random.random() < REPLACE_PROBABILITY and s not in self.forced]
        if not chosen and not self.forced:
            chosen = [names[random.integers(len(names))]]
        return sorted(self.forced) + [chosen[i] for i in random.permutation(len(chosen))]

    def _replace(self, counts: np.ndarray, symbol: str, random: np.random.Generator) -> None:
        """Distribute the atoms of an element, in place, among absent elements with its oxidation state.

        The element itself may keep some of its atoms, as in doping. Nothing changes if no other element is possible.
        """
        site = elements.element(symbol).index
        pool = element_mask(self.replacements[symbol].symbols()) & self.allowed & (counts == 0)
        others, atoms = np.flatnonzero(pool), int(counts[site])
        room = self.max_elements - int((counts > 0).sum()) + 1
        low, high = (max(1, n) for n in self.elements_per_site)
        parts = min(int(random.integers(low, high + 1)), atoms, room, len(others) + int(self.allowed[site]))
        if not len(others) or parts < 1:
            return
        if parts > 1 and self.allowed[site]:
            others = np.append(others, site)
        chosen = random.choice(others, size=parts, replace=False)
        borders = np.sort(random.choice(atoms - 1, size=parts - 1, replace=False)) + 1 if parts > 1 else []
        counts[site] = 0
        counts[chosen] += np.diff([0, *borders, atoms])


def make_substituter(problem: DesignProblem, allowed: np.ndarray, atom_counts: Collection[int]) -> Substituter:
    """The substituter of a valid problem.

    allowed : (118,) bool, M_elem
    atom_counts : allowed numbers of atoms, multiples of those of the base

    Raises ValueError for a base without an integer formula.
    """
    atoms = problem.base_atoms()
    if atoms is None:
        raise ValueError(f"the base {problem.base} has no integer formula")
    replacements = site_replacements(problem)
    return Substituter(
        counts=np.round(composition_vector(problem.base_fractions()) * atoms).astype(np.int64),
        multiples=tuple(n // atoms for n in atom_counts),
        replacements={s: after for s, after in replacements.items() if is_replaceable(s, after, allowed)},
        forced=frozenset(s for s in replacements if not allowed[elements.element(s).index]),
        allowed=allowed,
        elements_per_site=problem.settings.added_elements,
        max_elements=problem.settings.max_elements,
        seed=problem.seed,
    )


def site_replacements(problem: DesignProblem) -> dict[str, Replacement]:
    """What may take the place of the elements of the base: symbol -> elements of its oxidation state.

    For the task "substitute" these are the states and groups of the sites, otherwise the proposed states of all
    elements that are not fixed. Elements without an oxidation state are omitted.
    """
    if problem.task == SUBSTITUTE:
        return {site.element: Replacement(site.state, site.among) for site in problem.sites if site.state is not None}
    amounts, fixed = parse_formula(problem.base), problem.fixed_fractions()
    proposed = {s: proposed_state(amounts, s) for s in amounts if s not in fixed}
    return {s: Replacement(q) for s, q in proposed.items() if q}


def is_replaceable(symbol: str, after: Replacement, allowed: np.ndarray) -> bool:
    """Whether an allowed element other than the element itself can take its place. allowed : (118,) bool"""
    return bool((element_mask(after.symbols()) & allowed & ~element_mask([symbol])).any())
