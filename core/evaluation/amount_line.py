"""What if: Tc, formation energy and energy above hull when the amount of one element of a formula changes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from core.chemistry.composition import formula_of
from core.chemistry.exact_formula import literal_amounts
from core.errors import InputError
from core.evaluation.user_formulas import Assessor, read_texts

STEPS = 21  # amounts, from none of the element to twice as much; the formula itself is in the middle
AMOUNT = "amount"  # column: atoms per formula unit
VALUES = (
    "tc_K", "tc_std_K", "formation_energy_eV_per_atom", "energy_above_hull_eV_per_atom",
    "energy_above_hull_std_eV_per_atom",
)  # fmt: skip


def amount_line(formula: str, symbol: str, assessor: Assessor) -> pd.DataFrame:
    """One row for each amount of an element: AMOUNT, formula, VALUES; NaN where a model does not know the elements.

    The amounts are evenly spaced from 0 (left out if nothing else remains) to twice that of the formula, which is among
    them to the letter; the other elements keep theirs.

    formula : as in a candidate table; symbol : an element of it

    Raises InputError if the formula does not contain the element.
    """
    amounts = literal_amounts(formula)
    if symbol not in amounts:
        raise InputError("element", symbol, f"{formula} does not contain it", f"Choose {', '.join(amounts)}")
    first = 0 if len(amounts) > 1 else 1
    values = amounts[symbol] * np.arange(first, STEPS) / (STEPS // 2)
    values[STEPS // 2 - first] = amounts[symbol]
    formulas = [formula_of({s: x for s, x in {**amounts, symbol: float(value)}.items() if x}) for value in values]
    found = assessor.screen(read_texts(formulas))
    columns = {name: found[name].astype("float64") for name in VALUES}
    return pd.DataFrame({AMOUNT: values, "formula": formulas, **columns})
