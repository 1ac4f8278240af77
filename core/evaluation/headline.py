"""What a design achieved, in one sentence: candidates above the base, by more than the error, by both models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.screening.registry import ABOVE_BASE, ABOVE_ERROR


def control_disagrees(table: pd.DataFrame) -> pd.Series:
    """Whether the control model's Tc differs from Tc by more than its expected error: "boolean", by row.

    Missing where the Tc model gives no error, or the run is of a version without a control model.
    """
    difference = (table["tc_K"] - table["tc_judge_K"]).abs()
    there = difference.notna() & table["tc_std_K"].notna()
    return (difference > table["tc_std_K"]).astype("boolean").mask(~there)


def control_sees_gain(table: pd.DataFrame, base: Mapping[str, float]) -> np.ndarray:
    """Whether the control model predicts a gain over the base by more than the error of Tc: (n,) bool.

    The gain is that over the control model's own Tc of the base, so that an error of both is not counted as a gain. An
    error that the Tc model does not give counts as 0. Without a prediction of the control model no gain is seen.

    base : predictions for the base material, see `core.evaluation.result.DesignResult`
    """
    gain_K = table["tc_judge_K"] - base.get("tc_judge_K", np.nan)
    return (gain_K > table["tc_std_K"].fillna(0.0)).to_numpy(dtype=bool)


@dataclass(frozen=True)
class Headline:
    """Counts of distinct candidates, each among those counted before it.

    passing : pass every screen
    above_base : with a predicted Tc above that of the base
    above_error : by more than the expected error of Tc
    confirmed : for which the control model predicts a gain above the error too; None without a control model
    """

    passing: int
    above_base: int
    above_error: int
    confirmed: int | None

    def sentence(self, base: str, base_tc_K: float) -> str:
        """The counts in words; empty if nothing passes. base : formula; base_tc_K : its predicted Tc"""
        if not self.passing:
            return ""
        reference = f"the base ({base}, predicted {base_tc_K:.1f} K)"
        if not self.above_base:
            return f"None of {_passing(self.passing)} is predicted above {reference}."
        text = f"Of {_passing(self.passing)}, {_are(self.above_base)} predicted above {reference}, "
        text += f"{_count(self.above_error, self.above_base)} by more than the expected error"
        if not self.above_error or self.confirmed is None:
            return f"{text}."
        seen = _count(self.confirmed, self.above_error)
        return f"{text}; the control model, which the optimiser never uses, sees such a gain for {seen} of these."

    @property
    def verdict(self) -> str:
        """A sentence if the base is not reliably beaten; empty if it is, or if nothing passes."""
        if not self.passing:
            return ""
        if not self.above_base:
            return "Nothing in this run beats the base."
        if not self.above_error:
            return "No gain in this run is larger than its expected error, so that the base is not reliably beaten."
        if self.confirmed == 0:
            return "The control model sees none of these gains, so that the base is not reliably beaten."
        return ""


def headline(table: pd.DataFrame, base: Mapping[str, float]) -> Headline:
    """The headline of a candidate table. base : predictions for the base material"""
    rows = table[table["passes"]]
    above_base = ABOVE_BASE.test(rows)
    above_error = above_base & ABOVE_ERROR.test(rows)
    confirmed = int((above_error & control_sees_gain(rows, base)).sum()) if "tc_judge_K" in base else None
    return Headline(len(rows), int(above_base.sum()), int(above_error.sum()), confirmed)


def _passing(number: int) -> str:
    return "1 candidate that passes every screen" if number == 1 else f"{number:,} candidates that pass every screen"


def _are(number: int) -> str:
    return f"{number:,} {'is' if number == 1 else 'are'}"


def _count(number: int, of: int) -> str:
    return "none" if not number else "all" if number == of > 1 else f"{number:,}"
