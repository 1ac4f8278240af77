"""Gains by base and method, by hand."""

from __future__ import annotations

import json
import math

import pandas as pd

from core.campaigns.campaign import read_campaign
from core.campaigns.comparison import by_base, further_fields, several_ways

NAN = float("nan")
TABLE = pd.DataFrame({
    "run": list("abcdef"), "base": ["B", "B", "B", "B", "A", "A"], "method": ["m", "m", "m", "n", "m", "n"],
    "seed": [0, 1, 2, 0, 0, 0], "settings.steps": ["[5, 5]"] * 6,
    "phase": ["finished", "stopped", "failed", "finished", "not started", "finished"],
    "n_passing": [3, 1, None, 0, None, 2], "best_formula": [""] * 6,
    "best_tc_K": [30.0, 34.0, NAN, NAN, NAN, 9.0], "gain_K": [10.0, 14.0, NAN, NAN, NAN, -1.0],
    "elapsed_s": [10.0, 20.0, 90.0, 5.0, NAN, 4.0], "message": [""] * 6,
})  # fmt: skip


def test_gains_are_averaged_over_the_runs_with_a_candidate_that_passes():
    rows = by_base(TABLE)
    assert further_fields(TABLE) == ["settings.steps"]
    assert list(zip(rows["base"], rows["method"], strict=True)) == [("B", "m"), ("B", "n"), ("A", "m"), ("A", "n")]
    assert rows["n_runs"].tolist() == [3, 1, 1, 1] and rows["n_results"].tolist() == [2, 1, 0, 1]
    assert rows["n_passing_runs"].tolist() == [2, 0, 0, 1]
    first = rows.iloc[0]
    assert (first["mean_gain_K"], first["lowest_gain_K"], first["highest_gain_K"]) == (12.0, 10.0, 14.0)
    assert math.isclose(first["std_gain_K"], math.sqrt(8)) and first["best_tc_K"] == 34.0
    assert first["mean_elapsed_s"] == 15.0
    assert rows["mean_gain_K"].isna().tolist() == [False, True, True, False] and math.isnan(rows["std_gain_K"][3])


def test_several_ways_are_more_than_bases_and_seeds():
    def campaign(**problem):
        return read_campaign(json.dumps({"problem": {"base": ["MgB2", "FeSe"], "seed": [0, 1], **problem}}), None)

    assert not several_ways(campaign())
    assert several_ways(campaign(method=["gradient", "memetic"]))
    assert several_ways(campaign(settings={"risk_aversion": [0, 1]}))
