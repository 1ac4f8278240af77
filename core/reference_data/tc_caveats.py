"""Reasons why a Tc does not hold for a compound as its formula is written, at ambient pressure.

SuperCon gives neither the pressure nor the exact amount of oxygen of every sample, so that models learn Tc of elements
and semiconductors under pressure, and of doped samples under the formula of their insulating parents. A Tc is suspected
if it is clearly above what is known of the stoichiometric compound at ambient pressure: from a list with sources
(`assets/tc-caveats.csv`), and by rules for elements, hydrogen-rich compounds and undoped cuprates.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.spatial.distance import cdist

from core.chemistry import elements
from core.chemistry.composition import compositions
from core.chemistry.families import hydrogen_rich
from core.paths import ASSETS
from core.predictors.features.copper_valence import charges

LIST = ASSETS / "tc-caveats.csv"
PRESSURE, OFF_STOICHIOMETRY = "pressure", "off_stoichiometry"
LISTED = 0.0005  # largest difference in a fraction to a listed compound: La2CuO4.01 is another one than La2CuO4
MARGIN_K, MARGIN = 1.0, 0.25  # a Tc above the ambient one by both is not explained by scatter of samples and model
HYDRIDES_K = 20.0  # the highest Tc of a hydride at ambient pressure is 16.6 K, in Pd-Cu-H (Stritzker 1974)
CUPRATE_K = 5.0  # Tc above which an undoped cuprate is suspected
UNDOPED = 0.02  # largest deviation of the formal state of copper from +2 of an undoped cuprate
# RBa2Cu3Ox superconducts above O6.35, where copper is formally +1.9 (Jorgensen et al. 1990).
CHAINS_DOPED, JORGENSEN = 1.9, "doi:10.1103/PhysRevB.41.1863"
BUZEA = "Buzea and Robbie 2005, doi:10.1088/0953-2048/18/1/R01"  # a review of all superconducting elements
HULL = "The hull is that at ambient pressure, and says nothing about the stability under pressure."
RARE_EARTHS = "Y La Pr Nd Sm Eu Gd Tb Dy Ho Er Tm Yb Lu"
RESERVOIRS = "Hg Tl Bi"  # with one of them barium is not beside chains of copper and oxygen
# Elements with one charge in cuprates, so that the state of copper follows from the formula.
ONE_CHARGE = f"Cu O F Cl Br Li Na K Mg Ca Sr Ba {RARE_EARTHS} Ce Th {RESERVOIRS} Zn Ni Al Ga"


@dataclass(frozen=True)
class Caveats:
    """For n compositions: whether the Tc suggests pressure or another stoichiometry, (n,) bool, and why, n texts."""

    pressure: np.ndarray
    off_stoichiometry: np.ndarray
    text: np.ndarray


@dataclass(frozen=True)
class _Entry:
    """A row of the list: ambient_tc_K is the Tc of the stoichiometric bulk compound at ambient pressure."""

    formula: str
    kind: str
    ambient_tc_K: float
    note: str
    source: str


Found = dict[int, tuple[str, str]]  # index of a composition -> kind and text; empty where no rule may apply


def caveats(x: np.ndarray, tc_K: np.ndarray) -> Caveats:
    """Caveats about Tc (n,) in K, measured or predicted, of compositions (n, 118); none about a NaN."""
    found: Found = {}
    rules: tuple[Callable[[np.ndarray, np.ndarray], Found], ...] = (_listed, _elements, _hydrides, _cuprates)
    for rule in rules:
        found = rule(x, tc_K) | found
    kinds, texts = np.full((2, len(x)), "", dtype=object)
    for row, (kind, text) in found.items():
        kinds[row], texts[row] = kind, text
    return Caveats(kinds == PRESSURE, kinds == OFF_STOICHIOMETRY, texts)


def _listed(x: np.ndarray, tc_K: np.ndarray) -> Found:
    listed, entries = _list()
    difference = cdist(x, listed, "chebyshev")
    found: Found = {}
    for row in np.flatnonzero(difference.min(1, initial=1.0) <= LISTED):
        entry = entries[int(difference[row].argmin())]
        above = tc_K[row] > entry.ambient_tc_K + max(MARGIN_K, MARGIN * entry.ambient_tc_K)
        found[int(row)] = (entry.kind, _text(entry)) if above else ("", "")
    return found


def _text(entry: _Entry) -> str:
    known = f"Tc {entry.ambient_tc_K:g} K at ambient pressure" if entry.ambient_tc_K else "no superconductor as written"
    why = "pressure or a thin film" if entry.kind == PRESSURE else "another stoichiometry"
    note = f", {entry.note}" if entry.note else ""
    hull = f" {HULL}" if hydrogen_rich(compositions([entry.formula]))[0] else ""
    return f"{entry.formula}: {known}{note} ({entry.source}). A higher Tc suggests {why}.{hull}"


def _elements(x: np.ndarray, tc_K: np.ndarray) -> Found:
    symbols = elements.symbols()
    text = "{}: no superconductor at ambient pressure ({}). A Tc suggests pressure or a thin film."
    pure = np.flatnonzero((x.max(1, initial=0.0) >= 1 - LISTED) & (tc_K > MARGIN_K))
    return {int(row): (PRESSURE, text.format(symbols[int(x[row].argmax())], BUZEA)) for row in pure}


def _hydrides(x: np.ndarray, tc_K: np.ndarray) -> Found:
    text = (
        f"Hydrogen-rich, and Tc above {HYDRIDES_K:g} K: such hydrides are known under very high pressure only. {HULL}"
    )
    return {int(row): (PRESSURE, text) for row in np.flatnonzero(hydrogen_rich(x) & (tc_K > HYDRIDES_K))}


def _cuprates(x: np.ndarray, tc_K: np.ndarray) -> Found:
    state = copper_states(x)
    with_barium = (_share("Ba", x) > 0) & (_share(RESERVOIRS, x) == 0)
    chains = with_barium & (_share(f"Ba Cu O {RARE_EARTHS}", x) > 1 - LISTED) & (state < CHAINS_DOPED)
    undoped = ~with_barium & (np.abs(state - 2) <= UNDOPED)
    found: Found = {}
    for row in np.flatnonzero((chains | undoped) & (tc_K > CUPRATE_K)):
        why = "as in undoped, insulating cuprates"
        if chains[row]:
            why = f"and with chains of copper a cuprate superconducts above {CHAINS_DOPED:+.2f} ({JORGENSEN})"
        text = f"As written, copper is formally {state[row]:+.2f}, {why}. A Tc suggests another amount of oxygen."
        found[int(row)] = OFF_STOICHIOMETRY, text
    return found


def copper_states(x: np.ndarray) -> np.ndarray:
    """Formal oxidation state (n,) of copper in copper oxides x (n, 118); NaN if x is none, or it does not follow."""
    copper, charge = _share("Cu", x), charges().numpy()
    follows = (copper > 0.02) & (_share("O", x) > 0) & (_share(ONE_CHARGE, x) > 1 - LISTED)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(follows, charge[elements.element("Cu").index] - x @ charge / copper, np.nan)


def _share(symbols: str, x: np.ndarray) -> np.ndarray:
    """Fraction (n,) of these elements in compositions (n, 118)."""
    return x[:, [elements.element(symbol).index for symbol in symbols.split()]].sum(1)


@cache
def _list() -> tuple[np.ndarray, list[_Entry]]:
    """Compositions (m, 118) and entries of the list."""
    with LIST.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    entries = [
        _Entry(row["formula"], row["kind"], float(row["ambient_tc_K"]), row["note"], row["source"]) for row in rows
    ]
    return compositions([entry.formula for entry in entries]), entries
