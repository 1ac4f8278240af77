"""The stability of a candidate: energy above hull, its meaning, competing phases, and known compounds beside it."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd
import streamlit as st

from app import cached_data
from app.results.candidate_card.hull_context import comparison, diagram
from app.results.filters import same_composition
from app.text.formatting import deviation_text, signed_number
from app.text.html import formula_html
from core.chemistry.conventional_formula import chemists_formula
from core.problem.problem import DesignProblem

ON_THE_HULL = 5e-4  # eV/atom; displayed as 0.000
METASTABLE = 0.067  # eV/atom; 90% of the known metastable phases are below it (doi:10.1126/sciadv.1600225)
HULL_STD = "energy_above_hull_std_eV_per_atom"
AT_AMBIENT_PRESSURE = (
    "Hydrogen-rich: the hull is that at ambient pressure. Under the pressures at which such hydrides superconduct "
    "other phases compete, and this distance says nothing about them."
)
DEVIATION_NOTE = (
    " ± is the expected standard deviation of the distance, from the disagreement of the ensemble members; "
    "errors that the candidate and predicted competing phases have in common cancel."
)


def stability(row: pd.Series, problem: DesignProblem) -> None:
    """The whole tab."""
    if pd.isna(row["energy_above_hull_eV_per_atom"]):
        st.caption("The energy above hull is computed only for formulas that pass every screen.")
        return
    st.html(f"{above_hull_html(row)}<p>{meaning(row)}</p>")
    if row["hydrogen_rich"]:
        st.html(f'<p class="caution">{AT_AMBIENT_PRESSURE}</p>')
    st.html(phases_html(parse_decomposition(row["decomposition"])))
    error = cached_data.mean_energy_error(problem.formation_energy_predictor)
    st.caption(
        "Competing phases with their share of the atoms, at 0 K. Their energies, and that of a known phase, are those "
        "that the Materials Project calculated, where the models learnt them. All others are predicted from the "
        f"composition alone{f', with a mean error of {error:.2f} eV/atom' if error else ''}."
        f"{'' if pd.isna(row[HULL_STD]) else DEVIATION_NOTE}"
    )
    comparison(row, problem)
    diagram(row, problem)


def above_hull_html(row: pd.Series) -> str:
    """The energy above hull with its expected standard deviation."""
    above = signed_number(row["energy_above_hull_eV_per_atom"], 3)
    return f'<p><b class="big">{above}{deviation_text(row[HULL_STD], 3)} eV/atom</b> above the hull</p>'


def meaning(row: pd.Series) -> str:
    """The energy above hull in words."""
    above = row["energy_above_hull_eV_per_atom"]
    if abs(above) < ON_THE_HULL:
        phases = parse_decomposition(row["decomposition"])
        if len(phases) == 1 and same_composition(phases[0][0], row["formula"]):
            return "On the hull, and known: this composition is itself one of the reference phases."
        return "On the hull: according to the model, as stable as a mixture of these phases."
    if -row[HULL_STD] < above < 0:
        return "On the hull within the accuracy of the model: the distance is smaller than its expected error."
    if above < 0:
        return ("Below the hull: according to the model, more stable than every mixture of these phases. "
                "This is either a new stable phase or an error of the model.")  # fmt: skip
    if above <= METASTABLE:
        return f"Near the hull: 90% of the known metastable compounds are at most {METASTABLE} eV/atom above it."
    return "Decomposition into these phases releases energy; the farther above the hull, the harder the synthesis."


def parse_decomposition(text: str) -> list[tuple[str, float]]:
    """The text of the column `decomposition` ("0.500 La2O3 + 0.500 FeAs") -> [("La2O3", 0.5), ...].

    Formulas are written as chemists write them, also those of runs of earlier versions.
    """
    pairs = [part.split(" ", 1) for part in text.split(" + ") if part]
    return [(chemists_formula(formula), float(fraction)) for fraction, formula in pairs]


def phases_html(phases: Iterable[tuple[str, float]]) -> str:
    """Competing phases with bars for their share of the atoms."""
    rows = "".join(
        f'<div>{formula_html(formula)}</div><div class="bar" aria-hidden="true"><i style="width:{x:.2%}"></i></div>'
        f'<div class="number">{x:.1%}</div>'
        for formula, x in phases
    )
    return f'<div class="phases">{rows}</div>'
