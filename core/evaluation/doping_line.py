"""Tc along a doping line: a series such as La2-xSrxCuO4, x = 0..0.3 in 7 steps, with the measured points on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.spatial.distance import cdist

from core.chemistry.composition import composition_vector
from core.chemistry.composition_series import Series, read_series
from core.chemistry.exact_formula import parsed, reading
from core.chemistry.spelling import plain
from core.chemistry.tolerances import ON_DOPING_LINE
from core.errors import InputError
from core.evaluation.user_formulas import Assessor, UserFormula
from core.reference_data.references import load_references

GRID = 601  # values of the variable at which known superconductors are looked for
PREDICTED, REPORTED = "predicted", "reported"
DETAILS = ("tc_std_K", "tc_judge_K", "formation_energy_eV_per_atom")


@dataclass(frozen=True)
class DopingLine:
    """Predictions and measurements along a series.

    variable : the one that changes
    predicted : one row per member: the variable, formula, tc_K and DETAILS
    reported : known superconductors on the line, by the variable: the variable, formula, tc_K and reports
    """

    series: Series
    variable: str
    predicted: pd.DataFrame
    reported: pd.DataFrame

    def table(self) -> pd.DataFrame:
        """Both in one table, with a column kind: predicted or reported."""
        parts = [
            self.predicted.assign(kind=PREDICTED),
            self.reported.assign(kind=REPORTED, **dict.fromkeys(DETAILS, np.nan)),
        ]
        columns = ["kind", self.variable, "formula", "tc_K", *DETAILS]
        return pd.concat([part[columns] for part in parts], ignore_index=True)


def doping_line(text: str, assessor: Assessor) -> DopingLine:
    """The doping line of a series. Raises InputError unless exactly one variable has several values."""
    series = read_series(text)
    variable = changing_variable(text, series)
    formulas = [UserFormula(i, member.reading.read_as, member.reading) for i, member in enumerate(series.members)]
    found = assessor.predict(formulas)
    failed = found["error"][found["error"] != ""]
    if len(failed):
        raise InputError("formula", text, str(failed.iloc[0]), "Choose other elements")
    values = [member.values[variable] for member in series.members]
    predicted = pd.DataFrame({variable: values, "formula": found["formula"], "tc_K": found["tc_K"]})
    return DopingLine(series, variable, predicted.assign(**{n: found[n] for n in DETAILS}), _reported(series, variable))


def changing_variable(text: str, series: Series) -> str:
    """The one variable with several values. Raises InputError for none or several."""
    changing = [name for name in series.variables if len({member.values[name] for member in series.members}) > 1]
    if len(changing) != 1:
        rule = f"a doping line needs one variable with several values, not {len(changing)}"
        raise InputError("formula", text, rule, "Write it as La2-xSrxCuO4, x = 0..0.3 in 7 steps")
    return changing[0]


def _reported(series: Series, variable: str) -> pd.DataFrame:
    """The known superconductors of the same elements whose fractions are within ON_DOPING_LINE of a point of the line.

    Each is placed at the value of the variable at which its largest deviation is smallest.
    """
    references = load_references()
    values = np.array([member.values[variable] for member in series.members])
    grid = np.linspace(values.min(), values.max(), GRID)
    line = _compositions(series, variable, grid)
    foreign = (references.known_compositions[:, line.max(0) == 0] > 0).any(1)
    rows = np.flatnonzero(~foreign & (references.known_tc_K > 0))
    deviations = cdist(references.known_compositions[rows], line, "chebyshev")
    places = deviations.argmin(1) if len(rows) else np.zeros(0, dtype=np.int64)
    near = deviations[np.arange(len(rows)), places] <= ON_DOPING_LINE
    table = pd.DataFrame(
        {
            variable: grid[places[near]],
            "formula": [references.known_formulas[i] for i in rows[near]],
            "tc_K": references.known_tc_K[rows[near]],
            "reports": references.known_reports[rows[near]],
        }
    )
    return table.sort_values([variable, "formula"], ignore_index=True)


def _compositions(series: Series, variable: str, values: np.ndarray) -> np.ndarray:
    """Compositions (n, 118) of the series at these values of one variable, the others as in the first member."""
    groups = parsed(series.formula, plain(series.formula))
    first = dict(series.members[0].values)
    readings = [reading(series.formula, groups, first | {variable: float(value)}) for value in values]
    return np.stack([composition_vector(each.amounts) for each in readings])
