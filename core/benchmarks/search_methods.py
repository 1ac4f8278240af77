"""The methods of the benchmark of searches, each within a time limit: formulas, and the curve of the best against time.

The clock runs from the preparation of the task until the last formula; loading the models and assessing the formulas
are not counted. A method stops before a step that would probably end after the limit. KIAGO, which has formulas only
at its end, gets as many candidates and steps as end within the time.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch

from core.benchmarks.search_lines import Line
from core.errors import InputError
from core.evaluation.demands import surplus
from core.evaluation.design import Design, Load, prepare
from core.generation.gradient.batch_parallel import BatchParallel
from core.generation.interface import PropertyPredictors
from core.generation.loop import run_steps
from core.generation.registry import GENETIC, GRADIENT, MEMETIC, SUBSTITUTION, settings_of_method
from core.generation.search.archive import Archive
from core.generation.search.formula_space import in_lowest_terms
from core.generation.search.scoring import ROWS, Scorer
from core.generation.search.setting import SearchTask
from core.generation.search.setting import prepare as prepare_search
from core.predictors.device import resolve_device
from core.problem.presets import PAPER
from core.problem.problem import DesignProblem

OURS, WITHOUT_GRADIENT, GENETIC_SEARCH = "memetic search", "memetic, no gradient", "genetic search"
C_ES, KIAGO, RANDOM = "C-ES", "KIAGO", "random"
KEPT, TOP = 512, 30  # formulas that are kept; formulas whose mean counts
LONG = 5_000  # steps that no method reaches within the time
BATCH = 512  # candidates of one call of C-ES, and random formulas drawn together
GUESSES = 256  # initial guesses among the starts, as in a search
KIAGO_CANDIDATES, FEWEST_CANDIDATES = 256, 16  # as many as the default design; fewer if the time is too short
STAGE_STEPS = (75, 500)  # fewest steps of each stage, those of the default design, and most, those of KIAGO 3.1
TRIAL_STEPS = (4, 4)  # of KIAGO, from which the number of steps within the time follows
SHARE_OF_TIME = 0.9  # for steps and rounding as long as in the trial


@dataclass
class Clock:
    """Time since the start."""

    limit_s: float
    started: float = field(default_factory=time.perf_counter)
    last_s: float = 0.0  # end of the last step

    @property
    def now_s(self) -> float:
        """Seconds so far."""
        return time.perf_counter() - self.started

    def permits_another(self) -> bool:
        """Whether another step as long as the one that has just ended is within the limit. Call it after each step."""
        now = self.now_s
        length, self.last_s = now - self.last_s, now
        return now + length <= self.limit_s


@dataclass(frozen=True)
class Found:
    """What a method found: formulas (n, 118), seconds, and (seconds, mean objective of the best TOP) so far."""

    counts: np.ndarray
    seconds: float
    course: tuple[tuple[float, float], ...]


def search(method: str, line: Line, seed: int, seconds: float, load: Load, device: str) -> Found:
    """Carry out a method on a line. Raises InputError for an unknown method."""
    if method not in METHODS:
        raise InputError("methods", method, "the benchmark has no such method", f"Choose {', '.join(METHODS)}")
    return METHODS[method](line, seed, seconds, load, device)


def default_run(line: Line, seed: int, load: Load, device: str) -> Found:
    """The default search with its default number of rounds, however long it takes."""
    rounds = int(settings_of_method(line.problem(seed, device, method=MEMETIC))["rounds"])
    return _of_generator(MEMETIC, {}, rounds)(line, seed, math.inf, load, device)


def _of_generator(method: str, own: dict, steps: int = LONG) -> Callable[..., Found]:
    """A search that works on an archive of formulas, stopped at the time limit or after a number of steps."""

    def run(line: Line, seed: int, seconds: float, load: Load, device: str) -> Found:
        for name in (line.problem(0, device).tc_predictor, line.problem(0, device).formation_energy_predictor):
            load(name)
        clock, course = Clock(seconds), []
        design = prepare(line.problem(seed, device, method=method, method_settings=own), load)

        def on_step(state, report) -> bool:
            course.append((clock.now_s, _mean(state.numbers[:, -1].numpy())))
            return clock.permits_another()

        state, _ = run_steps(design.generator, design.task, steps, on_step=on_step)
        return Found(_counts(design, state), clock.now_s, tuple(course))

    return run


def _kiago(line: Line, seed: int, seconds: float, load: Load, device: str) -> Found:
    """KIAGO with the published settings, and candidates and steps that end within the time, see `kiago_size`."""
    settings = replace(
        PAPER, candidates=KIAGO_CANDIDATES, steps=TRIAL_STEPS, risk_aversion=line.settings.risk_aversion,
        formation_energy_weight=line.settings.formation_energy_weight, n_unit=line.settings.n_unit,
        max_elements=line.settings.max_elements, fractional_elements=line.settings.fractional_elements,
    )  # fmt: skip
    names = ("novelty", "least_distance", "change", "most_changed", "mutate_probability", "perturb_ratio")
    settings = replace(settings, **{name: getattr(line.settings, name) for name in names})
    problem = line.problem(seed, device, settings=settings, method=GRADIENT)
    candidates, steps = kiago_size(seconds, *_trial(problem, load))
    clock = Clock(seconds)
    design = prepare(replace(problem, settings=replace(settings, candidates=candidates, steps=(steps, steps))), load)
    state, _ = run_steps(
        design.generator, design.task, 2 * steps, on_step=lambda state, report: clock.now_s < clock.limit_s
    )
    return Found(_counts(design, state), clock.now_s, ())


def _trial(problem: DesignProblem, load: Load) -> tuple[float, float]:
    """Seconds of one step in both stages together, and of the preparation and the rounding, of a KIAGO problem."""
    began = time.perf_counter()
    trial = prepare(problem, load)
    prepared_s = time.perf_counter() - began
    run_steps(trial.generator, trial.task, 1)  # the first step allocates memory
    began = time.perf_counter()
    state, _ = run_steps(trial.generator, trial.task, sum(TRIAL_STEPS))
    steps_s = (time.perf_counter() - began) / TRIAL_STEPS[0]
    began = time.perf_counter()
    _counts(trial, state)
    return steps_s, prepared_s + time.perf_counter() - began


def kiago_size(seconds: float, steps_s: float, rest_s: float) -> tuple[int, int]:
    """Number of candidates, and of steps in each stage, of KIAGO within a time.

    steps_s : seconds of one step in each of both stages, with KIAGO_CANDIDATES
    rest_s : seconds of preparation and rounding

    Both are taken as proportional to the candidates. Beyond the most steps there are more candidates instead, up to
    the published number; below the fewest steps, fewer candidates.
    """
    fewest, most = STAGE_STEPS
    left = SHARE_OF_TIME * seconds - rest_s
    steps = int(left / steps_s)
    if fewest <= steps <= most:
        return KIAGO_CANDIDATES, steps
    steps = min(max(steps, fewest), most)
    share = SHARE_OF_TIME * seconds / (steps * steps_s + rest_s)
    candidates = int(KIAGO_CANDIDATES * share)
    return min(max(candidates, FEWEST_CANDIDATES), PAPER.candidates), steps


def _c_es(line: Line, seed: int, seconds: float, load: Load, device: str) -> Found:
    """C-ES: batches of random substitutions with different seeds; the best formulas of all batches are kept."""
    settings = replace(line.settings, candidates=BATCH, added_elements=(1, 2), fractional_elements=0)
    fields: dict[str, Any] = {"settings": settings, "method": SUBSTITUTION}
    if floors := line.fields.get("floors"):  # it keeps the amounts of the base
        base = line.problem(0, device).base_fractions()
        fields |= {"floors": {}, "fixed": {symbol: base[symbol] for symbol in floors}}

    def batches(task: SearchTask, number: int) -> np.ndarray:
        design = prepare(line.problem(seed + 1000 * (number + 1), device, **fields), load)
        state, _ = run_steps(design.generator, design.task, 1)
        return _counts(design, state)

    return _in_batches(line, seed, seconds, load, device, batches)


def _random(line: Line, seed: int, seconds: float, load: Load, device: str) -> Found:
    """Random formulas of elements drawn by frequency; where elements are fixed, random changes of the starts."""

    def batches(task: SearchTask, number: int) -> np.ndarray:
        random = np.random.default_rng([seed, number])
        drawn = task.operators.immigrants(8 * BATCH, random)
        return drawn if len(drawn) else task.operators.children(task.starts, 8 * BATCH, random)

    return _in_batches(line, seed, seconds, load, device, batches)


def _in_batches(
    line: Line, seed: int, seconds: float, load: Load, device: str, batch: Callable[[SearchTask, int], np.ndarray]
) -> Found:
    """The best formulas of batches of formulas that do not depend on each other."""
    problem = line.problem(seed, device)
    where = resolve_device(device)
    predictors = PropertyPredictors(
        load(problem.tc_predictor).to(where), load(problem.formation_energy_predictor).to(where), where
    )
    clock, course = Clock(seconds), []
    task = prepare_search(problem, predictors, KEPT, GUESSES)
    best, number, going_on = Archive.empty(), 0, True
    while going_on:
        counts = batch(task, number)
        counts = np.unique(counts[task.space.passes(counts)], axis=0)
        best, number = best.merged(counts, task.scorer, KEPT), number + 1
        course.append((clock.now_s, _mean(best.score)))
        going_on = clock.permits_another()
    return Found(best.counts, clock.now_s, tuple(course))


def _counts(design: Design, state: object) -> np.ndarray:
    return in_lowest_terms(design.generator.candidates(design.problem, design.task, state).rounded.counts)


def _mean(score: np.ndarray) -> float:
    """Mean of the TOP highest scores; NaN without any."""
    finite = np.sort(score[np.isfinite(score)])[::-1][:TOP]
    return float(finite.mean()) if len(finite) else float("nan")


@dataclass(frozen=True)
class Assessed:
    """The best TOP formulas by the objective, of those that pass everything; without the base.

    objective_K, tc_K, control_tc_K : means in K, NaN without formulas
    formulas : number of formulas that pass; element_sets : of different elements among the best
    best_K : Tc of the formula with the highest objective
    highest_K : highest Tc of the best formulas
    base_tc_K : predicted Tc of the base
    """

    objective_K: float
    tc_K: float
    control_tc_K: float
    formulas: int
    element_sets: int
    best_K: float
    highest_K: float
    base_tc_K: float


def assess(found: Found, line: Line, load: Load, device: str) -> Assessed:
    """Screen and rank the formulas of a method by exact predictions, the same way for every method."""
    from core.predictors.control_model import load_control_model

    where, problem = resolve_device(device), line.problem(0, device)
    tc, energy = (load(name).to(where) for name in (problem.tc_predictor, problem.formation_energy_predictor))
    predictors = PropertyPredictors(tc, energy, where)
    task = prepare_search(problem, predictors, KEPT, 1)
    counts = np.unique(found.counts, axis=0)
    counts = counts[task.space.passes(counts)]
    x = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    counts = counts[np.abs(x - task.space.base).sum(1) > 1e-9]
    exact = Exact(predictors, task.scorer.settings, BatchParallel(torch.get_num_threads(), ROWS))
    values = exact.full(counts) if len(counts) else Archive.empty().values
    score = exact.score(values)
    order = np.argsort(-score, kind="stable")
    order = order[np.isfinite(score[order])]
    order = order[~surplus(counts[order] > 0, line.settings.per_element_set)]
    best = order[:TOP]
    base_tc = float(predictors.predict(task.space.base[None])[0][0])
    if not len(best):
        nothing = float("nan")
        return Assessed(nothing, nothing, nothing, 0, 0, nothing, nothing, base_tc)
    chosen = counts[best]
    control = load_control_model().tc_K(chosen / chosen.sum(1, keepdims=True))
    sets = len(np.unique(chosen > 0, axis=0))
    means = (float(each.mean()) for each in (score[best], values.tc_K[best], control))
    tc_of_best = values.tc_K[best]
    return Assessed(*means, len(order), sets, float(tc_of_best[0]), float(tc_of_best.max()), base_tc)


class Exact(Scorer):
    """A scorer with the predictors themselves instead of their versions for ranking."""

    def __post_init__(self):
        self._tc, self._energy, self._rough = self.predictors.tc, self.predictors.formation_energy, None


METHODS: dict[str, Callable[..., Found]] = {
    OURS: _of_generator(MEMETIC, {"rounds": LONG, "kept": KEPT}),
    WITHOUT_GRADIENT: _of_generator(MEMETIC, {"rounds": LONG, "kept": KEPT, "gradient": "no"}),
    GENETIC_SEARCH: _of_generator(GENETIC, {"generations": LONG, "population": KEPT}),
    C_ES: _c_es,
    KIAGO: _kiago,
    RANDOM: _random,
}
