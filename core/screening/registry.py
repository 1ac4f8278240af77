"""The screens in the order in which they are applied. A new screen is one `Screen` and one entry in a list.

`SCREENS` are those of the papers: a candidate passes if it meets all of them. `FURTHER_SCREENS` are what a chemist asks
next; a candidate passes without them, and the result page counts and filters by them. `ON_DEMAND` are applied after
`SCREENS` if the settings of a problem demand them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from core.chemistry.tolerances import WHOLE_ATOM
from core.problem.settings import EVERY_ATOM, NEAR, NEW, ONE_STATE, OptimiserSettings
from core.screening.interface import Screen

LARGEST_EXCHANGE = 0.1  # fraction of the atoms: a formula farther from the optimised composition is another candidate
NEAR_HULL_eV_per_atom = 0.1  # most compounds that have been made are predicted to be nearer
MAX_SCREENED_ELEMENTS = 9  # SuperCon has no compound with more elements; the paper requires fewer than 10


def _is_true(column: str) -> Callable[[pd.DataFrame], np.ndarray]:
    return lambda rows: rows[column].to_numpy(dtype=bool)


def _is_first_occurrence(rows: pd.DataFrame) -> np.ndarray:
    return ~rows["formula"].duplicated().to_numpy(dtype=bool)


def _has_few_elements(rows: pd.DataFrame) -> np.ndarray:
    return (rows["n_elements"] <= MAX_SCREENED_ELEMENTS).to_numpy(dtype=bool)


def _is_bound(rows: pd.DataFrame) -> np.ndarray:
    """Negative formation energy; a pure element, whose formation energy is 0 by definition, fails."""
    bound = (rows["formation_energy_eV_per_atom"] < 0) & (rows["n_elements"] > 1)
    return bound.to_numpy(dtype=bool)


def _why_repeated(rows: pd.DataFrame) -> pd.Series:
    return pd.Series("the same formula was reached before", index=rows.index)


def _why_too_many_elements(rows: pd.DataFrame) -> pd.Series:
    return rows["n_elements"].map(lambda n: f"{n} elements")


def _why_charges(rows: pd.DataFrame) -> pd.Series:
    return rows["reason"]


def _why_unbound(rows: pd.DataFrame) -> pd.Series:
    compound, element = "predicted formation energy is not negative", "a pure element has a formation energy of 0"
    return rows["n_elements"].map(lambda n: compound if n > 1 else element)


DISTINCT = Screen("distinct", "Distinct formulas", _is_first_occurrence, _why_repeated)
FEW_ELEMENTS = Screen(
    name="elements",
    label=f"Fewer than {MAX_SCREENED_ELEMENTS + 1} elements",
    test=_has_few_elements,
    reason=_why_too_many_elements,
    advice="allow fewer elements (the maximum is on the design page)",
)
CHARGE_NEUTRAL = Screen(
    name="charge_neutral",
    label="Charge neutral",
    test=_is_true("charge_neutral"),
    reason=_why_charges,
    advice="allow elements with several oxidation states, such as Fe, Cu, Mn or Bi, allow larger formula units "
    "(a larger N), or optimise more candidates",
    charge_rules=(ONE_STATE,),
)
CHARGE_NEUTRAL_EVERY_ATOM = replace(CHARGE_NEUTRAL, label="Charge neutral, every atom free", charge_rules=(EVERY_ATOM,))
PAULING = Screen(
    name="pauling_ok",
    label="Pauling test",
    test=_is_true("pauling_ok"),
    reason=_why_charges,
    advice="allow more electronegative elements (O, F, S, Cl), or forbid elements that fail this test",
    charge_rules=(ONE_STATE,),  # under the other rule atoms of one element may be both cations and anions
)
FORMATION_ENERGY = Screen(
    name="formation_energy",
    label="Formation energy below 0",
    test=_is_bound,
    reason=_why_unbound,
    advice="raise the weight of the formation energy, or forbid elements that form few stable compounds",
)

SCREENS = (DISTINCT, FEW_ELEMENTS, CHARGE_NEUTRAL, CHARGE_NEUTRAL_EVERY_ATOM, PAULING, FORMATION_ENERGY)


def _constant(text: str) -> Callable[[pd.DataFrame], pd.Series]:
    return lambda rows: pd.Series(text, index=rows.index)


def _at_most(column: str, limit: float) -> Callable[[pd.DataFrame], np.ndarray]:
    return lambda rows: (rows[column] <= limit).to_numpy(dtype=bool)


def _has_usual_charges(rows: pd.DataFrame) -> np.ndarray:
    """Also where charge counting does not apply, or was not done in an earlier version."""
    return rows["usual_charges"].fillna(True).to_numpy(dtype=bool)


def _gains(rows: pd.DataFrame) -> np.ndarray:
    return (rows["tc_gain_K"] > 0).to_numpy(dtype=bool)


def _gains_more_than_its_error(rows: pd.DataFrame) -> np.ndarray:
    return (rows["tc_gain_K"] > rows["tc_std_K"].fillna(0)).to_numpy(dtype=bool)


def _is_within_its_error_of_the_hull(rows: pd.DataFrame) -> np.ndarray:
    error = rows["energy_above_hull_std_eV_per_atom"].fillna(0)
    return (rows["energy_above_hull_eV_per_atom"] <= error).to_numpy(dtype=bool)


EXCHANGE = Screen(
    name="exchange",
    label=f"Rounding exchanged at most {LARGEST_EXCHANGE:.0%} of the atoms",
    test=_at_most("rounding_distance", LARGEST_EXCHANGE + WHOLE_ATOM),
    reason=_constant("another composition than the optimised one"),
)
USUAL_CHARGES = Screen(
    name="usual_charges",
    label="Usual charges",
    test=_has_usual_charges,
    reason=_constant("balances only with unusual oxidation states"),
)
ABOVE_BASE = Screen("above_base", "Tc above that of the base", _gains, _constant("no gain"))
ABOVE_ERROR = Screen(
    name="above_error",
    label="Gain above its error",
    test=_gains_more_than_its_error,
    reason=_constant("the gain is smaller than the expected error of Tc"),
)
NEAR_HULL = Screen(
    name="near_hull",
    label=f"At most {NEAR_HULL_eV_per_atom} eV/atom above the hull",
    test=_at_most("energy_above_hull_eV_per_atom", NEAR_HULL_eV_per_atom),
    reason=_constant("farther above the hull"),
)

WITHIN_HULL_ERROR = Screen(
    name="within_hull_error",
    label="On the hull within the error",
    test=_is_within_its_error_of_the_hull,
    reason=_constant("above the hull by more than the expected error"),
)

FURTHER_SCREENS = (EXCHANGE, USUAL_CHARGES, ABOVE_BASE, ABOVE_ERROR, NEAR_HULL, WITHIN_HULL_ERROR)


NEAR_BASE = Screen(
    name="near_base",
    label="Near the base",
    test=_is_true("near_base"),
    reason=_constant("more of the atoms differ from the base than allowed"),
    advice="allow more of the atoms to change, or search integer formulas, which stays within the limit",
)
NEW_FORMULA = Screen(
    name="new",
    label="New",
    test=_is_true("new"),
    reason=_constant("a known superconductor, or the base, is nearer than allowed"),
    advice="demand a smaller distance, or search integer formulas, which looks among new ones only",
)
FEW_OF_ELEMENTS = Screen(
    name="few_of_elements",
    label="Few of the same elements",
    test=_is_true("few_of_elements"),
    reason=_constant("enough better formulas consist of the same elements"),
)

ON_DEMAND = (NEAR_BASE, NEW_FORMULA, FEW_OF_ELEMENTS)


def screens(charge_rule: str, settings: OptimiserSettings | None = None) -> tuple[Screen, ...]:
    """The screens that are applied under a charge rule, in order, and those that the settings demand."""
    demanded = settings or OptimiserSettings()
    on = (demanded.change == NEAR, demanded.novelty == NEW, demanded.per_element_set > 0)
    always = tuple(screen for screen in SCREENS if charge_rule in screen.charge_rules)
    return always + tuple(screen for screen, wanted in zip(ON_DEMAND, on, strict=True) if wanted)


def listed(charge_rule: str) -> str:
    """The screens of a charge rule as a list in words."""
    return ", ".join(screen.label.lower().replace("pauling", "Pauling") for screen in screens(charge_rule))


def find_screen(name: str) -> Screen | None:
    """The first screen with this name; None for an unknown name, for example in a run of another version."""
    return next((screen for screen in SCREENS + ON_DEMAND if screen.name == name), None)
