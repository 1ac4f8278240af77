"""A campaign as JSON: round trip, limits, and what is refused."""

from __future__ import annotations

import json

import pytest

from core.campaigns.campaign import Campaign, Limits, read_campaign
from core.errors import InputError

GIVEN = {
    "problem": {"base": ["MgB2", "LaFeAsO"], "seed": [0, 1, 2], "forbidden": [[], ["As"]], "method": "gradient",
                "settings": {"candidates": 8, "steps": [2, 2]}},
    "keep": ["trajectory"], "limits": {"runs": 20, "retries": 1}, "threads": 2,
}  # fmt: skip


def read(folder, **changes) -> Campaign:
    return read_campaign(json.dumps({**GIVEN, **changes}), folder)


def test_the_number_of_runs_is_the_product_of_the_numbers_of_values(tmp_path):
    campaign = read(tmp_path)
    assert campaign.n_runs == 2 * 3 * 2 and campaign.varied == ("base", "forbidden", "seed")
    assert campaign.keep == ("trajectory",) and campaign.limits == Limits(20, 1) and campaign.threads == 2


def test_a_campaign_is_restored_from_its_text_without_the_file_of_its_bases(tmp_path):
    (tmp_path / "bases.csv").write_text("formula\nMgB2\nLaFeAsO\n")
    campaign = read(tmp_path, problem=GIVEN["problem"] | {"base": {"csv": "bases.csv"}})
    assert campaign == read(tmp_path)
    assert read_campaign(campaign.to_json(), tmp_path / "elsewhere") == campaign
    assert read_campaign(json.dumps({"problem": {"base": "MgB2"}}), tmp_path).n_runs == 1


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"problem": None}, "needs a problem"),
        ({"problem": {"seed": 1}}, "needs base materials"),
        ({"colour": "red"}, "unknown field"),
        ({"schema": 2}, "schema 1"),
        ({"keep": ["everything"]}, "no such part"),
        ({"keep": "csv"}, "list of names"),
        ({"limits": {"runs": 11}}, "the limit of this campaign is 11"),
        ({"limits": {"runs": 0}}, "1 or more"),
        ({"limits": {"retries": -1}}, "0 or more"),
        ({"limits": {"minutes_per_run": 0}}, "above 0"),
        ({"limits": {"money": 3}}, "the limits are"),
        ({"threads": 0}, "1 or more"),
    ],
)
def test_wrong_campaigns_are_refused(changes, rule, tmp_path):
    with pytest.raises(InputError, match=rule):
        read(tmp_path, **changes)


def test_text_that_is_no_json_is_refused(tmp_path):
    with pytest.raises(InputError, match="not valid JSON"):
        read_campaign("{", tmp_path)
