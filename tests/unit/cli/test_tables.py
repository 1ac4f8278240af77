"""Tables as text."""

import pandas as pd

from core.cli.tables import best_text, figure_text
from core.evaluation.columns import COLUMNS

EMPTY = {"str": "", "float64": float("nan"), "bool": False, "boolean": False, "int64": 1}  # by type of a column


def test_best_text_is_aligned_and_shows_no_nan():
    row = {c.name: EMPTY[c.dtype] for c in COLUMNS}
    text = best_text(pd.DataFrame([{**row, "formula": "MgB2", "tc_K": 39.0}, {**row, "formula": "LaFeAsO"}]))
    lines = text.splitlines()
    assert "nan" not in text and lines[1].split()[:3] == ["1", "MgB2", "39.00"]
    assert lines[0].index("Formula") == lines[1].index("MgB2") == lines[2].index("LaFeAsO")


def test_figures_have_four_significant_digits_and_counts_all_digits():
    assert [figure_text(value) for value in (1.23456, 123456, None)] == ["1.235", "123456", "nothing"]
