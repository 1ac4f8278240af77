"""From a campaign to its runs: every combination of values as a problem, checked, with its content key."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from core.campaigns.axes import with_values
from core.campaigns.campaign import Campaign
from core.errors import InputError
from core.generation.registry import registration
from core.generation.validation import check
from core.problem.problem import DesignProblem
from core.runs.keyed_runs import checkpoints_of, checksums_of, run_key


@dataclass(frozen=True)
class PlannedRun:
    """One run of a campaign.

    key : its content key, the name of its folder
    problem : the problem, without errors
    values : name of each axis -> its value
    """

    key: str
    problem: DesignProblem
    values: Mapping[str, Any]


def planned_runs(campaign: Campaign) -> tuple[PlannedRun, ...]:
    """All runs of a campaign, in the order of its axes; the last axis, the seed, changes fastest.

    Raises InputError with the first error of a problem and the values of its run, for two combinations that are the
    same problem, and for a limit of time on a method that cannot stop early; CheckpointError for a missing checkpoint.
    """
    names = [axis.name for axis in campaign.axes]
    checked: set[str] = set()
    checksums: dict[tuple[str, ...], dict[str, str]] = {}
    runs: dict[str, PlannedRun] = {}
    for combination in itertools.product(*(axis.values for axis in campaign.axes)):
        values = dict(zip(names, combination, strict=True))
        problem = _problem(values, campaign, checked)
        needed = checkpoints_of(problem)
        if needed not in checksums:
            checksums[needed] = checksums_of(problem)
        run = PlannedRun(run_key(problem, checksums[needed]), problem, values)
        if run.key in runs:
            raise InputError("campaign", described(values, campaign), "another combination of values is the same "
                             "problem", "Remove one of the values")  # fmt: skip
        runs[run.key] = run
    return tuple(runs.values())


def described(values: Mapping[str, Any], campaign: Campaign) -> str:
    """The values of the fields that vary in a campaign, as text: "base LaFeAsO, seed 1"."""
    varied = [name for name in values if name in campaign.varied] or list(values)[:1]
    return ", ".join(f"{name.partition('.')[2] or name} {value_text(values[name])}" for name in varied)


def value_text(value: Any) -> str:
    """A value of an axis as text: itself if it is text, otherwise JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _problem(values: Mapping[str, Any], campaign: Campaign, checked: set[str]) -> DesignProblem:
    """The problem of these values. checked : the problems found without errors, whatever their seed; one is added"""
    try:
        problem = DesignProblem.from_json(json.dumps(with_values(values)))
        identity = _without_seed(problem)
        if identity not in checked:
            for error in check(problem) or _limit_errors(problem, campaign):
                raise error
    except InputError as error:
        rule = f"{error.rule} (in the run with {described(values, campaign)})"
        raise InputError(error.field, error.value, rule, error.remedy, error.position, error.suggestions) from None
    checked.add(identity)
    return problem


def _without_seed(problem: DesignProblem) -> str:
    """Text that is the same for problems that differ in a valid seed only: checking takes milliseconds."""
    seed = problem.seed
    valid = isinstance(seed, int) and not isinstance(seed, bool) and 0 <= seed < 2**32
    return (replace(problem, seed=0) if valid else problem).to_json()


def _limit_errors(problem: DesignProblem, campaign: Campaign) -> list[InputError]:
    minutes = campaign.limits.minutes_per_run
    if minutes is None or registration(problem.method).can_stop:
        return []
    return [InputError("minutes_per_run", f"{minutes:g}", f"{problem.method} has no formulas before its last step, "
                       "so that a limit of time cannot keep any", "Remove the limit, or this method")]  # fmt: skip
