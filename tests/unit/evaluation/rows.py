"""Rows of the candidate table for tests."""

import pandas as pd

from core.evaluation.candidate_table import typed
from core.evaluation.columns import COLUMNS

NUMBER = {"tc_K": 39.12345, "tc_gain_K": -1.23456, "formation_energy_eV_per_atom": -0.123456, "integer_loss": 0.0123456}
TEXT = {"formula": "MgB2", "decomposition": "0.833 B4Mg + 0.167 Mg", "oxidation_states": "Mg 2+, B 1-"}


def row(**values: object) -> dict[str, object]:
    """A row with every column, of the right types."""
    empty = {"int64": 1, "float64": 0.5, "bool": True, "boolean": True, "str": ""}
    return {column.name: empty[column.dtype] for column in COLUMNS} | NUMBER | TEXT | values


def table(*rows: dict[str, object]) -> pd.DataFrame:
    return typed(pd.DataFrame(list(rows) or [row()]))
