"""The gain of a campaign over each base: by method, with its spread over the seeds."""

from __future__ import annotations

import pandas as pd

from core.campaigns.campaign import Campaign
from core.runs.status import WITH_RESULT

KEY = ("base", "method")
_FIXED = {"run", "base", "method", "seed", "phase", "n_passing", "best_formula", "best_tc_K", "gain_K", "elapsed_s",
          "message"}  # fmt: skip


def further_fields(overview: pd.DataFrame) -> list[str]:
    """The columns of an overview that hold further fields of the problem that vary."""
    return [name for name in overview.columns if name not in _FIXED]


def by_base(overview: pd.DataFrame) -> pd.DataFrame:
    """One row per base, method and further values, in the order of the campaign, from its overview.

    Columns: base, method, those of `further_fields`; n_runs, n_results, n_passing_runs (with a candidate that passes
    every screen); best_tc_K (of all runs), mean_gain_K, std_gain_K (sample standard deviation over the runs with a
    candidate that passes, missing for fewer than two), lowest_gain_K, highest_gain_K; mean_elapsed_s (of the runs with
    a result).
    """
    keys = [*KEY, *further_fields(overview)]
    with_result = overview["phase"].isin([phase.value for phase in WITH_RESULT])
    rows = overview.assign(_result=with_result, _passing=with_result & overview["gain_K"].notna(),
                           _elapsed_s=overview["elapsed_s"].where(with_result))  # fmt: skip
    groups = rows.groupby(keys, sort=False, dropna=False)
    gain = groups["gain_K"]
    return pd.DataFrame({
        "n_runs": groups.size(), "n_results": groups["_result"].sum(), "n_passing_runs": groups["_passing"].sum(),
        "best_tc_K": groups["best_tc_K"].max(), "mean_gain_K": gain.mean(), "std_gain_K": gain.std(),
        "lowest_gain_K": gain.min(), "highest_gain_K": gain.max(), "mean_elapsed_s": groups["_elapsed_s"].mean(),
    }).reset_index()  # fmt: skip


def several_ways(campaign: Campaign) -> bool:
    """Whether a campaign tries a base in several ways: methods, or further values."""
    return bool(set(campaign.varied) - {"base", "seed"})
