"""A campaign: the problem of a design with lists of values, what is kept of each run, and limits; to and from JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from math import prod
from pathlib import Path
from typing import Any

from core.campaigns.axes import BASE, Axis, read_axes
from core.campaigns.bases import read_bases
from core.errors import InputError
from core.problem.settings import is_number

SCHEMA = 1
(TRAJECTORY,) = KEEPABLE = ("trajectory",)


@dataclass(frozen=True)
class Limits:
    """Limits of a campaign.

    runs : largest number of runs; a campaign with more is refused before it starts
    retries : how often a run that ended without a result is tried again by one command, each time from its resume point
    minutes_per_run : working time after which a run stops and keeps its candidates so far; None: no limit. What such a
        run finds depends on the speed of the machine

    Raises InputError for values outside these meanings.
    """

    runs: int = 10_000
    retries: int = 2
    minutes_per_run: float | None = None

    def __post_init__(self):
        for name, least in (("runs", 1), ("retries", 0)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise InputError(name, value, f"the limit must be a whole number of {least} or more", "Correct it")
        minutes = self.minutes_per_run
        if minutes is not None and (not is_number(minutes) or minutes <= 0):
            raise InputError("minutes_per_run", minutes, "the limit must be a number above 0, or null", "Correct it")


@dataclass(frozen=True)
class Campaign:
    """Many problems that differ in some fields. Every combination of values is one run.

    axes : the fields of the problem with their values, the base first and the seed last
    keep : what is kept of a finished run beside its problem, records and results: "trajectory", every candidate at 200
        steps, which is most of the bytes
    limits : see `Limits`
    threads : threads of each run; the same number gives the same candidates

    Raises InputError for a campaign without a base, with more runs than its limit, or with unknown parts to keep.
    """

    axes: tuple[Axis, ...]
    keep: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    threads: int = 1

    def __post_init__(self):
        if BASE not in {axis.name for axis in self.axes}:
            raise InputError(BASE, None, "a campaign needs base materials", 'Write {"problem": {"base": ["LaFeAsO"]}}')
        for part in self.keep:
            if part not in KEEPABLE:
                raise InputError("keep", part, "a run has no such part", f"Choose {', '.join(KEEPABLE)}")
        if isinstance(self.threads, bool) or not isinstance(self.threads, int) or self.threads < 1:
            raise InputError("threads", self.threads, "the number of threads must be 1 or more", "Write 1")
        if self.n_runs > self.limits.runs:
            raise InputError("runs", f"{self.n_runs:,} runs", f"the limit of this campaign is {self.limits.runs:,}",
                             'Raise it: {"limits": {"runs": ...}}, or give fewer values')  # fmt: skip

    @property
    def n_runs(self) -> int:
        """Number of runs: the product of the numbers of values."""
        return prod(len(axis.values) for axis in self.axes)

    @property
    def varied(self) -> tuple[str, ...]:
        """Names of the axes with more than one value."""
        return tuple(axis.name for axis in self.axes if len(axis.values) > 1)

    def to_json(self) -> str:
        """The campaign as JSON text, with the list of all bases; `read_campaign` restores an equal campaign."""
        problem: dict[str, Any] = {}
        for axis in self.axes:
            part, _, setting = axis.name.partition(".")
            place = problem.setdefault(part, {}) if setting else problem
            place[setting or part] = list(axis.values) if len(axis.values) > 1 else axis.values[0]
        content = {"schema": SCHEMA, "problem": problem, "keep": self.keep, "limits": asdict(self.limits),
                   "threads": self.threads}  # fmt: skip
        return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def read_campaign(text: str, folder: Path) -> Campaign:
    """A campaign from JSON text.

    folder : of the file, from which the path of a CSV file of bases starts

    Raises InputError for invalid JSON, a newer schema, unknown fields, and as `Campaign`, `Limits` and `Axis`.
    """
    try:
        given = json.loads(text)
    except ValueError as error:
        raise InputError("campaign", text[:40], f"the text is not valid JSON ({error})", "Correct it") from None
    known = {f.name for f in fields(Campaign)} - {"axes"} | {"schema", "problem"}
    if not isinstance(given, dict) or not isinstance(given.get("problem"), dict):
        raise InputError("campaign", text[:40], "a campaign needs a problem",
                         'Write {"problem": {"base": ["LaFeAsO", "MgB2"], "seed": [0, 1, 2]}}')  # fmt: skip
    for name in given.keys() - known:
        raise InputError("campaign", name, "unknown field", f"Known fields: {', '.join(sorted(known))}")
    schema = given.get("schema", SCHEMA)
    if schema != SCHEMA:
        raise InputError("schema", schema, f"this version reads campaigns of schema {SCHEMA}", "Update Tc Studio")
    problem = {name: value for name, value in given["problem"].items() if name != "schema"}
    if BASE in problem:
        problem[BASE] = list(read_bases(problem[BASE], folder))
    chosen: dict[str, Any] = {name: given[name] for name in ("threads",) if name in given}
    if "keep" in given:
        chosen["keep"] = _texts(given["keep"])
    return Campaign(read_axes(problem), limits=_limits(given.get("limits", {})), **chosen)


def _limits(given: Any) -> Limits:
    known = {f.name for f in fields(Limits)}
    if not isinstance(given, Mapping) or not given.keys() <= known:
        raise InputError("limits", given, f"the limits are {', '.join(sorted(known))}", 'Write {"retries": 2}')
    return Limits(**given)


def _texts(given: Any) -> tuple[str, ...]:
    if not isinstance(given, list) or not all(isinstance(entry, str) for entry in given):
        raise InputError("keep", given, "the parts to keep must be a list of names", f"Choose {', '.join(KEEPABLE)}")
    return tuple(given)
