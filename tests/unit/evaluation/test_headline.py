"""The headline: counts above the base, by more than the error, and by both models; its sentences."""

import pandas as pd
import pytest

from core.evaluation.headline import Headline, control_disagrees, control_sees_gain, headline
from tests.unit.evaluation.rows import row, table

NAN = float("nan")
BASE = {"tc_K": 20.0, "tc_judge_K": 30.0}


def candidate(tc_K: float, std_K: float, control_K: float, passes: bool = True) -> dict[str, object]:
    return row(tc_K=tc_K, tc_std_K=std_K, tc_judge_K=control_K, tc_gain_K=tc_K - BASE["tc_K"], passes=passes)


CANDIDATES = table(
    candidate(40.0, 10.0, 41.0),  # a gain of 20 and of 11, both above 10
    candidate(40.0, 10.0, 40.0),  # the control model sees 10, which is not above the error
    candidate(25.0, 10.0, 90.0),  # a gain smaller than its error
    candidate(20.0, 0.0, 90.0),  # no gain
    candidate(90.0, 1.0, 90.0, passes=False),
)


def test_each_count_is_among_those_before_it():
    assert headline(CANDIDATES, BASE) == Headline(passing=4, above_base=3, above_error=2, confirmed=1)
    assert headline(CANDIDATES, {"tc_K": 20.0}).confirmed is None  # a run of a version without a control model
    assert headline(CANDIDATES.head(0), BASE) == Headline(0, 0, 0, 0)


def test_without_an_error_any_gain_counts():
    of_published_model = table(candidate(21.0, NAN, 31.0), candidate(19.0, NAN, 31.0))
    assert headline(of_published_model, BASE) == Headline(2, 1, 1, 1)
    assert control_disagrees(of_published_model).isna().all()


def test_the_control_model_disagrees_by_more_than_the_error():
    candidates = table(candidate(40.0, 10.0, 30.0), candidate(40.0, 10.0, 29.9), candidate(40.0, 10.0, 50.1))
    expected = pd.Series([False, True, True], dtype="boolean")
    assert control_disagrees(candidates).equals(expected)
    assert control_disagrees(candidates.assign(tc_judge_K=NAN)).isna().all()
    assert not control_sees_gain(candidates.assign(tc_judge_K=NAN), BASE).any()


ABOVE = "predicted above the base (MgB2, predicted 35.2 K)"
CONTROL = "; the control model, which the optimiser never uses, sees such a gain for"
MANY, ONE = "candidates that pass every screen", "1 candidate that passes every screen"


@pytest.mark.parametrize(
    ("counts", "sentence"),
    [
        ((0, 0, 0, 0), ""),
        ((116, 0, 0, 0), f"None of 116 {MANY} is {ABOVE}."),
        ((1163, 2, 0, 0), f"Of 1,163 {MANY}, 2 are {ABOVE}, none by more than the expected error."),
        ((1, 1, 1, 0), f"Of {ONE}, 1 is {ABOVE}, 1 by more than the expected error{CONTROL} none of these."),
        ((9, 3, 2, None), f"Of 9 {MANY}, 3 are {ABOVE}, 2 by more than the expected error."),
        ((9, 3, 3, 2), f"Of 9 {MANY}, 3 are {ABOVE}, all by more than the expected error{CONTROL} 2 of these."),
    ],
)
def test_the_sentence(counts, sentence):
    assert Headline(*counts).sentence("MgB2", 35.22) == sentence


def test_a_base_that_nothing_beats_is_said():
    assert Headline(9, 0, 0, 0).verdict == "Nothing in this run beats the base."
    assert "not reliably beaten" in Headline(9, 3, 0, 0).verdict
    assert "control model sees none" in Headline(9, 3, 1, 0).verdict
    assert Headline(9, 3, 1, 1).verdict == Headline(9, 3, 1, None).verdict == Headline(0, 0, 0, 0).verdict == ""
