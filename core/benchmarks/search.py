"""Searches in the same time with the same models, screens and starts: ours, genetic search, C-ES, KIAGO and random."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from core.benchmarks import figures
from core.benchmarks.harness import CACHE, Outcome, cached, mean_and_spread, part_key
from core.benchmarks.kept_parts import KeptParts
from core.benchmarks.search_lines import FREE, MODES, NEAR_AND_NEW, NEW_ONES, Line, lines
from core.benchmarks.search_methods import GENETIC_SEARCH, METHODS, OURS, WITHOUT_GRADIENT, assess, search
from core.errors import InputError
from core.predictors.checkpoint import read_card
from core.predictors.registry import BEST, CONTROL, load_predictor
from core.reference_data.references import NAME as REFERENCES

RIVALS = tuple(name for name in METHODS if name not in (OURS, WITHOUT_GRADIENT))
MEASURES = ("objective_K", "tc_K", "control_tc_K", "formulas", "element_sets", "best_K", "highest_K", "base_tc_K")
POINTS = 20  # of each curve
VERSION = 2  # of the searches: another one makes all lines again
OWN_VERSION = 5  # of ours and of ours without gradient
SOON_S, MANY_SETS, SMALL_LOSS = 20.0, (10, 15), 0.1  # what the sentences count


@dataclass(frozen=True)
class SearchOptions:
    """Options of the benchmark of searches.

    seconds : time of each search
    seeds : number of seeds; the seeds are 0, 1, 2, ...
    bases : bases to include; empty: all
    methods : methods to include; empty: all
    rival_seconds : time of the genetic search whose end ours has to reach (seed 0); 0: the same as all others
    per_element_set : most formulas with the same elements in the lines of table 2; 0: any number
    margin_K : a rival that is behind ours by more than this with the first seed, in the mean objective and in the mean
        of the control model, has no further seeds; infinite: all have the same
    kept : file of finished searches, see `KeptParts`, read and added to; None: only the cache. The searches of one line
        with one seed are comparable only if they were made on one machine, one after the other: to make the table on
        several, first all lines with one seed, then with more
    device : auto, cpu, cuda or mps
    cache : folder of the finished searches, so that an interrupted benchmark resumes
    log : called with one line before each search

    Raises InputError for fewer than one seed, no time, or an unknown method.
    """

    seconds: float = 30.0
    seeds: int = 3
    bases: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    rival_seconds: float = 0.0
    per_element_set: int = 0
    margin_K: float = 0.5
    kept: Path | None = None
    device: str = "auto"
    predictor: str = "best"
    cache: Path = field(default_factory=lambda: CACHE)
    log: Callable[[str], None] = field(default=lambda line: None, compare=False)

    def __post_init__(self):
        if self.seeds < 1:
            raise InputError("seeds", self.seeds, "a mean needs at least one seed", "Choose 1 or more")
        if self.rival_seconds < 0:
            raise InputError("rival_seconds", self.rival_seconds, "a time is not negative", "Choose for example 60")
        if self.per_element_set < 0:
            raise InputError("per_element_set", self.per_element_set, "a number of formulas is not negative",
                             "Choose for example 2, or 0 for any number")  # fmt: skip
        if not self.margin_K >= 0:
            raise InputError("margin_K", self.margin_K, "a margin is not negative", "Choose for example 0.5 K, or inf")
        if not self.seconds > 0:
            raise InputError("seconds", self.seconds, "a search needs time", "Choose for example 30")
        if self.predictor != "best":
            raise InputError("predictor", self.predictor, "the searches need an expected error of Tc", "Choose best")
        for method in self.methods:
            if method not in METHODS:
                raise InputError("methods", method, "no such method", f"Choose from {', '.join(METHODS)}")

    @property
    def file_suffix(self) -> str:
        """The limit of formulas with the same elements, and the time of a longer rival, if there is one."""
        limit = f"-{self.per_element_set}-per-element-set" if self.per_element_set else ""
        return limit + (f"-against-{self.rival_seconds:g}-s" if self.rival_seconds else "")

    def checksums(self) -> dict[str, str]:
        """Name -> SHA-256 of every checkpoint that the figures depend on."""
        return {name: read_card(name)["sha256"] for name in (BEST.tc, BEST.formation_energy, CONTROL, REFERENCES)}

    def about(self) -> dict:
        """The options and checksums with which the figures were computed, as JSON data."""
        return {
            "seconds": self.seconds, "seeds": self.seeds, "bases": list(self.bases), "methods": list(self.methods),
            "per_element_set": self.per_element_set, "rival_seconds": self.rival_seconds,
            "margin_K": number(self.margin_K), "device": self.device, "threads": torch.get_num_threads(),
            "checkpoints": self.checksums(),
        }  # fmt: skip


def compare(options: SearchOptions) -> Outcome:
    """One row for each line and method: means over the seeds of the best 30 formulas by the objective."""
    load, rows, courses, targets = cache(load_predictor), [], {}, {}
    searches = _Searches(options, KeptParts(options.kept) if options.kept else None, load)
    for line in lines(options.bases, options.per_element_set):
        by_method: dict[str, list[dict]] = {}
        for method in sorted(options.methods or METHODS, key=lambda name: name != OURS):  # ours decides on seeds
            by_method[method] = found = searches.of_seeds(line, method, by_method.get(OURS, []))
            row: dict = {"kind": line.kind, "base": line.base, "method": method, "seeds": len(found)}
            for name in MEASURES:
                row[name], spread = mean_and_spread([number(each[name]) for each in found])
                if name in ("objective_K", "tc_K", "control_tc_K"):
                    row[name.replace("_K", "_spread_K")] = spread
            row["seconds"], _ = mean_and_spread([each["seconds"] for each in found])
            if options.per_element_set and method == OURS and line.kind in MODES:
                free = [searches.one(_without_limit(line), OURS, seed)["tc_K"] for seed in range(options.seeds)]
                row["tc_without_limit_K"], _ = mean_and_spread(free)
            courses[line.kind, line.base, method] = [each["course"] for each in found]
            rows.append(row)
        targets[line.kind, line.base] = _target(line, searches, courses)
    table = pd.DataFrame(rows)
    table["target_K"] = [targets[row["kind"], row["base"]] for row in rows]
    table["reached_s"] = [
        time_to(targets[row["kind"], row["base"]], courses[row["kind"], row["base"], row["method"]])
        if row["method"] in (OURS, WITHOUT_GRADIENT)
        else np.nan
        for row in rows
    ]
    return Outcome(table, sentences(table, options.rival_seconds), _figure(courses), options.about())


def sentences(table: pd.DataFrame, rival_seconds: float = 0.0) -> tuple[str, ...]:
    """How often ours is ahead of, equal to or behind the best other method, and what the gradient brings."""
    found = []
    if OURS not in set(table["method"]):
        return ()
    judged = table[table["kind"] != FREE]
    for column, by in (("objective", "By the objective"), ("control_tc", "By the control model")):
        ahead, equal, of = standing(judged, column, RIVALS)
        if of:
            found.append(
                f"{by}, memetic search is ahead of the best other method for {ahead} of {of} lines, equal for {equal} "
                f"and behind for {of - ahead - equal}; the free lines are not counted."
            )
    ours = table[table["method"] == OURS]
    free = ours[ours["kind"] == FREE]
    if len(free):
        above = int((free["highest_K"] > free["base_tc_K"]).sum())
        found.append(
            f"Free, the base not counted, memetic search has a formula above the base among its best 30 for {above} of "
            f"{len(free)} bases."
        )
    found += [*_not_above_sentence(ours), *_element_sets_sentences(ours)]
    ahead, equal, of = standing(judged, "objective", (WITHOUT_GRADIENT,))
    if of:
        found.append(
            f"With the gradient it is ahead of itself without for {ahead} of {of} lines, and behind for "
            f"{of - ahead - equal}."
        )
    return (*found, *_reached_sentences(ours, rival_seconds))


def _reached_sentences(ours: pd.DataFrame, rival_seconds: float) -> list[str]:
    """The time to what genetic search has, free lines apart. ours : rows of memetic search"""
    found, when = [], f"after {rival_seconds:g} s" if rival_seconds else "at the end"
    for which, rows in (("What", ours[ours["kind"] != FREE]), ("On the free lines, what", ours[ours["kind"] == FREE])):
        reached = rows.loc[rows["target_K"].notna(), "reached_s"]
        if len(reached):
            found.append(
                f"{which} genetic search has {when}, memetic search has {_after(reached.fillna(np.inf).median())} "
                f"(median of {len(reached)} lines): in {SOON_S:g} s or less for {int((reached <= SOON_S).sum())}, not "
                f"at all for {int(reached.isna().sum())}."
            )
    return found


def _after(seconds: float) -> str:
    return f"after {seconds:.1f} s" if np.isfinite(seconds) else "not within its time"


def _not_above_sentence(ours: pd.DataFrame) -> tuple[str, ...]:
    """The lines of new formulas without one above the base. ours : rows of memetic search"""
    new = ours[ours["kind"].isin((NEW_ONES, NEAR_AND_NEW))]
    none = new[~(new["highest_K"] > new["base_tc_K"])]
    if not len(new):
        return ()
    which = ", ".join(f"{row['base']} ({row['kind']})" for _, row in none.iterrows()) or "none"
    return (f"Of {len(new)} lines of new formulas, those without a formula above the base: {which}.",)


def _element_sets_sentences(ours: pd.DataFrame) -> tuple[str, ...]:
    """Sets of elements among the best, and what the limit costs, where there is one. ours : rows of memetic search"""
    if "tc_without_limit_K" not in ours:
        return ()
    limited = ours.dropna(subset=["tc_without_limit_K", "tc_K"])
    sets = limited["element_sets"]
    gain_K = limited["tc_without_limit_K"] - limited["base_tc_K"]
    loss = ((limited["tc_without_limit_K"] - limited["tc_K"]) / gain_K)[gain_K > 0]
    some, many = (f"{int((sets >= least).sum())} have {least} or more" for least in MANY_SETS)
    if not len(loss):
        return ()
    return (
        f"With the limit the best 30 have {sets.min():.0f} to {sets.max():.0f} sets of elements (median "
        f"{sets.median():.0f}); of {len(sets)} lines {some}, and {many}.",
        f"Of the gain in mean Tc over the base the limit costs {loss.median():.0%} (median of {len(loss)} lines with a "
        f"gain), and at most {SMALL_LOSS:.0%} for {int((loss <= SMALL_LOSS).sum())}.",
    )


def _without_limit(line: Line) -> Line:
    return replace(line, settings=replace(line.settings, per_element_set=0))


def standing(table: pd.DataFrame, column: str, rivals: tuple[str, ...]) -> tuple[int, int, int]:
    """Numbers of lines where ours is ahead of the best of the rivals and where it is equal, and of all lines.

    Equal: the means differ by no more than the larger of both spreads. Lines without ours or any rival are left out; a
    method without formulas loses.
    """
    ahead = equal = of = 0
    for _, rows in table.groupby(["kind", "base"]):
        ours, others = rows[rows["method"] == OURS], rows[rows["method"].isin(rivals)]
        if not len(ours) or not len(others):
            continue
        of += 1
        value = ours[f"{column}_K"].fillna(-np.inf).iloc[0]
        best = others.loc[others[f"{column}_K"].fillna(-np.inf).idxmax()]
        rival = -np.inf if np.isnan(best[f"{column}_K"]) else best[f"{column}_K"]
        spread = np.nanmax([ours[f"{column}_spread_K"].iloc[0], best[f"{column}_spread_K"], 0.0])
        if value == rival or abs(value - rival) <= spread:
            equal += 1
        elif value > rival:
            ahead += 1
    return ahead, equal, of


@dataclass(frozen=True)
class _Searches:
    """The searches of a benchmark: finished ones from the file or the cache, others carried out."""

    options: SearchOptions
    kept: KeptParts | None
    load: Callable

    def of_seeds(self, line: Line, method: str, ours: list[dict]) -> list[dict]:
        """The figures of all seeds, or of the first one alone, see `margin_K`. ours : figures of ours, if known"""
        found = [self.one(line, method, 0)]
        if method in RIVALS and ours and far_behind(found[0], ours[0], self.options.margin_K):
            return found
        return found + [self.one(line, method, seed) for seed in range(1, self.options.seeds)]

    def one(self, line: Line, method: str, seed: int, seconds: float | None = None) -> dict:
        """The figures of one search. seconds : its time, if it is another than that of all"""
        options, seconds = self.options, seconds or self.options.seconds
        version = OWN_VERSION if method in (OURS, WITHOUT_GRADIENT) else VERSION
        depends_on = [
            f"search {line.kind}", line.base, f"{method}, seed {seed}", seconds, torch.get_num_threads(), version,
            line.problem(seed, options.device).to_json(),
        ]  # fmt: skip

        def make() -> dict:
            found = search(method, line, seed, seconds, self.load, options.device)
            assessed = assess(found, line, self.load, options.device)
            figures_of = {name: number(value) for name, value in asdict(assessed).items()}
            return figures_of | {"seconds": found.seconds, "course": _thinned(found.course)}

        key = part_key(depends_on, options)
        result = None if self.kept is None else self.kept.get(key)
        if result is None:
            result = cached(depends_on, options, make)
            if self.kept is not None:
                self.kept.add(key, ", ".join(map(str, depends_on[:4])) + " s", result)
        return result


def far_behind(rival: dict, ours: dict, margin_K: float) -> bool:
    """Whether a rival is behind ours by more than the margin, in the objective and by the control model.

    Without formulas it is behind by an infinite amount.
    """
    for name in ("objective_K", "control_tc_K"):
        if ours[name] is None:
            return False
        behind_K = np.inf if rival[name] is None else ours[name] - rival[name]
        if not behind_K > margin_K:
            return False
    return True


def number(value: float | None) -> float | None:
    """A number for JSON; None for NaN."""
    return None if value is None or not np.isfinite(value) else float(value)


def _thinned(course: tuple[tuple[float, float], ...]) -> list[tuple[float, float]]:
    """At most POINTS points of a curve, without those that have no value."""
    finite = [point for point in course if np.isfinite(point[1])]
    places = np.unique(np.linspace(0, len(finite) - 1, min(POINTS, len(finite))).round().astype(int))
    return [(round(finite[place][0], 2), round(finite[place][1], 4)) for place in places] if finite else []


def _target(line: Line, searches: _Searches, courses: dict) -> float:
    """What genetic search has at the end of `rival_seconds`, or of its own time; NaN if it is not among the methods."""
    if seconds := searches.options.rival_seconds:
        ends = [searches.one(line, GENETIC_SEARCH, 0, seconds)["course"]]
    else:
        ends = courses.get((line.kind, line.base, GENETIC_SEARCH), [])
    return float(np.mean([course[-1][1] for course in ends])) if ends and all(ends) else float("nan")


def time_to(target: float, courses: list[list]) -> float:
    """Median of the seconds until the curves are at a value; NaN if most of them never are.

    courses : for each seed, points (seconds, value)
    """
    times = [next((t for t, value in course if value >= target), np.inf) for course in courses]
    median = float(np.median(times)) if times else float("nan")
    return median if np.isfinite(median) else float("nan")


def _figure(courses: dict) -> dict:
    """The mean over all lines of the objective against time, for the methods that have a curve."""
    series = {}
    for method in dict.fromkeys(key[2] for key in courses):
        by_line = [[course for course in found if course] for key, found in courses.items() if key[2] == method]
        by_line = [curves for curves in by_line if curves]
        if not by_line:
            continue
        times = np.linspace(0, max(course[-1][0] for curves in by_line for course in curves), POINTS)[1:]
        # First over the seeds: some lines have more seeds than others.
        at = [np.mean([[_value_at(course, t) for t in times] for course in curves], axis=0) for curves in by_line]
        series[method] = (times.tolist(), np.mean(at, axis=0).tolist())
    return figures.lines(series, "seconds", "objective of the best 30 (K)")


def _value_at(course: list, t: float) -> float:
    """The value of a curve at a time; its first one before."""
    before = [value for when, value in course if when <= t]
    return before[-1] if before else course[0][1]
