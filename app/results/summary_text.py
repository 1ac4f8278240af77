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


def gain_text(mean: Gain) -> str:
    """The mean gain of the candidates with the highest Tc, by the Tc model and by the control model."""
    many = f"The {mean.candidates} candidates with the highest Tc: on average "
    return (
        f"{many if mean.candidates > 1 else 'The candidate that passes: '}{change_text(mean.predicted_K)} according to "
        f"the Tc model, {change_text(mean.control_K)} according to the control model. "
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
