"""The runs that a design comes from. Pure functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.errors import InputError
from core.problem.origin import Origin
from core.problem.problem import DesignProblem

MOST = 20  # generations that are followed


@dataclass(frozen=True)
class Ancestor:
    """One run in a lineage: its origin in the run before, and the formula that became the base there.

    origin : the candidate of this run that the next one started from
    base : base of this run; None if the run is no longer there or damaged
    """

    origin: Origin
    base: str | None


def ancestors(problem: DesignProblem, problem_of: Callable[[str], DesignProblem | None]) -> list[Ancestor]:
    """The runs before a problem, the oldest first. problem_of : id of a run -> its problem, None if there is none"""
    found: list[Ancestor] = []
    seen: set[str] = set()
    origin = problem.origin
    while origin is not None and origin.run not in seen and len(found) < MOST:
        seen.add(origin.run)
        try:
            before = problem_of(origin.run)
        except InputError:  # damaged
            before = None
        found.insert(0, Ancestor(origin, before.base if before else None))
        origin = before.origin if before else None
    return found
