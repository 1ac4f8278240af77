"""The candidate table: one row per formula with the columns of `COLUMNS`, new or read from a stored run."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from core.chemistry.composition import compositions
from core.chemistry.families import hydrogen_rich
from core.evaluation.caveat_columns import caveat_columns
from core.evaluation.columns import COLUMNS

LATER_TEXTS = ("known_phase", "nearest_known_ranges", "nearest_known_caveat")  # empty in runs of earlier versions
MISSING = {"float64": float("nan"), "boolean": pd.NA}  # type of a column -> its missing value


def typed(table: pd.DataFrame) -> pd.DataFrame:
    """The columns of `COLUMNS` in their order and with their types. Raises KeyError if one is missing."""
    return pd.DataFrame({c.name: table[c.name].astype(c.dtype) for c in COLUMNS})


def read(table: pd.DataFrame) -> pd.DataFrame:
    """A stored table as `typed` returns it, also one of an earlier version.

    Numbers and reference phases that the earlier version did not store are missing; what follows from formula and Tc is
    computed. Raises KeyError if any other column is missing.
    """
    later: dict[str, object] = {c.name: MISSING[c.dtype] for c in COLUMNS if c.dtype in MISSING and c.name not in table}
    later |= {name: "" for name in LATER_TEXTS if name not in table}
    if "hydrogen_rich" not in table:
        later["hydrogen_rich"] = hydrogen_rich(compositions(table["formula"]))
    if "caveat" not in table:
        later |= caveat_columns(compositions(table["formula"]), table["tc_K"].to_numpy())
    return typed(table.assign(**later))


@dataclass(frozen=True)
class Gain:
    """Mean gain in Tc over the base of the candidates with the highest Tc.

    predicted_K : gain predicted by the optimised model
    control_K : gain predicted by the control model, which is never optimised; the difference indicates how far the
        optimiser exploits errors of its model
    """

    candidates: int
    predicted_K: float
    control_K: float


def gain(passing: pd.DataFrame, base: dict[str, float], most: int = 30) -> Gain | None:
    """Gain of the `most` rows with the highest Tc over the base; None without rows, or without a prediction of the
    control model for the base.

    By Tc, not by rank, as in the papers: the benchmarks measure what the optimiser reached.

    passing : rows of the candidate table that pass every screen
    base : predictions for the base material, see `core.evaluation.result.DesignResult`
    """
    best = passing.sort_values(["tc_K", "formula"], ascending=[False, True]).head(most)
    if not len(best) or "tc_judge_K" not in base:
        return None
    return Gain(
        candidates=len(best),
        predicted_K=float(best["tc_K"].mean()) - base["tc_K"],
        control_K=float(best["tc_judge_K"].mean()) - base["tc_judge_K"],
    )
