"""Sentences about a whole table of candidates. Pure functions."""

from __future__ import annotations

import html

import pandas as pd

from app.text.formatting import change_text
from app.text.html import formula_html
from core.evaluation.candidate_table import Gain
from core.evaluation.headline import Headline


def headline_html(found: Headline, base: str, base_tc_K: float) -> str:
    """The sentence of the headline with its formula set; empty if nothing passes."""
    text = html.escape(found.sentence(base, base_tc_K))
    return text.replace(html.escape(base), formula_html(base), 1)


def gain_text(mean: Gain, best: Gain) -> str:
    """The gain of the best candidate, and the mean gain of the best ones, by the Tc model and by the control model."""
    average = ""
    if mean.candidates > 1:
        average = (
            f" The mean of the best {mean.candidates} that pass: {change_text(mean.predicted_K)} according to the Tc "
            f"model, {change_text(mean.control_K)} according to the control model."
        )
    return (
        f"The best candidate: {change_text(best.predicted_K)} according to the Tc model, "
        f"{change_text(best.control_K)} according to the control model, which the optimiser never uses.{average} "
        "A gain that only the Tc model predicts is probably an error of that model."
    )


def pressure_text(table: pd.DataFrame) -> str:
    """What the Tc of hydrogen-rich candidates means."""
    rich = table["hydrogen_rich"]
    passing = int((rich & table["passes"]).sum())
    count = f"{passing:,} passing" if passing else f"{int(rich.sum()):,} failing"
    return (
        f"Hydrogen-rich candidates (at least 40% of the atoms are H; “H-rich” in the table): {count}. The high Tc of "
        "such hydrides were measured under very high pressure, mostly above 100 GPa, which SuperCon does not record: "
        "the predicted Tc hold under pressure only."
    )
