"""The order of candidates by Tc minus its error, and the Pareto front, on cases counted by hand."""

import numpy as np
import pytest

from core.evaluation.ranking import (
    BY_PARETO_FRONT,
    BY_TC,
    BY_TC_MINUS_ERROR,
    in_order,
    pareto_front,
    pareto_fronts,
    ranked,
    tc_minus_error_K,
)
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


def test_the_fronts_are_taken_off_one_after_another():
    tc_K, above_hull = np.array([10.0, 20.0, 15.0, 5.0, 7.0, NAN]), np.array([0.0, 0.2, 0.3, 0.1, NAN, 0.0])
    assert (
        pareto_fronts(tc_K, above_hull)[:4].tolist() == [1, 1, 2, 2]
        and np.isnan(pareto_fronts(tc_K, above_hull)[4:]).all()
    )
    assert pareto_fronts(np.array([10.0, 10.0]), np.zeros(2)).tolist() == [1, 2]


@pytest.mark.parametrize(
    ("order", "expected"),
    [(BY_TC_MINUS_ERROR, "BACDE"), (BY_TC, "ABCDE"), (BY_PARETO_FRONT, "BACDE")],
)
def test_the_orders_put_failing_and_incomplete_rows_last(order, expected):
    candidates = ranked(table(
        row(formula="A", tc_K=90.0, tc_std_K=50.0, energy_above_hull_eV_per_atom=0.4),
        row(formula="B", tc_K=60.0, tc_std_K=10.0, energy_above_hull_eV_per_atom=0.0),
        row(formula="C", tc_K=50.0, tc_std_K=15.0, energy_above_hull_eV_per_atom=0.1),
        row(formula="D", tc_K=30.0, tc_std_K=0.0, energy_above_hull_eV_per_atom=NAN),
        row(formula="E", tc_K=99.0, tc_std_K=0.0, passes=False, energy_above_hull_eV_per_atom=NAN),
    ))  # fmt: skip
    assert "".join(in_order(candidates, order)["formula"]) == expected
