"""What a campaign costs, at a small size, and the conclusions by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from core.benchmarks import campaign_cost
from core.benchmarks.campaign_cost import CampaignCostOptions, cost, sentences


@pytest.mark.usefixtures("one_thread")
def test_every_part_is_measured(tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(campaign_cost, "LIBRARY_RUNS", 40)
    options = CampaignCostOptions(seeds=20, candidates=8, steps=(2, 2), workers=1, device="cpu", cache=tmp_path)
    outcome = cost(options)
    assert len(outcome.table) == 7 and (outcome.table["ms_per_run"] > 0).all()
    assert outcome.about["runs"] == 20 and outcome.about["threads"] == 1 and outcome.about["files_per_run"] >= 8
    assert sum(path.stat().st_size for path in next((tmp_path / "runs").iterdir()).iterdir()) == pytest.approx(
        outcome.about["bytes_per_run"]
    )


def test_the_conclusions_are_those_of_the_table():
    """36 s of work and 36 ms of the command: 10,000 runs take 100 core-hours, and at least 6 minutes."""
    seconds = [36.0, 0.001, 0.016, 0.008, 0.012, 0.01, 0.1]
    names = (campaign_cost.WORK, campaign_cost.PLANNED, campaign_cost.CREATED_PART, campaign_cost.TASK,
             campaign_cost.ENDED, campaign_cost.COLLECTED, campaign_cost.ANSWER)  # fmt: skip
    table = pd.DataFrame({"part": names, "ms_per_run": [1000 * each for each in seconds]})
    first, second, third, _ = sentences(table, {"files_per_run": 10, "bytes_per_run": 200_000})
    assert "50.0 h on 2, 1.6 h on 64, 6 min on 1,000 cores" in first and "36.0 ms" in first
    assert "1,000 cores busy" in second
    assert "100,000 files and 2.0 GB" in third
