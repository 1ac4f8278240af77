"""Initial guesses: the base mutated and perturbed (KIAGO 3.2), and the other starts of the two papers.

Each guess has its own random stream, made from the seed, the candidate and the number of its restarts, so that a
guess does not depend on how many others there are or on when it is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations

import numpy as np

from core.chemistry import elements
from core.chemistry.tolerances import ROUNDING_ERROR
from core.problem.composition_constraints import CompositionConstraints, in_order
from core.problem.settings import BASE, ENUMERATED, INTERPOLATED, KNOWN, RANDOM

MIXTURE = "mixture"  # the start of a substitution: nothing but elements drawn at random
BETA = 10.0  # both parameters of the distribution of the interpolation ratio (GDMCD)
ORDER = 2  # tells the random stream of the order from that of a guess: trailing zeros make no difference
BINARY_ATOMS = range(2, 11)  # n of GDMCD eq. 16: one atom in n is not hydrogen


@dataclass(frozen=True)
class InitialGuesses:
    """Everything that initial guesses are made from.

    start : one of `core.problem.problem.STARTS`, or MIXTURE
    base : (118,) fractions of the base material
    allowed : (118,) bool, M_elem
    floors : (118,) fractions that x_const provides already; a guess holds what is beyond them
    room : fraction of the atoms that x_const leaves free
    frequencies : (118,) how often each element occurs among known superconductors; only ratios matter
    mutate_probability, perturb_ratio, added_elements : see OptimiserSettings
    seed : of the problem
    part : number of the free part that this is for; each has its own random stream
    known : (m, 118) known superconductors to start from; empty where the start needs none
    """

    start: str
    base: np.ndarray
    allowed: np.ndarray
    floors: np.ndarray
    room: float
    frequencies: np.ndarray
    mutate_probability: float
    perturb_ratio: float
    added_elements: tuple[int, int]
    seed: int
    part: int = 0
    known: np.ndarray = field(default_factory=lambda: np.zeros((0, elements.N_ELEMENTS)))

    def guess(self, candidate: int, restart: int = 0) -> np.ndarray:
        """x_base (118,), non-negative, with something positive on an allowed element; sums to 1."""
        random = np.random.default_rng([self.seed, candidate, restart, *([self.part] if self.part else [])])
        starts = {BASE: self._base, MIXTURE: self._mixture, RANDOM: self._random, KNOWN: self._known,
                  INTERPOLATED: self._interpolated, ENUMERATED: self._enumerated}  # fmt: skip
        ratios = starts[self.start](candidate, restart, random)
        if self.floors.any() and self.start != ENUMERATED:  # an enumerated start says what is beyond the floors
            ratios = np.maximum(ratios / ratios.sum() - self.floors, 0)
        ratios = ratios * self.allowed
        if ratios.sum() <= 0:  # every element of the start is fixed or forbidden and nothing was added
            ratios[random.choice(np.flatnonzero(self.allowed))] = 1.0
        return ratios / ratios.sum()

    def guesses(self, candidates: int) -> np.ndarray:
        """The first guesses of all candidates, (candidates, 118)."""
        return np.stack([self.guess(i) for i in range(candidates)])

    # The starts: (candidate, restart, random) -> ratios (118,).

    def _base(self, candidate: int, restart: int, random: np.random.Generator) -> np.ndarray:
        """KIAGO 3.2: the base mutated, and elements added."""
        return self._perturbed(self.base, random)

    def _mixture(self, candidate: int, restart: int, random: np.random.Generator) -> np.ndarray:
        """KIAGO 3.5: a substitute begins as a random mixture."""
        ratios = np.zeros_like(self.base)
        low, high = (max(n, 1) for n in self.added_elements)
        self._add_elements(ratios, int(random.integers(low, high + 1)), random)
        return ratios

    def _random(self, candidate: int, restart: int, random: np.random.Generator) -> np.ndarray:
        """KIAGO 3.2, for comparison: as many elements as the base has, all equally likely, with random ratios."""
        ratios = np.zeros_like(self.base)
        count = min(int((self.base > 0).sum()), int(self.allowed.sum()))
        chosen = random.choice(np.flatnonzero(self.allowed), size=count, replace=False)
        ratios[chosen] = random.uniform(0, 1, count)
        return ratios

    def _known(self, candidate: int, restart: int, random: np.random.Generator) -> np.ndarray:
        """A known superconductor: each once, as it is, in random order; when all are used up, mutated and perturbed."""
        if restart == 0 and candidate < len(self.known):
            return self.known[self._order[candidate]]
        return self._perturbed(self.known[random.integers(len(self.known))], random)

    def _interpolated(self, candidate: int, restart: int, random: np.random.Generator) -> np.ndarray:
        """GDMCD: by turns a known superconductor, and two of them interpolated with a ratio from Beta(10, 10)."""
        if candidate % 2 == 0:
            return self._known(candidate // 2, restart, random)
        one, other = self.known[random.choice(len(self.known), size=2, replace=len(self.known) < 2)]
        ratio = random.beta(BETA, BETA)
        return ratio * one + (1 - ratio) * other

    def _enumerated(self, candidate: int, restart: int, random: np.random.Generator) -> np.ndarray:
        """GDMCD S5: one of all binary and ternary starts, in random order; over and over when all are used up."""
        place = candidate % len(self._all) if restart == 0 else int(random.integers(len(self._all)))
        return self._all[self._order[place]]

    @cached_property
    def _all(self) -> np.ndarray:
        return enumerated(self.allowed, self.floors, self.room)

    @cached_property
    def _order(self) -> np.ndarray:
        count = len(self._all) if self.start == ENUMERATED else len(self.known)
        return np.random.default_rng([self.seed, count, 0, ORDER]).permutation(count)

    # What starts are made of.

    def _perturbed(self, material: np.ndarray, random: np.random.Generator) -> np.ndarray:
        ratios = self._mutated(material, random)
        low, high = self.added_elements
        self._add_elements(ratios, int(random.integers(low, high + 1)), random)
        return ratios

    def _mutated(self, material: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """The material, each element replaced with mutate_probability by one drawn by frequency, its ratio kept."""
        ratios = np.zeros_like(material)
        for index in np.flatnonzero(material):
            mutate = random.random() < self.mutate_probability
            place = self._draw(random, 1)[0] if mutate else index
            ratios[place] += material[index]
        return ratios

    def _add_elements(self, ratios: np.ndarray, count: int, random: np.random.Generator) -> None:
        chosen = self._draw(random, count)
        ratios[chosen] += random.uniform(0, self.perturb_ratio or 1.0, len(chosen))

    def _draw(self, random: np.random.Generator, count: int) -> np.ndarray:
        """Distinct allowed elements, drawn by frequency; one that never occurs still has a small chance."""
        weights = (self.frequencies + 1.0) * self.allowed
        count = min(count, int(self.allowed.sum()))
        return random.choice(len(weights), size=count, replace=False, p=weights / weights.sum())


def enumerated(allowed: np.ndarray, floors: np.ndarray, room: float) -> np.ndarray:
    """All binary and ternary starts beside x_const, x_base (n, 118) with sum 1 (GDMCD eq. 16 and 17).

    allowed : (118,) bool, M_elem; floors : (118,) of x_const; room : 1 - sum of x_const

    Every pair of elements without a floor shares the room. Every single one takes 1/n of all atoms, n = 2..10, and what
    is left of the room goes to the elements with a floor; where there are none, it takes the whole room.
    """
    others = np.flatnonzero(allowed & (floors == 0))
    hosts = floors * allowed
    shares = [1 / n for n in BINARY_ATOMS if 1 / n <= room + ROUNDING_ERROR] if hosts.any() else [room]
    starts = np.zeros((count_enumerated(len(others), len(shares)), len(allowed)))
    row = 0
    for element in others:
        for share in shares:
            starts[row] = hosts / (hosts.sum() or 1.0) * (room - share)
            starts[row, element] = share
            row += 1
    for pair in combinations(others, 2):
        starts[row, list(pair)] = room / 2
        row += 1
    return np.maximum(starts, 0) / room


def count_enumerated(others: int, shares: int) -> int:
    """How many binary and ternary starts there are for so many elements, each with so many shares of the atoms."""
    return others * shares + others * (others - 1) // 2


def completed(
    guess: np.ndarray, constraints: CompositionConstraints, allowed: np.ndarray, random: np.random.Generator
) -> np.ndarray:
    """A guess (118,) that can keep the demands: where its elements are too few for a set, others of it are added."""
    ratios, names = guess.copy(), elements.symbols()
    while part := constraints.lacking({names[i] for i in np.flatnonzero(ratios)}):
        members = np.array([elements.element(s).index for s in in_order(part.members)])
        absent = members[allowed[members] & (ratios[members] <= 0)]
        if not len(absent):  # what is there already is bounded too closely: nothing can be added
            return guess
        ratios[random.choice(absent)] = random.uniform(0.5, 1.0) * (part.low if part is not constraints.root else 0.3)
    return ratios / ratios.sum()
