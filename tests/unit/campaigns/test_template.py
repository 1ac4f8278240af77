"""One problem for many bases, seeds and methods."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.campaigns.campaign import read_campaign
from core.campaigns.expansion import planned_runs
from core.campaigns.template import LARGEST_SEED, for_many, with_more_seeds
from core.errors import InputError
from tests.unit.runs.sample import SMALL


def test_each_run_has_the_problem_with_its_base_and_seed():
    problem = replace(SMALL, forbidden=("As", "Hg"))
    campaign = for_many(problem, ["MgB2", "LaFeAsO"], 2)
    expected = [replace(problem, base=base, seed=seed) for base in ("MgB2", "LaFeAsO") for seed in (7, 8)]
    assert [run.problem for run in planned_runs(campaign)] == expected
    assert read_campaign(campaign.to_json(), None) == campaign


def test_settings_that_only_one_method_reads_stay_with_it():
    problem = replace(SMALL, method="memetic", method_settings={"rounds": 3})
    runs = planned_runs(for_many(problem, "MgB2", 1, ["memetic", "gradient"]))
    found = [(run.problem.method, dict(run.problem.method_settings)) for run in runs]
    assert found == [("memetic", {"rounds": 3}), ("gradient", {})]


def test_more_seeds_leave_the_runs_before_them_as_they_are():
    campaign = for_many(SMALL, ["MgB2", "LaFeAsO"], 2)
    larger = with_more_seeds(campaign, 3)
    before, after = ({run.key for run in planned_runs(each)} for each in (campaign, larger))
    assert len(after) == 10 and before < after
    assert {run.problem.seed for run in planned_runs(larger)} == {7, 8, 9, 10, 11}
    without = read_campaign('{"problem": {"base": "MgB2"}}', None)
    assert [axis.values for axis in with_more_seeds(without, 1).axes if axis.name == "seed"] == [(0, 1)]


def test_wrong_numbers_of_seeds_are_refused():
    for problem, seeds in ((SMALL, 0), (replace(SMALL, seed=LARGEST_SEED), 2)):
        with pytest.raises(InputError, match="number of seeds"):
            for_many(problem, "MgB2", seeds)
