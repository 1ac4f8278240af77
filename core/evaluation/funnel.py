"""The funnel: the number of candidates that each screen leaves, reasons for failures, and advice if none is left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.screening.interface import Screen
from core.screening.registry import DISTINCT, FURTHER_SCREENS, find_screen

AS_OPTIMISED = 0.02  # fraction of the atoms that rounding to whole atoms may exchange without being a change


@dataclass(frozen=True)
class FunnelStep:
    """One step of the funnel: all candidates, or one screen.

    screen : "candidates", or the name of the screen
    label : name on the result page
    left : number of candidates left after the step
    failed : reason -> number of candidates that failed for this reason, the most frequent reason first
    note : further information about the step, a short text without a full stop
    """

    screen: str
    label: str
    left: int
    failed: dict[str, int]
    note: str = ""


def first_failed(table: pd.DataFrame, screens: Sequence[Screen]) -> np.ndarray:
    """Name of the first screen that each row fails, (n,) of str; an empty string for rows that pass all of them."""
    failed = np.full(len(table), "", dtype=object)
    for screen in reversed(screens):
        failed[~screen.test(table)] = screen.name
    return failed


def funnel(
    table: pd.DataFrame, candidates: int, lost: Mapping[str, int], moved: int, screens: Sequence[Screen]
) -> tuple[FunnelStep, ...]:
    """The funnel of a design: its candidates, then the screens in order.

    table : one row per distinct formula, with every column that the screens read and `times_found`
    candidates : number of candidates that were optimised
    lost : reason -> number of candidates that gave no formula
    moved : number of candidates that were rounded to another formula than the nearest one
    """
    note = f"{moved:,} rounded to a neighbour that passes the charge screens" if moved else ""
    steps = [FunnelStep("candidates", "Candidates", candidates - sum(lost.values()), _most_frequent_first(lost))]
    rows = table.iloc[np.repeat(np.arange(len(table)), table["times_found"])]  # one for each candidate
    for screen in screens:
        passed = screen.test(rows)
        reasons = screen.reason(rows[~passed]).value_counts()
        rows = rows[passed]
        failed = {str(reason): int(count) for reason, count in reasons.items()}
        steps.append(FunnelStep(screen.name, screen.label, len(rows), failed, note if screen is DISTINCT else ""))
    return tuple(steps)


def further_funnel(table: pd.DataFrame) -> tuple[FunnelStep, ...]:
    """How many of the distinct candidates that pass are left by each of FURTHER_SCREENS, one after another.

    The first step tells how many passed as optimised, and how many only after an exchange of atoms.

    table : the candidate table, also of a run of an earlier version
    """
    rows = table[table["passes"]]
    exchanged = rows["rounding_distance"][rows["rounding_distance"] > AS_OPTIMISED]
    note = f"{len(rows) - len(exchanged):,} as optimised, {len(exchanged):,} after an exchange of atoms"
    note += f" (median {exchanged.median():.0%}, largest {exchanged.max():.0%})" if len(exchanged) else ""
    steps = [FunnelStep("passing", "Passing formulas", len(rows), {}, note)]
    for screen in FURTHER_SCREENS:
        passed = screen.test(rows)
        failed = screen.reason(rows[~passed]).value_counts()
        rows = rows[passed]
        steps.append(FunnelStep(screen.name, screen.label, len(rows), {str(r): int(n) for r, n in failed.items()}))
    return tuple(steps)


def _most_frequent_first(reasons: Mapping[str, int]) -> dict[str, int]:
    """The reasons that occurred, the most frequent first."""
    return {reason: n for reason, n in sorted(reasons.items(), key=lambda item: -item[1]) if n}


def advice(funnel: Sequence[Mapping]) -> str:
    """Advice if no candidate passes: that of the screen that removed most candidates.

    funnel : steps as stored with the run, the fields of `FunnelStep`
    """
    helpful = [(step, screen.advice) for step in funnel if (screen := find_screen(step["screen"])) and screen.advice]
    step, what = max(helpful, key=lambda pair: sum(pair[0]["failed"].values()), default=({}, ""))
    if not step.get("failed"):
        return "No candidate passes every screen. Optimise more candidates, or allow more elements."
    return (
        f"No candidate passes every screen; most ({sum(step['failed'].values()):,}) failed at “{step['label']}”. "
        f"Suggestion: {what}."
    )
