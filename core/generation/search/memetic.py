"""Memetic search: a genetic algorithm over two archives, joined with local search on the integer grid.

One archive holds the best formulas, the other the best few of every kind, which is the set of their main elements, so
that the search does not end in the first good family of materials. Parents come from both, and in every round random
formulas join them: from LaNiAsO, mutations alone do not reach cuprates. The best formulas whose neighbourhood was not
searched yet are followed by their most promising neighbours, ordered by the gradient of the objective, and later again
by their next ones. Where the Tc predictor has a faster version, more formulas are offered than are predicted, and that
version chooses among them, together with a linear fit of the energies of both archives.
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
from core.generation.search.energy_fit import EnergyFit
from core.generation.search.formula_space import distinct_rows
from core.generation.search.local_moves import neighbours
from core.generation.search.setting import SearchTask
from core.problem.problem import DesignProblem
from core.problem.settings import NEUTRAL, OptimiserSettings

GUESSES = 128
PRESSURE = 1.5  # preference for the best parents, see `Operators.children`
DRAWS = 4  # children drawn for each one that is needed: many are charged
OFFERED = 4  # formulas for each one that is predicted, where these are preselected
# Share of the predicted formulas that is taken as drawn: at the end formulas differ by less than their promise errs.
UNORDERED = 1 / 3
SPECIES = 512  # formulas of the archive of all kinds
KIND = Limit(12, share=0.15)  # most formulas of one kind, and the fraction above which an element determines the kind
FRACTIONAL_KIND = Limit(6, share=0.05)  # the same for fractional amounts: an element that dopes makes a kind too
CHILDREN, IMMIGRANTS = 768, 96  # predicted in a round: changed formulas, and random ones
PRESELECTED, PRESELECTED_IMMIGRANTS = 256, 32  # the same, where they are preselected
OF_ONE_KIND = Limit(4, share=0.15)  # most formulas of one kind that are preselected among the children of all kinds
EXPLORED, EACH = 8, 32  # formulas whose neighbours are searched, and how many neighbours of each
EACH_OFFERED, NEIGHBOURS = 128, 96  # where they are preselected: neighbours of each that are offered, and of all chosen
SEEN = 2**18  # the last formulas predicted, which are not predicted again
PASSES = 4  # times that the neighbours of one of the best formulas are searched, each time the next ones
AGAIN = 120  # places: a formula is searched again when those that are so far below it have been searched once less


@dataclass(frozen=True)
class State:
    """Both archives.

    step : () int64, rounds
    counts, numbers : (size, 118), (size, 5) the best formulas, see `Archive.padded`
    species, species_numbers : (SPECIES, 118), (SPECIES, 5) the best of every kind
    searched : (k,) int64, hashes of the formulas whose neighbourhood was searched
    seen : (k,) int64, hashes of the last SEEN formulas that were predicted
    tested : () int64, formulas predicted so far
    """

    step: torch.Tensor
    counts: torch.Tensor
    numbers: torch.Tensor
    species: torch.Tensor
    species_numbers: torch.Tensor
    searched: torch.Tensor
    seen: torch.Tensor
    tested: torch.Tensor


@dataclass(frozen=True)
class Earlier:
    """What earlier rounds found, by which offered formulas are chosen.

    seen : hashes (k,) of the formulas that are not offered again
    energy : fit to the formulas of both archives
    """

    seen: np.ndarray
    energy: EnergyFit


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
        return _state(0, best, species, task, np.zeros(0, np.int64), hashes(passing), len(passing))

    def step(self, task: SearchTask, state: State) -> tuple[State, Report]:
        """One round; the report is of the best formulas before it."""
        task.scorer.forget()  # a resumed run has no memory
        step, tested = int(state.step), int(state.tested)
        best = Archive.from_padded(state.counts, state.numbers)
        species = Archive.from_padded(state.species, state.species_numbers)
        seen = state.seen.cpu().numpy()
        random = np.random.default_rng([task.seed, step])
        earlier = Earlier(seen, _energy(best, species))
        searched, around = _around(task, best, species, state.searched.cpu().numpy())
        around = around[random.permutation(len(around))]
        chosen = _chosen(task, around, NEIGHBOURS, earlier)
        new = distinct_rows(chosen, *_children(task, best, species, earlier, random))
        after = best.merged(new, task.scorer, task.size, task.limit)
        kept = species.merged(new, task.scorer, SPECIES, _kind(task), whole=False)
        report = best.report(step, 1, task.size, tested, task.space)
        seen = np.concatenate([seen, hashes(new)])[-SEEN:]
        return _state(step + 1, after, kept, task, searched, seen, tested + len(new)), report

    def candidates(self, problem: DesignProblem, task: SearchTask, state: State) -> Candidates:
        """The best formulas."""
        best = Archive.from_padded(state.counts, state.numbers)
        return best.candidates(task.size, task.space)


def _kind(task: SearchTask) -> Limit:
    """The limit of the archive of all kinds."""
    return KIND if task.space.scale == 1 else FRACTIONAL_KIND


def _energy(best: Archive, species: Archive) -> EnergyFit:
    """The fit to the formulas of both archives; what is in both counts twice, by one member and by all."""
    energies = [archive.values.energy_eV_per_atom for archive in (best, species)]
    return EnergyFit.of(np.concatenate([best.counts, species.counts]), np.concatenate(energies))


def _children(
    task: SearchTask, best: Archive, species: Archive, earlier: Earlier, random: np.random.Generator
) -> list[np.ndarray]:
    """New formulas (m, 118) that pass: of parents among the best, of parents among all kinds, and random ones."""
    preselects = task.scorer.preselects
    children, immigrants = (PRESELECTED, PRESELECTED_IMMIGRANTS) if preselects else (CHILDREN, IMMIGRANTS)
    times = OFFERED if preselects else 1
    found = []
    for parents, limit in ((best.counts, None), (species.counts, OF_ONE_KIND)):
        if len(parents) < task.size // 8:
            parents = distinct_rows(parents, task.starts) if len(parents) else task.starts
        drawn = task.operators.children(parents, DRAWS * times * children // 2, random, PRESSURE)
        drawn = _passing(task, drawn, times * children // 2, random)
        found.append(_chosen(task, drawn, children // 2, earlier, limit))
    drawn = task.operators.immigrants(DRAWS * times * immigrants, random)
    found.append(_chosen(task, _passing(task, drawn, times * immigrants, random), immigrants, earlier))
    return found


def _passing(task: SearchTask, drawn: np.ndarray, most: int, random: np.random.Generator) -> np.ndarray:
    """At most `most` of the drawn formulas (n, 118) that pass, in random order."""
    drawn = drawn[random.permutation(len(drawn))]
    return drawn[task.space.passes(drawn)][:most]


def _chosen(
    task: SearchTask, offered: np.ndarray, most: int, earlier: Earlier, limit: Limit | None = None
) -> np.ndarray:
    """The most promising formulas (m, 118) of those offered (n, 118) that were not seen; all, without a preselection.

    offered : in random order; the first ones are taken, see UNORDERED
    limit : largest number of formulas of one kind
    """
    new = offered[~np.isin(hashes(offered), earlier.seen)]
    if not task.scorer.preselects or len(new) <= most:
        return new
    drawn = int(UNORDERED * most)
    first, others = new[:drawn], new[drawn:]
    others = others[np.argsort(-task.scorer.promise(others, earlier.energy), kind="stable")]
    if limit is not None:
        within = limit.within(others)
        others = np.concatenate([others[within], others[~within]])
    return np.concatenate([first, others[: most - drawn]])


def _around(task: SearchTask, best: Archive, species: Archive, searched: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
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
        return searched, counts
    passes, score = _times(hashes(counts), searched), np.concatenate(scores)[first]
    each = EACH_OFFERED if task.scorer.preselects else EACH
    near = distinct_rows(neighbours(task.operators, task.scorer, counts, score, passes, each, use_gradient))
    return np.concatenate([searched, hashes(counts)]), near[task.space.passes(near)]


def _times(wanted: np.ndarray, searched: np.ndarray) -> np.ndarray:
    """How often (n,) each hash (n,) is among those of the searches so far (k,)."""
    searched = np.sort(searched)
    return np.searchsorted(searched, wanted, "right") - np.searchsorted(searched, wanted, "left")


def hashes(counts: np.ndarray) -> np.ndarray:
    """A hash (n,) int64 of each formula (n, 118)."""
    factors = np.random.default_rng(0).integers(-(2**62), 2**62, size=counts.shape[1])
    with np.errstate(over="ignore"):
        return (counts * factors).sum(1)


def _state(
    step: int, best: Archive, species: Archive, task: SearchTask, searched: np.ndarray, seen: np.ndarray, tested: int
) -> State:
    both = *best.padded(task.size), *species.padded(SPECIES)
    return State(torch.tensor(step), *both, torch.from_numpy(searched), torch.from_numpy(seen), torch.tensor(tested))


GENERATOR = MemeticSearch()
