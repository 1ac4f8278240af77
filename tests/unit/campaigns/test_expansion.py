"""The runs of a campaign: every combination once, with the key that other users of a run know."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from core.campaigns.campaign import Campaign, read_campaign
from core.campaigns.expansion import described, planned_runs
from core.errors import InputError
from core.runs.keyed_runs import checksums_of, run_key
from tests.unit.runs.sample import SMALL

SETTINGS = {"candidates": 8, "steps": [4, 30]}


def campaign(problem: dict, **others) -> Campaign:
    return read_campaign(json.dumps({"problem": {"device": "cpu", "settings": SETTINGS, **problem}, **others}), None)


def test_every_combination_is_one_run_and_the_seed_changes_fastest():
    runs = planned_runs(campaign({"base": ["MgB2", "LaFeAsO"], "seed": [7, 8], "forbidden": [[], ["As"]]}))
    found = [(run.problem.base, run.problem.forbidden, run.problem.seed) for run in runs]
    assert found == [(b, f, s) for b in ("MgB2", "LaFeAsO") for f in ((), ("As",)) for s in (7, 8)]
    assert len({run.key for run in runs}) == 8


def test_the_run_of_a_problem_has_the_key_of_that_problem():
    (run,) = planned_runs(campaign({"base": "LaFeAsO", "seed": 7}))
    assert run.problem == SMALL and run.key == run_key(SMALL, checksums_of(SMALL))
    _, other = planned_runs(campaign({"base": "LaFeAsO", "seed": [7, 8]}))
    assert other.problem == replace(SMALL, seed=8)


def test_methods_are_compared_with_their_own_settings():
    methods = ["gradient", {"name": "memetic", "settings": {"rounds": 2, "kept": 16}}]
    runs = planned_runs(campaign({"base": "LaFeAsO", "method": methods}))
    assert [run.problem.method for run in runs] == ["gradient", "memetic"]
    assert runs[1].problem.method_settings == {"rounds": 2, "kept": 16}


@pytest.mark.parametrize(
    ("problem", "others", "rule"),
    [
        ({"base": ["MgB2", "LaFeXx"]}, {}, r"\(in the run with base LaFeXx\)"),
        ({"base": "MgB2", "seed": [0, -1]}, {}, r"whole number from 0 .*\(in the run with seed -1\)"),
        ({"base": "MgB2", "seed": [1, True]}, {}, "whole number"),
        ({"base": "MgB2", "forbidden": [[], "As"]}, {}, "must be a list"),
        ({"base": "MgB2", "method": ["gradient", {"name": "gradient"}]}, {}, "the same problem"),
        ({"base": "MgB2", "method": "superdiff"}, {"limits": {"minutes_per_run": 5}}, "limit of time"),
    ],
)
def test_wrong_runs_are_refused_before_any_is_carried_out(problem, others, rule):
    with pytest.raises(InputError, match=rule):
        planned_runs(campaign(problem, **others))


def test_a_run_is_described_by_what_varies():
    given = campaign({"base": "MgB2", "seed": [0, 1], "settings": {"steps": [[2, 2], [3, 3]], "candidates": 8}})
    assert described(planned_runs(given)[0].values, given) == "steps [2, 2], seed 0"
    alone = campaign({"base": "MgB2"})
    assert described(planned_runs(alone)[0].values, alone) == "base MgB2"
