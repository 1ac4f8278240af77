"""The relaxed structures of a search as rows of the list. No Streamlit here."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from app.structures.listed import Listed
from core.chemistry.composition import composition_vector
from core.chemistry.formula_reader import parse_formula
from core.evaluation.columns import STRUCTURE_COLUMNS
from core.evaluation.csv_export import to_csv
from core.executors import structure_searches
from core.structures.files import read_cif
from core.structures.prototypes import Proposal
from core.structures.structure_models import StructureProperties
from core.structures.symmetry import space_group_symbol

SAME_FRACTIONS = 1e-3  # largest difference of the fractions of equal compositions, as amounts are rounded
_HULL = "energy_above_hull_eV_per_atom"
SPACE_GROUP, ABOVE_HULL = (column.name for column in STRUCTURE_COLUMNS)


def found_structures(folder: Path, formula: str) -> list[Listed]:
    """The relaxed structures of a formula, in their order; empty before there are any. Raises OSError, InputError."""
    rows = structure_searches.rows(folder, formula)
    return [_listed(folder, row) for row in rows if not row["error"]]


def search_error(folder: Path, formula: str) -> str:
    """Why a formula has no structures; empty if it has some, or is not finished."""
    return next((row["error"] for row in structure_searches.rows(folder, formula)), "")


def _listed(folder: Path, row: Mapping[str, str]) -> Listed:
    structure = read_cif((folder / row["cif"]).read_text(encoding="utf-8"), row["cif"])
    proposal = Proposal(
        structure=structure, prototype=row["prototype"], index=-1, space_group=int(row["space_group"]),
        example=row["example"], example_id="", distance=math.nan, compounds=int(row["known_compounds"]),
        superconductors=int(row["known_superconductors"]), score=_number(row["score"]),
        known=row["matches_known"] == "true", note=row["note"],
    )  # fmt: skip
    properties = None
    if row["metal_probability"]:
        properties = StructureProperties(_number(row["metal_probability"]), _number(row["tc_structure_K"]))
    return Listed(structure, row["formula"], int(row["space_group"]), int(row["rank"]), proposal,
                  properties=properties, relaxed=row)  # fmt: skip


def _number(text: str) -> float:
    return float(text) if text else math.nan


def with_structures(table: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """The candidates with the columns of their first structures; as given if there are none.

    The hull is left empty where the structure is of another composition: an ordered parent, a supercell whose dopants
    have another share, or rounded amounts.
    """
    first = structure_searches.first_structures(folder)
    if not first:
        return table
    own = [first.get(formula, {}) for formula in table["formula"]]
    above = np.array([_own_hull(row) for row in own])
    return table.assign(**{SPACE_GROUP: [_space_group(row) for row in own], ABOVE_HULL: above})


def _own_hull(row: Mapping[str, str]) -> float:
    """Energy above hull of the first structure; NaN if it is of another composition."""
    if not row.get("cell_formula"):
        return math.nan
    asked, made = (composition_vector(parse_formula(row[name])) for name in ("formula", "cell_formula"))
    same = np.allclose(asked / asked.sum(), made / made.sum(), rtol=0, atol=SAME_FRACTIONS)
    return _number(row.get(_HULL, "")) if same else math.nan


def with_structure_columns(text: str, table: pd.DataFrame) -> str:
    """The CSV of the candidates with the columns of their first structures, if the table has them."""
    if SPACE_GROUP not in table:
        return text
    own = table.set_index("formula")[[SPACE_GROUP, ABOVE_HULL]]
    rows = list(csv.reader(io.StringIO(text)))
    place = rows[0].index("formula")
    added = to_csv(own.reindex([row[place] for row in rows[1:]])).splitlines()
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows(row + new for row, new in zip(rows, csv.reader(added), strict=True))
    return out.getvalue()


def _space_group(row: Mapping[str, str]) -> str:
    return f"{space_group_symbol(int(row['space_group']))} ({row['space_group']})" if row else ""
