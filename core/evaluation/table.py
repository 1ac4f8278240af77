"""What a design gives back: the table of candidates, every column named once, and the account of the screens."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.chemistry import elements
from core.chemistry.composition import compositions
from core.chemistry.families import HYDROGEN_RICH
from core.problem.problem import DesignProblem
from core.problem.settings import ONE_STATE


@dataclass(frozen=True)
class Column:
    """One column of the candidate table: its name (with the unit in it), its type, and what it means."""

    name: str
    dtype: str
    label: str
    meaning: str
    digits: int | None = None


COLUMNS = (
    Column("rank", "int64", "Rank", "Order by predicted Tc, those that pass every screen first"),
    Column("formula", "str", "Formula", "Whole atoms in lowest terms; fractions of an atom are doping"),
    Column("tc_K", "float64", "Tc (K)", "Predicted critical temperature of the integer formula", 2),
    Column("tc_std_K", "float64", "± (K)", "Standard deviation to expect of Tc, by its distance to what is known", 2),
    Column("tc_gain_K", "float64", "Gain (K)", "Predicted Tc minus the predicted Tc of the base", 2),
    Column("tc_judge_K", "float64", "Judge (K)", "Tc by another model, that the optimiser never sees", 2),
    Column(
        "formation_energy_eV_per_atom",
        "float64",
        "Ef (eV/atom)",
        "Predicted formation energy of the formula",
        4,
    ),
    Column(
        "formation_energy_std_eV_per_atom",
        "float64",
        "± Ef (eV/atom)",
        "Standard deviation to expect of the formation energy, by the spread of the models",
        4,
    ),
    Column(
        "energy_above_hull_eV_per_atom",
        "float64",
        "Above hull (eV/atom)",
        "Predicted energy minus that of the best mixture of reference compounds; below 0: more stable than all of them",
        4,
    ),
    Column(
        "energy_above_hull_std_eV_per_atom",
        "float64",
        "± hull (eV/atom)",
        "Standard deviation to expect of the energy above hull; what the models get wrong in common cancels in it",
        4,
    ),
    Column("passes", "bool", "Passes", "Passes every screen"),
    Column("failed_screen", "str", "Failed screen", "The first screen that it fails; empty if it passes"),
    Column("charge_neutral", "bool", "Neutral", "Oxidation states (smact14; one per element or per atom) can sum to 0"),
    Column("pauling_ok", "bool", "Pauling", "... with all anions more electronegative (not asked of free atoms)"),
    Column("oxidation_states", "str", "Oxidation states", "The assignment that balances"),
    Column("reason", "str", "Charge balance", "Why the charges balance, or how far off they are"),
    Column(
        "decomposition",
        "str",
        "Competes with",
        "Best mixture of reference compounds, with fractions of atoms",
    ),
    Column("known", "bool", "Known", "A known superconductor agrees in every fraction to 0.005"),
    Column("nearest_known", "str", "Nearest known", "Nearest known superconductor (earth mover's distance)"),
    Column("nearest_known_tc_K", "float64", "Its Tc (K)", "Reported Tc of the nearest known superconductor", 2),
    Column("distance_to_known", "float64", "Distance", "Earth mover's distance on the Mendeleev-number scale", 3),
    Column("distance_to_training", "float64", "To training", "Distance to the nearest compound that Tc is from", 3),
    Column("extrapolating", "boolean", "Extrapolates", "Farther than 95 in 100 compounds of new chemical systems were"),
    Column("hydrogen_rich", "bool", "H-rich", "40% hydrogen or more: a Tc as under very high pressure, not at ambient"),
    Column("n_elements", "int64", "Elements", "Number of elements"),
    Column("n_atoms", "int64", "Atoms", "Atoms per formula unit"),
    Column("tc_before_rounding_K", "float64", "Tc unrounded (K)", "Predicted Tc before rounding to integers", 2),
    Column(
        "formation_energy_before_rounding_eV_per_atom",
        "float64",
        "Ef unrounded (eV/atom)",
        "Predicted formation energy before rounding to integers",
        4,
    ),
    Column(
        "integer_loss",
        "float64",
        "Integer loss",
        "Distance to the integer grid before rounding (L_integer)",
        5,
    ),
    Column(
        "rounding_distance",
        "float64",
        "Exchanged",
        "Fraction of the atoms that rounding exchanged: half the sum of the changes of the fractions",
        4,
    ),
    Column("times_found", "int64", "Found", "How many of the optimised candidates ended at this formula"),
    Column("candidate", "int64", "Candidate", "Number of the optimised candidate (the first that ended here)"),
)
BY_NAME = {column.name: column for column in COLUMNS}

# The screens, in order, and what each asks.
SCREENS = {
    "distinct": "Distinct formulas",
    "elements": "Fewer than 10 elements",
    "charge_neutral": "Charge neutral",
    "pauling_ok": "Pauling test",
    "formation_energy": "Formation energy below 0",
}


def screens(charge_rule: str) -> dict[str, str]:
    """The screens that are asked under this rule. Electronegativities say nothing where every atom is free."""
    if charge_rule == ONE_STATE:
        return SCREENS
    asked = {name: label for name, label in SCREENS.items() if name != "pauling_ok"}
    return asked | {"charge_neutral": "Charge neutral, every atom free"}


@dataclass(frozen=True)
class FunnelStep:
    """One screen: how many formulas are left after it, and why the others failed (reason -> how many).

    note : what else happened here, in a few words
    """

    screen: str
    label: str
    left: int
    failed: dict[str, int]
    note: str = ""


@dataclass(frozen=True)
class DesignResult:
    """The outcome of a design.

    problem : what was asked
    status : "finished", or "cancelled" (then the candidates are those at the moment of the cancel)
    base : predictions for the base material: tc_K, formation_energy_eV_per_atom, tc_judge_K
    candidates : one row per distinct formula, the columns of `COLUMNS`, by rank
    funnel : the screens in order
    restarts : candidates that died and were restarted, over the run
    device : where it ran
    """

    problem: DesignProblem
    status: str
    base: dict[str, float]
    candidates: pd.DataFrame
    funnel: tuple[FunnelStep, ...]
    restarts: int
    device: str

    @property
    def passing(self) -> pd.DataFrame:
        """The candidates that pass every screen, by rank."""
        return self.candidates[self.candidates["passes"]]


@dataclass(frozen=True)
class Gain:
    """Mean gain in Tc over the base of the best candidates that pass: as claimed by the model that was climbed, and as
    judged by the one that was not. What is claimed and not judged is exploitation of the model's flaws."""

    candidates: int
    claimed_K: float
    judged_K: float


def gain(passing: pd.DataFrame, base: dict[str, float], most: int = 30) -> Gain | None:
    """The gain of the first `most` rows; None if there are none, or they were never judged."""
    best = passing.head(most)
    if not len(best) or "tc_judge_K" not in base:
        return None
    return Gain(
        candidates=len(best),
        claimed_K=float(best["tc_K"].mean()) - base["tc_K"],
        judged_K=float(best["tc_judge_K"].mean()) - base["tc_judge_K"],
    )


MISSING = {"float64": float("nan"), "boolean": pd.NA}  # by type of the column


def read(table: pd.DataFrame) -> pd.DataFrame:
    """A stored table as `typed` gives it; what an older version did not store is missing."""
    later = {c.name: MISSING[c.dtype] for c in COLUMNS if c.dtype in MISSING and c.name not in table}
    if "hydrogen_rich" not in table:
        later["hydrogen_rich"] = hydrogen_rich(compositions(table["formula"]))
    return typed(table.assign(**later))


def hydrogen_rich(compositions: np.ndarray) -> np.ndarray:
    """(n,) bool: which of the compositions (n, 118) have a Tc that is known from hydrides under pressure only."""
    return compositions[:, elements.element("H").index] >= HYDROGEN_RICH - 1e-9


def typed(table: pd.DataFrame) -> pd.DataFrame:
    """The columns of `COLUMNS` in their order and with their types. Raises KeyError if one is missing."""
    return pd.DataFrame({c.name: table[c.name].astype(c.dtype) for c in COLUMNS})


def safe_cell(value: object) -> object:
    """Text that a spreadsheet will not take for a formula: a leading = + - @ or control character gets a quote.

    A carriage return becomes a line feed: Python 3.11 does not quote it, and spreadsheets begin a new row there.
    """
    if not isinstance(value, str):
        return value
    text = value.replace("\r\n", "\n").replace("\r", "\n")
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\n") else text


def to_csv(table: pd.DataFrame) -> str:
    """A table as CSV text: UTF-8, units in the headers, "\\n" line ends, numbers to their column's digits.

    Missing numbers are empty cells; text is safe in a spreadsheet.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.columns)
    digits = [BY_NAME[name].digits if name in BY_NAME else None for name in table.columns]
    for row in table.itertuples(index=False):
        writer.writerow([_cell(value, d) for value, d in zip(row, digits, strict=True)])
    return out.getvalue()


def _cell(value: object, digits: int | None) -> object:
    if pd.isna(value):
        return ""
    if digits is not None and isinstance(value, float):
        return f"{round(value, digits) + 0.0:.{digits}f}"  # + 0.0: no minus before a zero
    return safe_cell(value)
