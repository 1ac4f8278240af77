"""The columns derived from a stored table."""

import pandas as pd

from core.evaluation.columns import DERIVED_COLUMNS
from core.evaluation.derived_columns import with_derived_columns
from tests.unit.evaluation.rows import row, table


def test_the_columns_of_each_row_in_the_order_of_the_rank():
    candidates = table(
        row(formula="La2CuO4", tc_K=30.0, tc_std_K=20.0, tc_judge_K=5.0),
        row(formula="La10Fe10As10O9F", tc_K=26.0, tc_std_K=2.0, tc_judge_K=25.0),
        row(formula="Gd7Fe7As7O5", tc_K=90.0, tc_std_K=2.0, tc_judge_K=25.0, passes=False),
    )
    found = with_derived_columns(candidates, "LaFeAsO")
    assert list(found.columns[-len(DERIVED_COLUMNS) :]) == [column.name for column in DERIVED_COLUMNS]
    assert [str(found[column.name].dtype) for column in DERIVED_COLUMNS] == [c.dtype for c in DERIVED_COLUMNS]
    assert found["formula"].tolist() == ["La10Fe10As10O9F", "La2CuO4", "Gd7Fe7As7O5"]
    assert found["tc_minus_error_K"].tolist() == [24.0, 10.0, 88.0]
    assert found["control_disagrees"].tolist() == [False, True, True]
    assert found["family"].tolist() == ["iron-based", "cuprate (base: iron-based)", "iron-based"]
    assert found["family_kept"].tolist() == [True, False, True]
    assert found["doped_as"].tolist() == ["LaFeAsO0.9F0.1", "", ""]  # not looked up for rows that fail
    assert found["parent"].tolist() == ["LaFeAsO", "La2CuO4", ""]


def test_an_empty_table_gets_empty_columns():
    found = with_derived_columns(table().head(0), "MgB2")
    assert found.empty and {c.name for c in DERIVED_COLUMNS} <= set(found.columns)
    assert isinstance(found, pd.DataFrame)
