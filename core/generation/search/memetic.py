"""Memetic search: a genetic algorithm over two archives, joined with local search on the integer grid.

One archive holds the best formulas, the other the best few of every kind, which is the set of their main elements, so
that the search does not end in the first good family of materials. Parents come from both, and in every round random
formulas join them: from LaNiAsO, mutations alone do not reach cuprates. The best formulas whose neighbourhood was not
searched yet are followed by their most promising neighbours, ordered by the gradient of the objective, and later again
by their next ones.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
import torch

from core.errors import InputError
from core.generation.interface import Candidates, PropertyPredictors, Report
from core.generation.registry import settings_of_method
from core.generation.schedule import Schedule, Stage
from core.generation.search import setting
from core.generation.search.archive import Archive, Limit
from core.generation.search.formula_space import distinct_rows
from core.generation.search.local_moves import neighbours
from core.generation.search.setting import SearchTask
from core.problem.problem import DesignProblem
from core.problem.settings import NEUTRAL, OptimiserSettings

GUESSES = 128
PRESSURE = 1.5  # preference for the best parents, see `Operators.children`
DRAWS = 4  # children drawn for each one that is predicted
SPECIES = 512  # formulas of the archive of all kinds
KIND = Limit(12, share=0.15)  # most formulas of one kind, and the fraction above which an element determines the kind
FRACTIONAL_KIND = Limit(6, share=0.05)  # the same for fractional amounts: an element that dopes makes a kind too
CHILDREN, IMMIGRANTS = 768, 96  # of a round: changed formulas, and random ones
EXPLORED, EACH = 8, 32  # formulas whose neighbours are searched, and how many neighbours of each
PASSES = 4  # times that the neighbours of one of the best formulas are searched, each time the next ones
AGAIN = 120  # places: a formula is searched again when those that are so far below it have been searched once less


@dataclass(frozen=True)
class State:
    """Both archives.

    step : () int64, rounds
    counts, numbers : (size, 118), (size, 5) the best formulas, see `Archive.padded`
    species, species_numbers : (SPECIES, 118), (SPECIES, 5) the best of every kind
    searched : (k,) int64, hashes of the formulas whose neighbourhood was searched
    tested : () int64, formulas tested so far
    """

    step: torch.Tensor
    counts: torch.Tensor
    numbers: torch.Tensor
    species: torch.Tensor
    species_numbers: torch.Tensor
    searched: torch.Tensor
    tested: torch.Tensor


class MemeticSearch:
    """Genetic search with niches and local search."""

    state_type = State

    def validate(self, problem: DesignProblem, known: Collection[str]) -> list[InputError]:
        """See `setting.check`."""
        return setting.check(problem, known)

    def effective_settings(self, problem: DesignProblem) -> OptimiserSettings:
        """Rounds instead of steps; every formula passes the charge screens."""
        own = settings_of_method(problem)
        return replace(problem.settings, candidates=own["kept"], steps=(own["rounds"], 0), rounding=NEUTRAL)

    def schedule(self, problem: DesignProblem) -> Schedule:
        """One stage."""
        own = settings_of_method(problem)
        return Schedule((Stage("Rounds", own["rounds"]),), own["kept"])

    def atom_counts(self, problem: DesignProblem) -> tuple[int, ...]:
        """See `DesignProblem.atom_counts`."""
        return problem.atom_counts()

    def prepare(self, problem: DesignProblem, predictors: PropertyPredictors) -> SearchTask:
        """The task of a valid problem."""
        return setting.prepare(problem, predictors, settings_of_method(problem)["kept"], GUESSES)

    def init(self, task: SearchTask) -> State:
        """The start formulas that pass."""
        passing = task.starts[task.space.passes(task.starts)]
        best = Archive.empty().merged(passing, task.scorer, task.size, task.limit)
        species = Archive.empty().merged(passing, task.scorer, SPECIES, _kind(task), whole=False)
        return _state(0, best, species, task, torch.zeros(0, dtype=torch.int64), len(passing))

    def step(self, task: SearchTask, state: State) -> tuple[State, Report]:
        """One round; the report is of the best formulas before it."""
        step, tested = int(state.step), int(state.tested)
        best = Archive.from_padded(state.counts, state.numbers)
        species = Archive.from_padded(state.species, state.species_numbers)
        random = np.random.default_rng([task.seed, step])
        searched, around = _around(task, best, species, state.searched.cpu().numpy())
        children = _children(task, best, species, random)
        new = distinct_rows(around, children)
        after = best.merged(new, task.scorer, task.size, task.limit)
        kept = species.merged(new, task.scorer, SPECIES, _kind(task), whole=False)
        report = best.report(step, 1, task.size, tested, task.space)
        return _state(step + 1, after, kept, task, searched, tested + len(new)), report

    def candidates(self, problem: DesignProblem, task: SearchTask, state: State) -> Candidates:
        """The best formulas."""
        best = Archive.from_padded(state.counts, state.numbers)
        return best.candidates(task.size, task.space)


def _kind(task: SearchTask) -> Limit:
    """The limit of the archive of all kinds."""
    return KIND if task.space.scale == 1 else FRACTIONAL_KIND


def _children(task: SearchTask, best: Archive, species: Archive, random: np.random.Generator) -> np.ndarray:
    """New formulas (m, 118) that pass: half have parents among the best formulas, half among all species."""
    found = []
    for parents in (best.counts, species.counts):
        if len(parents) < task.size // 8:
            parents = distinct_rows(parents, task.starts) if len(parents) else task.starts
        drawn = task.operators.children(parents, DRAWS * CHILDREN // 2, random, PRESSURE)
        drawn = drawn[random.permutation(len(drawn))]
        found.append(drawn[task.space.passes(drawn)][: CHILDREN // 2])
    immigrants = task.operators.immigrants(DRAWS * IMMIGRANTS, random)
    immigrants = immigrants[random.permutation(len(immigrants))]
    found.append(immigrants[task.space.passes(immigrants)][:IMMIGRANTS])
    return distinct_rows(*found)


def _around(task: SearchTask, best: Archive, species: Archive, searched: np.ndarray) -> tuple[torch.Tensor, np.ndarray]:
    """Hashes of all searched formulas, one for each time, and the neighbours (m, 118) that pass of the next ones."""
    use_gradient = bool(settings_of_method(task.problem)["gradient"] == "yes")
    rows, scores = [], []
    for archive, most in ((best, PASSES), (species, 1)):
        passes = _times(hashes(archive.counts), searched)
        turn = np.where(passes < most, np.arange(len(passes)) + AGAIN * passes, np.inf)
        next_rows = np.argsort(turn, kind="stable")[: EXPLORED // 2]
        next_rows = next_rows[np.isfinite(turn[next_rows])]
        rows.append(archive.counts[next_rows])
        scores.append(archive.score[next_rows])
    counts, first = np.unique(np.concatenate(rows), axis=0, return_index=True)
    if not len(counts):
        return torch.from_numpy(searched), counts
    passes, score = _times(hashes(counts), searched), np.concatenate(scores)[first]
    near = distinct_rows(neighbours(task.operators, task.scorer, counts, score, passes, EACH, use_gradient))
    return torch.from_numpy(np.concatenate([searched, hashes(counts)])), near[task.space.passes(near)]


def _times(wanted: np.ndarray, searched: np.ndarray) -> np.ndarray:
    """How often (n,) each hash (n,) is among those of the searches so far (k,)."""
    searched = np.sort(searched)
    return np.searchsorted(searched, wanted, "right") - np.searchsorted(searched, wanted, "left")


def hashes(counts: np.ndarray) -> np.ndarray:
    """A hash (n,) int64 of each formula (n, 118)."""
    factors = np.random.default_rng(0).integers(-(2**62), 2**62, size=counts.shape[1])
    with np.errstate(over="ignore"):
        return (counts * factors).sum(1)


def _state(step: int, best: Archive, species: Archive, task: SearchTask, searched: torch.Tensor, tested: int) -> State:
    both = *best.padded(task.size), *species.padded(SPECIES)
    return State(torch.tensor(step), *both, searched, torch.tensor(tested))


GENERATOR = MemeticSearch()
