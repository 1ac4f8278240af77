"""Near-duplicates in words: what they resemble, and a list of them. Pure functions."""

from __future__ import annotations

import pandas as pd

from app.text.formatting import deviation_text, formula_text
from app.text.html import formula_html, table_html
from core.chemistry.conventional_formula import chemists_formula


def like_text(row: pd.Series) -> str:
    """What a group resembles: "Nb₃Sn-like", after the parent of its first row, else after the row itself."""
    return f"{formula_text(row['parent'] or chemists_formula(row['formula']))}-like"


def group_text(row: pd.Series) -> str:
    """The group of a row: "Nb₃Sn-like, 10 variants"; empty for a candidate without near-duplicates."""
    return f"{like_text(row)}, {row['variants']} variants" if row["variants"] > 1 else ""


def variants_html(members: pd.DataFrame) -> str:
    """The members of a group as a table, in the order given."""
    rows = [
        (
            f"{row['rank']:,}",
            formula_html(row["formula"]),
            formula_html(row["doped_as"]) if row["doped_as"] else "",
            f"{row['tc_K']:.1f}{deviation_text(row['tc_std_K'], 1)}",
            f"{row['tc_judge_K']:.1f}" if pd.notna(row["tc_judge_K"]) else "",
            f"{row['n_atoms']:,}",
        )
        for _, row in members.iterrows()
    ]
    return table_html(("Rank", "Formula", "As doped", "Tc (K)", "Control model (K)", "Atoms"), rows)
