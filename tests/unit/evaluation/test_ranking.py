"""The order of candidates by Tc minus its error, and the Pareto front, on cases counted by hand."""

import numpy as np
import pytest

from core.evaluation.ranking import pareto_front, ranked, tc_minus_error_K
from tests.unit.evaluation.rows import row, table

NAN = float("nan")


def test_rows_are_ordered_by_passing_then_by_tc_minus_its_error_then_by_formula():
    candidates = table(
        row(formula="A", tc_K=90.0, tc_std_K=50.0),
        row(formula="D", tc_K=60.0, tc_std_K=10.0),
        row(formula="C", tc_K=55.0, tc_std_K=5.0),
        row(formula="B", tc_K=99.0, tc_std_K=0.0, passes=False),
        row(formula="E", tc_K=45.0, tc_std_K=NAN),
    )
    found = ranked(candidates)
    assert found["formula"].tolist() == ["C", "D", "E", "A", "B"]  # 50, 50, 45, 40; B fails
    assert found["rank"].tolist() == [1, 2, 3, 4, 5] and found.index.tolist() == [0, 1, 2, 3, 4]
    assert tc_minus_error_K(found).tolist() == [50.0, 50.0, 45.0, 40.0, 99.0]
    assert ranked(found).equals(found) and candidates["formula"].tolist() == list("ADCBE")


def test_an_empty_table_has_no_ranks():
    assert ranked(table().head(0)).empty


@pytest.mark.parametrize(
    ("tc_K", "above_hull", "front"),
    [
        ([], [], []),
        ([10.0], [0.1], [0]),
        ([10.0, 20.0, 15.0, 5.0], [0.0, 0.2, 0.3, 0.1], [0, 1]),  # the last two are beaten both ways
        ([10.0, 10.0], [0.1, 0.0], [1]),  # as high a Tc, nearer to the hull
        ([10.0, 20.0], [0.0, 0.0], [1]),
        ([10.0, 10.0], [0.0, 0.0], [0]),  # of equal ones the first
        ([50.0, 10.0, 20.0], [NAN, 0.0, NAN], [1]),
    ],
)
def test_the_front_has_the_candidates_that_none_beats_both_ways(tc_K, above_hull, front):
    assert pareto_front(tc_K, above_hull).tolist() == front


def test_the_front_of_many_points_is_that_of_the_definition():
    points = np.random.default_rng(0).integers(0, 30, size=(200, 2)).astype(float)
    found = pareto_front(points[:, 0], points[:, 1])
    unbeaten = [not any(t >= tc and e <= above and (t > tc or e < above) for t, e in points) for tc, above in points]
    assert {tuple(p) for p in points[found]} == {tuple(p) for p in points[unbeaten]}
    assert (np.diff(points[found, 0]) > 0).all() and (np.diff(points[found, 1]) > 0).all()
