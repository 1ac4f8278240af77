"""The table of a load measurement."""

from __future__ import annotations

import math

import pandas as pd

from core.benchmarks.load import LoadOptions, _free_port, _memory_MB, _outcome


def test_the_table_has_median_and_percentile_of_each_page():
    answers = pd.DataFrame(
        {"page": ["runs"] * 101 + ["run"], "seconds": [*range(101), 7.0], "failed": [True] + [False] * 101}
    )
    outcome = _outcome(answers, 100.0, 300.0, LoadOptions(users=10))
    lines = outcome.table.set_index("page")
    assert lines.loc["runs", "median_s"] == 50 and lines.loc["runs", "percentile_99_s"] == 99
    assert lines.loc["runs", "failed"] == 1 and lines.loc["run", "answers"] == 1
    assert "20.0 MB for each user" in outcome.sentences[0]


def test_a_free_port_and_the_memory_of_a_process():
    assert 1024 < _free_port() < 65536
    assert math.isnan(_memory_MB(2**30))
