"""The columns with which a user decides, derived from a stored candidate table: `columns.DERIVED_COLUMNS`."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.chemistry.composition import composition_vector, compositions
from core.chemistry.families import families
from core.chemistry.formula_reader import parse_formula
from core.evaluation.columns import DERIVED_COLUMNS
from core.evaluation.doped_notation import DopedNotation, known_parents
from core.evaluation.headline import control_disagrees
from core.evaluation.ranking import ranked, tc_minus_error_K


def with_derived_columns(table: pd.DataFrame, base: str) -> pd.DataFrame:
    """The rows by rank (see `core.evaluation.ranking`) with DERIVED_COLUMNS, in new columns at the end.

    The parent and its doped form are looked up for rows that pass; they are empty in the others.

    table : the candidate table, also of a run of an earlier version, which ranked by Tc
    base : formula of the base material. Raises InputError if it cannot be read.
    """
    table = ranked(table)
    x = compositions(table["formula"])
    of_base = families(composition_vector(parse_formula(base))[None])[0]
    family = families(x)
    parents = known_parents(base)
    doped = [parents.notation(row) if passes else None for row, passes in zip(x, table["passes"], strict=True)]
    values = {
        "tc_minus_error_K": tc_minus_error_K(table),
        "control_disagrees": control_disagrees(table),
        "family": [name if name == of_base else f"{name} (base: {of_base})" for name in family],
        "family_kept": family == of_base,
        "parent": _texts(doped, "parent"),
        "doped_as": _texts(doped, "formula"),
        "defects": _texts(doped, "defects"),
    }
    columns = {c.name: pd.Series(values[c.name], index=table.index, dtype=c.dtype) for c in DERIVED_COLUMNS}
    return table.assign(**columns)


def _texts(doped: list[DopedNotation | None], field: str) -> np.ndarray:
    return np.array(["" if notation is None else getattr(notation, field) for notation in doped], dtype=object)
