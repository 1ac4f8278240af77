"""The candidate table: its columns and types, stored tables of earlier versions, and the gain."""

import pandas as pd
import pytest

from core.evaluation.candidate_table import Gain, gain, typed
from core.evaluation.candidate_table import read as read_stored
from core.evaluation.columns import BY_NAME, COLUMNS
from tests.unit.evaluation.rows import row, table

LATER = ["tc_judge_K", "tc_std_K", "energy_above_hull_std_eV_per_atom", "extrapolating"]


def test_typed_orders_the_columns_and_gives_them_their_types():
    jumbled = pd.DataFrame([{**row(tc_K=39, rank=1.0), "stray": "x"}])[["stray", *sorted(BY_NAME)]]
    found = typed(jumbled)
    assert list(found.columns) == [column.name for column in COLUMNS]
    assert [str(dtype) for dtype in found.dtypes] == [column.dtype for column in COLUMNS]
    assert list(typed(jumbled.iloc[:0]).dtypes) == list(found.dtypes)


def test_a_missing_column_is_an_error():
    with pytest.raises(KeyError, match="reason"):
        typed(pd.DataFrame([row()]).drop(columns="reason"))


def test_gain_of_the_best_candidates():
    passing = table(*(row(tc_K=tc, tc_judge_K=judge) for tc, judge in ((60, 30), (50, 40), (10, 0))))
    base = {"tc_K": 15.0, "tc_judge_K": 20.0}
    for order in (passing, passing.iloc[::-1]):  # by Tc, whatever the rank
        assert gain(order, base, most=2) == Gain(candidates=2, predicted_K=40.0, control_K=15.0)
    assert gain(passing, base) == Gain(candidates=3, predicted_K=pytest.approx(25), control_K=pytest.approx(10 / 3))
    assert gain(passing.head(0), base) is None
    assert gain(passing, {"tc_K": 15.0}) is None  # a run of a version without a control model


def test_a_table_of_an_older_version_has_missing_numbers_where_it_stored_none():
    older = table().drop(columns=LATER)
    again = read_stored(older)
    assert list(again.columns) == list(BY_NAME) and again[LATER].isna().all(axis=None)
    assert again["tc_K"].equals(older["tc_K"])
    with pytest.raises(KeyError):
        read_stored(older.drop(columns="formula"))
