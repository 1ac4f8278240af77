"""What a candidate's page says of one row."""

from __future__ import annotations

import pandas as pd
import pytest

from app import candidate
from core.evaluation.columns import COLUMNS

EMPTY = {"str": "", "float64": 0.0, "bool": False, "boolean": pd.NA, "int64": 1}
BASE = {"tc_K": 15.0, "formation_energy_eV_per_atom": -1.8, "tc_judge_K": 14.0}


def row(**values: object) -> pd.Series:
    return pd.Series({column.name: EMPTY[column.dtype] for column in COLUMNS} | values)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, []),
        ({"extrapolating": True, "nearest_known": "MgB2"}, ["this Tc is a guess"]),
        ({"extrapolating": False, "nearest_known": "MgB2"}, ["Tc of a new composition is extrapolated"]),
        ({"nearest_known": "MgB2"}, ["Tc of a new composition is extrapolated"]),
        ({"extrapolating": False, "nearest_known": "MgB2", "known": True}, []),
        ({"hydrogen_rich": True, "rounding_distance": 0.2}, ["Rich in hydrogen", "exchanged 20% of the atoms"]),
    ],
)
def test_cautions_are_given_where_they_belong(values, said):
    found = candidate.cautions(row(**values))
    assert len(found) == len(said) and all(part in text for part, text in zip(said, found, strict=True))


def test_what_can_be_off_is_written_beside_the_numbers():
    unsure = row(tc_K=50.0, tc_std_K=12.34, formation_energy_std_eV_per_atom=0.0456)
    shown = candidate.predictions_html(unsure, {"base": BASE})
    assert "50.0 ± 12.3" in shown and "± 0.046" in shown


def test_a_model_that_cannot_say_says_nothing():
    missing = row(tc_K=50.0, tc_std_K=float("nan"), formation_energy_std_eV_per_atom=float("nan"))
    assert "±" not in candidate.predictions_html(missing, {"base": BASE})


def test_the_distance_to_the_hull_is_shown_with_its_error():
    shown = candidate.above_html(row(energy_above_hull_eV_per_atom=-0.0204, energy_above_hull_std_eV_per_atom=0.0456))
    assert "−0.020 ± 0.046 eV/atom" in shown
    missing = row(energy_above_hull_eV_per_atom=0.0204, energy_above_hull_std_eV_per_atom=float("nan"))
    assert ">0.020 eV/atom" in candidate.above_html(missing)
