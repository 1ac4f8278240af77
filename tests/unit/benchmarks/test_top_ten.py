"""The criteria for the candidates that a design shows first."""

import pandas as pd
import pytest

from core.benchmarks.top_ten import CRITERIA, criteria, sentences, shown_first

BASE = {"tc_K": 20.0, "tc_judge_K": 21.0}


def rows(**changed) -> pd.DataFrame:
    """One candidate that meets every criterion, changed."""
    good = {
        "formula": "LaFeAsO", "tc_K": 40.0, "tc_std_K": 10.0, "tc_judge_K": 45.0, "n_atoms": 4,
        "energy_above_hull_eV_per_atom": 0.05, "energy_above_hull_std_eV_per_atom": 0.06, "rounding_distance": 0.02,
    }  # fmt: skip
    return pd.DataFrame([good | changed])


def test_a_good_candidate_meets_every_criterion():
    (found,) = criteria(rows(), BASE).to_dict("records")
    assert found["criteria_met"] == len(CRITERIA) == 7 and found["place"] == 1


@pytest.mark.parametrize(
    "missed, changed",
    [
        ("usual_charges", {"formula": "LiFeP7O4"}),
        ("small_exchange", {"rounding_distance": 0.11}),
        ("small_cell", {"n_atoms": 21}),
        ("within_hull_error", {"energy_above_hull_eV_per_atom": 0.07}),
        ("gain_above_error", {"tc_K": 29.0, "tc_judge_K": 29.0}),
        ("control_agrees", {"tc_judge_K": 29.0}),
    ],
)
def test_each_criterion_can_be_missed_alone(missed, changed):
    (found,) = criteria(rows(**changed), BASE).to_dict("records")
    assert [name for name in CRITERIA if not found[name]] == [missed] and found["criteria_met"] == 6


def test_alloys_are_not_asked_for_charges():
    assert criteria(rows(formula="Nb3Sn"), BASE)["usual_charges"].all()


def test_a_near_duplicate_of_a_row_above_is_found():
    both = pd.concat([rows(), rows(formula="La10Fe10As10O9F1"), rows(formula="Nb3Sn")])
    assert criteria(both, BASE)["no_near_duplicate"].tolist() == [True, False, True]


def test_groups_are_shown_by_their_smallest_cell_in_the_order_of_their_best():
    one, other = rows(formula="La10Fe10As10O9F1", n_atoms=40), rows()
    table = pd.concat([one, rows(formula="Nb3Sn"), other], ignore_index=True)
    table = table.assign(rank=[1, 2, 3], passes=True, candidate=[5, 6, 7])
    assert shown_first(table)["formula"].tolist() == ["LaFeAsO", "Nb3Sn"]
    assert shown_first(table.assign(passes=[False, True, True]))["formula"].tolist() == ["Nb3Sn", "LaFeAsO"]


def test_formulas_far_from_the_optimised_composition_are_hidden_unless_there_are_no_others():
    table = pd.concat([rows(rounding_distance=0.4), rows(formula="Nb3Sn")], ignore_index=True)
    table = table.assign(rank=[1, 2], passes=True, candidate=[5, 6])
    assert shown_first(table)["formula"].tolist() == ["Nb3Sn"]
    assert shown_first(table.head(1))["formula"].tolist() == ["LaFeAsO"]


def test_sentences_count_by_base():
    table = criteria(pd.concat([rows(), rows(n_atoms=30)]), BASE).assign(base="LaFeAsO")
    first, last = sentences(table)
    assert "meet 6.0 of 7 criteria on average, 1 of them all" in first and "small_cell 50%" in last
