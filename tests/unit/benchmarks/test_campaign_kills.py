"""How two tables of candidates are compared, and the settings of the interrupted campaign."""

from __future__ import annotations

import pyarrow as pa
import pytest

from core.benchmarks.campaign_kills import CampaignKillsOptions, _until, rows_that_differ
from core.benchmarks.registry import options_of

TABLE = pa.table({"run": ["a", "a", "b"], "tc_K": [1.0, None, 3.0], "elements": [["B"], ["B", "Mg"], []]})


def test_equal_tables_differ_in_no_row_and_each_other_row_counts():
    assert rows_that_differ(TABLE, TABLE) == 0
    changed = TABLE.set_column(1, "tc_K", pa.array([1.0, 2.0, 3.0000000001]))
    assert rows_that_differ(TABLE, changed) == 2
    assert rows_that_differ(TABLE, TABLE.slice(0, 2)) == 1
    assert rows_that_differ(TABLE, TABLE.take([1, 0, 2])) == 2


def test_the_bases_and_sizes_can_be_given():
    given = {"bases": ("MgB2", "FeSe"), "seeds": 2, "candidates": (8,), "steps": (50, 50)}
    assert options_of("campaign-kills", given) == CampaignKillsOptions(("MgB2", "FeSe"), 2, 8, (50, 50))


def test_a_campaign_that_ends_too_early_is_reported():
    class Ended:
        def poll(self) -> int:
            return 0

    with pytest.raises(RuntimeError, match="before it was interrupted"):
        _until(lambda: False, Ended())
    assert _until(lambda: "found", Ended()) == "found"
