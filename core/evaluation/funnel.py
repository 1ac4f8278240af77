"""The account of the screens: which candidates fail where, and why."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.evaluation.table import FunnelStep

MAX_SCREENED_ELEMENTS = 9  # "fewer than 10 elements": SuperCon has at most nine


def first_failed(table: pd.DataFrame) -> np.ndarray:
    """For each row the key (in `core.evaluation.table.SCREENS`) of the first screen that it fails, or an empty
    string."""
    passed = {
        "elements": table["n_elements"] <= MAX_SCREENED_ELEMENTS,
        "charge_neutral": table["charge_neutral"],
        "pauling_ok": table["pauling_ok"],
        "formation_energy": (table["formation_energy_eV_per_atom"] < 0) & (table["n_elements"] > 1),
    }
    failed = np.full(len(table), "", dtype=object)
    for name in reversed(passed):
        failed[~passed[name].to_numpy(dtype=bool)] = name
    return failed


def funnel(
    table: pd.DataFrame, candidates: int, lost: dict[str, int], moved: int, asked: dict[str, str]
) -> tuple[FunnelStep, ...]:
    """How many are left after each screen (name -> label), and why the others failed. lost : before the first."""
    rounded = candidates - sum(lost.values())
    again = {"the same formula was reached before": rounded - len(table)}
    note = f"{moved:,} rounded to a neighbour that passes the charge screens" if moved else ""
    steps = [
        FunnelStep("candidates", "Candidates", rounded, _some(lost)),
        FunnelStep("distinct", asked["distinct"], len(table), _some(again), note),
    ]
    left = len(table)
    for name in list(asked)[1:]:
        failed = table[table["failed_screen"] == name]
        left -= len(failed)
        steps.append(FunnelStep(name, asked[name], left, _why(name, failed)))
    return tuple(steps)


def _some(reasons: dict[str, int]) -> dict[str, int]:
    """The reasons that there were, the most frequent first."""
    return {reason: n for reason, n in sorted(reasons.items(), key=lambda item: -item[1]) if n}


def _why(name: str, failed: pd.DataFrame) -> dict[str, int]:
    """Reasons and how often, the most frequent first."""
    if name == "elements":
        reasons = failed["n_elements"].map(lambda n: f"{n} elements")
    elif name == "formation_energy":
        reasons = failed["n_elements"].map(
            lambda n: "predicted formation energy is not negative" if n > 1 else "that of a pure element is 0"
        )
    else:
        reasons = failed["reason"]
    return {str(reason): int(count) for reason, count in reasons.value_counts().items()}
