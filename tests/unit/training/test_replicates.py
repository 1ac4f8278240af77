"""Clusters of reports on one composition."""

from __future__ import annotations

import pytest

from core.training.replicates import cleaned_tc_K, clusters, ranges_text

NB3GE = [3.5, 4.0, 6.4, 15.7, 20.0, 22.1]


def test_values_of_one_kind_are_one_cluster():
    assert clusters([6.4, 3.5, 15.7]) == [[3.5, 6.4], [15.7]]
    assert clusters([88.0, 92.0, 100.0, 110.0]) == [[88.0, 92.0, 100.0, 110.0]]  # 10 K is little of 110 K
    assert clusters([0.5, 1.5, 4.4]) == [[0.5, 1.5, 4.4]]  # each step is below 3 K
    assert clusters([5.0]) == [[5.0]]


@pytest.mark.parametrize(
    ("values", "cleaned"),
    [
        (NB3GE, 20.0),  # half of the reports
        ([3.5, 4.0, 6.4, 20.0, 22.1], 21.05),  # 2 of 5
        ([3.5, 4.0, 5.0, 6.4, 20.0, 22.1], 4.5),  # 2 of 6 are too few; the low cluster is left
        ([5.0, 20.0], 12.5),  # no cluster of two
        ([7.0], 7.0),
    ],
)
def test_the_highest_cluster_with_enough_reports_counts(values, cleaned):
    assert cleaned_tc_K(values) == pytest.approx(cleaned)


def test_ranges_have_their_numbers_of_reports():
    assert ranges_text(NB3GE) == "3.5–6.4 K (3), 15.7–22.1 K (3)"
    assert ranges_text([0.026, 0.5, 9.0]) == "0.026–0.5 K (2), 9.0 K (1)"
