"""What a problem demands of its results beyond the screens: new, near the base, few of the same elements."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.chemistry.composition import composition_vector
from core.chemistry.tolerances import ROUNDING_ERROR
from core.evaluation.funnel import first_failed
from core.evaluation.ranking import tc_minus_error_K
from core.problem.problem import DesignProblem
from core.problem.settings import NEAR, NEW
from core.reference_data.references import load_references
from core.screening.composition_distance import KnownCompositions, exchanged_share
from core.screening.registry import screens


def add_demands(table: pd.DataFrame, compositions: np.ndarray, problem: DesignProblem) -> None:
    """Add the columns of the screens on demand, true where nothing is demanded.

    table : one row per distinct formula, with every column that the other screens read
    compositions : (n, 118), in the order of the rows

    Of formulas with the same elements the best by rank are kept, among the rows that pass all other screens.
    """
    settings, base = problem.settings, composition_vector(problem.base_fractions())
    table["near_base"] = table["new"] = table["few_of_elements"] = True
    if settings.change == NEAR:
        table["near_base"] = exchanged_share(compositions, base) <= settings.most_changed + ROUNDING_ERROR
    if settings.novelty == NEW:
        known = KnownCompositions(np.concatenate([load_references().superconducting_compositions, base[None]]))
        table["new"] = ~known.any_within(compositions, settings.least_distance)
    if settings.per_element_set:
        passing = np.flatnonzero(first_failed(table, screens(problem.charge_rule, settings)) == "")
        order = passing[np.argsort(-tc_minus_error_K(table)[passing], kind="stable")]
        few = np.ones(len(table), dtype=bool)
        few[order[surplus(compositions[order] > 0, settings.per_element_set)]] = False
        table["few_of_elements"] = few


def surplus(present: np.ndarray, most: int) -> np.ndarray:
    """Mask (n,) of the formulas after the first `most` with the same elements; nowhere true for 0, any number.

    present : (n, 118) whether an element is in a formula, the best formula first
    """
    sets = pd.Series([row.tobytes() for row in present], dtype=object)
    return (sets.groupby(sets).cumcount() >= most).to_numpy(bool) & (most > 0)
