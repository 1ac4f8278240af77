"""Initial guesses: the base mutated and perturbed (KIAGO 3.2), and the other initialisations of the two papers.

The random stream of a guess is seeded with the seed of the problem, the candidate and its number of restarts. A guess
therefore depends neither on the number of candidates nor on the order of the calls.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations

import numpy as np

from core.chemistry import elements
from core.chemistry.tolerances import ROUNDING_ERROR
from core.problem.constraint_sets import CompositionConstraints, sorted_symbols
from core.problem.settings import BASE, ENUMERATED, INTERPOLATED, KNOWN, RANDOM

MIXTURE = "mixture"  # start of a substitution: a random mixture of allowed elements
BETA = 10.0  # both parameters of the beta distribution of interpolation ratios (GDMCD)
ORDER = 2  # separates the random stream of the order from those of guesses; numpy ignores trailing zeros of a seed
BINARY_ATOMS = range(2, 11)  # n of GDMCD eq. 16: one of n atoms is not hydrogen


@dataclass(frozen=True)
class InitialGuesses:
    """Generator of initial guesses for one free part of the composition.

    start : one of `core.problem.settings.STARTS`, or MIXTURE
    base : (118,) fractions of the base
    allowed : (118,) bool, M_elem
    floors : (118,) floors in x_const; guesses contain only the fractions above them
    room : 1 - sum of x_const
    frequencies : (118,) occurrences of the elements in known superconductors, in any unit
    mutate_probability, perturb_ratio, added_elements : see OptimiserSettings
    seed : seed of the problem
    part : index of the free part; each part has its own random stream
    known : (m, 118) known superconductors to start from; empty if the start does not use them
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
        """x_base (118,): fractions of allowed elements >= 0 with sum 1."""
        random = np.random.default_rng([self.seed, candidate, restart, *([self.part] if self.part else [])])
        starts = {BASE: self._base, MIXTURE: self._mixture, RANDOM: self._random, KNOWN: self._known,
                  INTERPOLATED: self._interpolated, ENUMERATED: self._enumerated}  # fmt: skip
        ratios = starts[self.start](candidate, restart, random)
        if self.floors.any() and self.start != ENUMERATED:  # enumerated starts do not contain the floors
            ratios = np.maximum(ratios / ratios.sum() - self.floors, 0)
        ratios = ratios * self.allowed
        if ratios.sum() <= 0:  # the start has no allowed element
            ratios[random.choice(np.flatnonzero(self.allowed))] = 1.0
        return ratios / ratios.sum()

    def guesses(self, candidates: int) -> np.ndarray:
        """Guesses of all candidates without restarts, (candidates, 118)."""
        return np.stack([self.guess(i) for i in range(candidates)])

    # Starts: (candidate, restart, random) -> ratios (118,) >= 0.

    def _base(self, candidate: int, restart: int, random: np.random.Generator) -> np.ndarray:
        """The base mutated and perturbed (KIAGO 3.2)."""
        return self._perturbed(self.base, random)

    def _mixture(self, candidate: int, restart: int, random: np.random.Generator) -> np.ndarray:
        """A random mixture, for substitutions (KIAGO 3.5)."""
        ratios = np.zeros_like(self.base)
        low, high = (max(n, 1) for n in self.added_elements)
        self._add_elements(ratios, int(random.integers(low, high + 1)), random)
        return ratios

    def _random(self, candidate: int, restart: int, random: np.random.Generator) -> np.ndarray:
        """As many elements as the base has, with equal probability and random ratios (comparison in KIAGO 3.2)."""
        ratios = np.zeros_like(self.base)
        count = min(int((self.base > 0).sum()), int(self.allowed.sum()))
        chosen = random.choice(np.flatnonzero(self.allowed), size=count, replace=False)
        ratios[chosen] = random.uniform(0, 1, count)
        return ratios

    def _known(self, candidate: int, restart: int, random: np.random.Generator) -> np.ndarray:
        """Each known superconductor once, in random order; then random ones, mutated and perturbed."""
        if restart == 0 and candidate < len(self.known):
            return self.known[self._order[candidate]]
        return self._perturbed(self.known[random.integers(len(self.known))], random)

    def _interpolated(self, candidate: int, restart: int, random: np.random.Generator) -> np.ndarray:
        """Alternately a known superconductor, and two interpolated with a ratio from Beta(10, 10) (GDMCD)."""
        if candidate % 2 == 0:
            return self._known(candidate // 2, restart, random)
        one, other = self.known[random.choice(len(self.known), size=2, replace=len(self.known) < 2)]
        ratio = random.beta(BETA, BETA)
        return ratio * one + (1 - ratio) * other

    def _enumerated(self, candidate: int, restart: int, random: np.random.Generator) -> np.ndarray:
        """Binary and ternary starts in random order, repeated if there are more candidates (GDMCD S5)."""
        index = candidate % len(self._all) if restart == 0 else int(random.integers(len(self._all)))
        return self._all[self._order[index]]

    @cached_property
    def _all(self) -> np.ndarray:
        return enumerated(self.allowed, self.floors, self.room)

    @cached_property
    def _order(self) -> np.ndarray:
        count = len(self._all) if self.start == ENUMERATED else len(self.known)
        return np.random.default_rng([self.seed, count, 0, ORDER]).permutation(count)

    # Operations on ratios (118,).

    def _perturbed(self, material: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """The material mutated, with further elements added."""
        ratios = self._mutated(material, random)
        low, high = self.added_elements
        self._add_elements(ratios, int(random.integers(low, high + 1)), random)
        return ratios

    def _mutated(self, material: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """The material with each element replaced, with mutate_probability, by one drawn by frequency."""
        ratios = np.zeros_like(material)
        for index in np.flatnonzero(material):
            mutate = random.random() < self.mutate_probability
            column = self._draw(random, 1)[0] if mutate else index
            ratios[column] += material[index]
        return ratios

    def _add_elements(self, ratios: np.ndarray, count: int, random: np.random.Generator) -> None:
        """Add random ratios of elements drawn by frequency, in place."""
        chosen = self._draw(random, count)
        ratios[chosen] += random.uniform(0, self.perturb_ratio or 1.0, len(chosen))

    def _draw(self, random: np.random.Generator, count: int) -> np.ndarray:
        """Columns of distinct allowed elements, drawn by frequency + 1, so that every element has a chance."""
        weights = (self.frequencies + 1.0) * self.allowed
        count = min(count, int(self.allowed.sum()))
        return random.choice(len(weights), size=count, replace=False, p=weights / weights.sum())


def enumerated(allowed: np.ndarray, floors: np.ndarray, room: float) -> np.ndarray:
    """All binary and ternary starts, x_base (n, 118) with sum 1 (GDMCD eq. 16 and 17).

    allowed : (118,) bool, M_elem
    floors : (118,) floors in x_const
    room : 1 - sum of x_const

    Each pair of elements without a floor shares the room equally. Each single element has 1/n of all atoms, n = 2..10,
    and the elements with a floor have the rest of the room; without floors the single element has the whole room.
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
    """Number of binary and ternary starts for elements without a floor, each with this number of shares."""
    return others * shares + others * (others - 1) // 2


def add_missing_elements(
    guess: np.ndarray, constraints: CompositionConstraints, allowed: np.ndarray, random: np.random.Generator
) -> np.ndarray:
    """A guess (118,) whose elements can satisfy the constraints: adds random elements of each unreachable set.

    Returns the guess unchanged if no allowed element can be added.
    """
    ratios, names = guess.copy(), elements.symbols()
    while unreachable := constraints.unreachable_set({names[i] for i in np.flatnonzero(ratios)}):
        members = np.array([elements.element(s).index for s in sorted_symbols(unreachable.members)])
        absent = members[allowed[members] & (ratios[members] <= 0)]
        if not len(absent):
            return guess
        scale = unreachable.low if unreachable is not constraints.root else 0.3
        ratios[random.choice(absent)] = random.uniform(0.5, 1.0) * scale
    return ratios / ratios.sum()
