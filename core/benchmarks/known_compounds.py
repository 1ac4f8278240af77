"""Predictions for 35 compounds beside what is known of them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.benchmarks import figures
from core.benchmarks.harness import Options, Outcome
from core.evaluation.user_formulas import screen
from core.paths import ASSETS

LIST = ASSETS / "known-compounds.csv"  # formula, known Tc in K at the conditions of `known_as`, source
COLUMNS = (
    "tc_K", "tc_std_K", "tc_judge_K", "superconducting_probability", "extrapolating", "formation_energy_eV_per_atom",
    "energy_above_hull_eV_per_atom", "energy_above_hull_std_eV_per_atom", "pressure_suspected",
    "off_stoichiometry_suspected", "nearest_known_ranges", "caveat",
)  # fmt: skip
INTERVAL = -np.log(0.1) / 2**0.5  # standard deviations on each side of a 90% interval of Laplace's distribution


def known_compounds(options: Options) -> Outcome:
    """Every row of the list with the columns of `screen`; elements have neither formation energy nor hull."""
    known = pd.read_csv(LIST)
    found = screen(known["formula"].tolist(), options.models, options.device)
    same = found["distance_to_known"] == 0
    found["nearest_known_ranges"] = found["nearest_known_ranges"].where(same, "")
    table = pd.concat([known, found[list(COLUMNS)]], axis=1)
    figure = figures.bars(
        pd.concat(
            [
                table.assign(method=method, value=table[column])
                for method, column in (("measured", "known_tc_K"), ("predicted", "tc_K"))
            ]
        ),
        "formula", "value", "method", "Tc (K)",
    )  # fmt: skip
    return Outcome(table, sentences(table), figure, options.about())


def sentences(table: pd.DataFrame) -> tuple[str, ...]:
    """How many known Tc are inside the 90% interval or under a caveat, and which are neither."""
    inside = (table["tc_K"] - table["known_tc_K"]).abs() <= INTERVAL * table["tc_std_K"]
    suspected = table["pressure_suspected"].fillna(False) | table["off_stoichiometry_suspected"].fillna(False)
    others = table["formula"][~inside & ~suspected]
    outside = f"Neither: {', '.join(others)}." if len(others) else "No compound is neither."
    return (
        f"The known Tc of {inside.sum()} of {len(table)} compounds is inside the 90% interval of the prediction; "
        f"{suspected.sum()} predictions are marked as those under pressure or of another stoichiometry. {outside}",
    )
