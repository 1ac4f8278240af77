"""The benchmarks by name, as the command line calls them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields

from core.benchmarks import hydrides, integers, quality, raise_tc, starts, substitute
from core.benchmarks.harness import Options, Outcome
from core.benchmarks.speed import SpeedOptions, speed
from core.errors import InputError

TABLES: dict[str, Callable[[Options], Outcome]] = {
    "table1": integers.table1,
    "table2": raise_tc.table2,
    "table5-7": substitute.table5_7,
    "table8": substitute.table8,
    "table9-10": hydrides.table9_10,
    "figure3": starts.figure3,
    "gdmcd-table2": integers.gdmcd_table2,
    "neutral": raise_tc.neutral,
    "exploitation": raise_tc.exploitation,
    "time-to-quality": quality.time_to_quality,
}
USUAL = {"gdmcd-table2": {"candidates": (8192,), "steps": (1000, 1000)}}  # where a paper differs from KIAGO
WITHOUT = {
    "figure3": ("bases", "it has no table of bases"),
    "gdmcd-table2": ("bases", "it has no table of bases"),
    "time-to-quality": ("seeds", "its rounds have seeds of their own, one after the other"),
}
SPEED = "speed"
NAMES = (*TABLES, SPEED)


def carry_out(name: str, given: Mapping[str, object]) -> tuple[str, Outcome]:
    """Do a benchmark; returns the name of its files and what came out. given : options that are not the usual ones.

    `candidates` is a tuple: the speed is measured at each of them, all else takes one. Raises InputError for an option
    that means nothing to the benchmark, and for less than one seed.
    """
    given = USUAL.get(name, {}) | dict(given)
    if name == SPEED:
        if "predictor" in given:
            given["predictors"] = (given.pop("predictor"),)
        return name, speed(SpeedOptions(**_meant(name, given, SpeedOptions)))
    if "candidates" in given:
        if len(given["candidates"]) > 1:
            raise InputError("candidates", given["candidates"], f"{name} takes one number of candidates", "Give one")
        given["candidates"] = given["candidates"][0]
    if given.get("seeds", 1) < 1:
        raise InputError("seeds", given["seeds"], "there is nothing to take the mean of", "Take 1 or more")
    option, reason = WITHOUT.get(name, ("", ""))
    if option in given:
        raise InputError(option, given[option], f"{name} has no use for this option: {reason}", "Leave it out")
    options = Options(**_meant(name, given, Options))
    ending = "" if options.predictor == Options.predictor else f"-{options.predictor}"
    return name + ending, TABLES[name](options)


def _meant(name: str, given: Mapping[str, object], cls: type) -> Mapping[str, object]:
    names = {f.name for f in fields(cls)}
    for option, value in given.items():
        if option not in names:
            raise InputError(option, value, f"{name} has no use for this option", "Leave it out")
    return given
