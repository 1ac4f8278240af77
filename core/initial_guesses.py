"""Initial guesses: the base mutated and perturbed (KIAGO 3.2), or a random mixture for a substitution.

Each guess has its own random stream, made from the seed, the candidate and the number of its restarts, so that a
guess does not depend on how many others there are or on when it is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.problem import RAISE_TC


@dataclass(frozen=True)
class GuessMaker:
    """Everything that initial guesses are made from.

    task : "raise_tc" or "substitute"
    base : (118,) fractions of the base material
    allowed : (118,) bool, M_elem
    floors : (118,) fractions that x_const provides already; a guess holds what is beyond them
    frequencies : (118,) how often each element occurs among known superconductors; only ratios matter
    mutate_probability, perturb_ratio, added_elements : see OptimiserSettings
    seed : of the problem
    """

    task: str
    base: np.ndarray
    allowed: np.ndarray
    floors: np.ndarray
    frequencies: np.ndarray
    mutate_probability: float
    perturb_ratio: float
    added_elements: tuple[int, int]
    seed: int

    def guess(self, candidate: int, restart: int = 0) -> np.ndarray:
        """x_base (118,), non-negative, with something positive on an allowed element; sums to 1."""
        random = np.random.default_rng([self.seed, candidate, restart])
        ratios = self._mutated(random) if self.task == RAISE_TC else np.zeros_like(self.base)
        self._add_elements(ratios, random)
        if self.floors.any():
            ratios = np.maximum(ratios / ratios.sum() - self.floors, 0)
        ratios *= self.allowed
        if ratios.sum() <= 0:  # every element of the base is fixed or forbidden and nothing was added
            ratios[random.choice(np.flatnonzero(self.allowed))] = 1.0
        return ratios / ratios.sum()

    def guesses(self, candidates: int) -> np.ndarray:
        """The first guesses of all candidates, (candidates, 118)."""
        return np.stack([self.guess(i) for i in range(candidates)])

    def _mutated(self, random: np.random.Generator) -> np.ndarray:
        """The base, each element replaced with mutate_probability by one drawn by frequency, its ratio kept."""
        ratios = np.zeros_like(self.base)
        for index in np.flatnonzero(self.base):
            mutate = random.random() < self.mutate_probability
            place = self._draw(random, 1)[0] if mutate else index
            ratios[place] += self.base[index]
        return ratios

    def _add_elements(self, ratios: np.ndarray, random: np.random.Generator) -> None:
        low, high = self.added_elements
        if self.task != RAISE_TC:
            low, high = max(low, 1), max(high, 1)
        count = int(random.integers(low, high + 1))
        chosen = self._draw(random, count)
        ratios[chosen] += random.uniform(0, self.perturb_ratio or 1.0, len(chosen))

    def _draw(self, random: np.random.Generator, count: int) -> np.ndarray:
        """Distinct allowed elements, drawn by frequency; one that never occurs still has a small chance."""
        weights = (self.frequencies + 1.0) * self.allowed
        count = min(count, int(self.allowed.sum()))
        return random.choice(len(weights), size=count, replace=False, p=weights / weights.sum())
