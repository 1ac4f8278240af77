"""Sentences about a whole table of candidates. Pure functions."""

from __future__ import annotations

import pandas as pd

from app.text.formatting import change_text
from core.evaluation.candidate_table import Gain


def gain_text(mean: Gain, best: Gain) -> str:
    """The gain of the best candidate, and of the best ones on average, by the Tc model and by the control model."""
    average = ""
    if mean.candidates > 1:
        both = f"{change_text(mean.claimed_K)} and {change_text(mean.judged_K)}"
        average = f" The best {mean.candidates} that pass, on average: {both}."
    return (
        f"The best candidate: {change_text(best.claimed_K)} according to the Tc model, "
        f"{change_text(best.judged_K)} according to the control model, which the optimiser never uses.{average} "
        "A gain that only the Tc model predicts is probably an error of that model."
    )


def pressure_text(table: pd.DataFrame) -> str:
    """What the Tc of hydrogen-rich candidates means."""
    rich = table["hydrogen_rich"]
    passing = int((rich & table["passes"]).sum())
    count = f"{passing:,} that pass" if passing else f"{int(rich.sum()):,} that fail"
    return (
        f"Hydrogen-rich candidates (40% of the atoms or more, H-rich in the table): {count}. The high Tc of such "
        "hydrides were measured at very high pressure, mostly above 100 GPa, which SuperCon does not record: read "
        "these values as high-pressure ones."
    )
