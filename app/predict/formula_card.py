"""The card of the selected formula: the one of the results page, without what only a run has."""

from __future__ import annotations

import html

import numpy as np
import pandas as pd
import streamlit as st

from app import cached_data
from app.predict.query import Query
from app.results.candidate_card.card import tabbed_card
from app.results.candidate_card.charges import charges, mean_charges_html, usual_text
from app.results.candidate_card.novelty import novelty
from app.results.candidate_card.overview import HYDROGEN_RICH, probability_html
from app.results.candidate_card.stability import stability
from app.results.candidate_card.structures import structures
from app.state import session
from app.text.formatting import counted_elements, deviation_text, signed_number
from app.text.html import table_html
from app.text.markdown import as_markdown
from core.chemistry.composition import composition_vector, whole_counts
from core.chemistry.exact_formula import Reading
from core.chemistry.families import hydrogen_rich
from core.evaluation.user_formulas import UserFormula
from core.problem.problem import DesignProblem
from core.screening.usual_charges import usual_charges

KNOWN_TO_THE_MODEL = 1e-6  # distance to the training data


def formula_card(formula: UserFormula, record: pd.Series, query: Query) -> None:
    """Everything that is known about a formula. record : its row of the table"""
    reading = formula.reading
    if reading is None:
        refused_card(formula)
        return
    row = card_row(reading, record)
    problem = DesignProblem(
        base=reading.read_as,
        tc_predictor=query.model_names.tc,
        formation_energy_predictor=query.model_names.formation_energy,
        charge_rule=query.charge_rule,
    )
    tabs = {
        "Overview": lambda: overview(row, reading),
        "Charges": lambda: formula_charges(row, reading, query.charge_rule),
        "Stability": lambda: formula_stability(row, problem),
        "Structures": lambda: structures(reading.read_as),
    }
    tabbed_card(reading.read_as, under_html(formula, reading), tabs)


def refused_card(formula: UserFormula) -> None:
    """The card of a formula that cannot be read."""
    with st.container(border=True, key="candidate"):
        st.html(f'<h2 class="candidate-name">{html.escape(formula.text)}</h2>')
        st.caption("This text was not read as a formula; the reason stands under the field.")


def card_row(reading: Reading, record: pd.Series) -> pd.Series:
    """The row in the form that the card of a candidate takes: with known, hydrogen_rich and n_elements."""
    composition = composition_vector(reading.amounts)
    return pd.Series(
        record.to_dict()
        | {
            "formula": reading.read_as,
            "known": cached_data.known_superconductors().same_as(composition) is not None,
            "hydrogen_rich": bool(hydrogen_rich(composition[None])[0]),
            "n_elements": len(reading.amounts),
        }
    )


def under_html(formula: UserFormula, reading: Reading) -> str:
    """The line under the name."""
    given = f"entered as {html.escape(formula.text)} · " if formula.read_as else ""
    atoms = f"{sum(reading.amounts.values()):.6g}"
    return (
        f"{given}{counted_elements(len(reading.amounts))} · {atoms} atom{'' if atoms == '1' else 's'} per formula unit"
    )


# ---- overview ----------------------------------------------------------------------------------------------------


def overview(row: pd.Series, reading: Reading) -> None:
    """Predictions, nearest known superconductor, warnings, and the way to the design page."""
    st.html(predictions_html(row))
    novelty(row)
    if row["error"]:
        st.html(f'<p class="caution">{html.escape(row["error"])}</p>')
    for text in warnings(row):
        st.html(f'<p class="caution">{text}</p>')
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Use as base of a design", icon=":material/arrow_forward:", key="predict.use_as_base"):
            session.use_in_draft(reading.read_as)
        st.code(reading.read_as, language=None, width="content")


def predictions_html(row: pd.Series) -> str:
    """Tc by both models and the formation energy, with their expected standard deviations."""
    tc, energy = row["tc_K"], row["formation_energy_eV_per_atom"]
    rows = (
        (
            "This formula",
            "–" if np.isnan(tc) else f"{tc:.1f}{deviation_text(row['tc_std_K'], 1)}",
            "–"
            if np.isnan(energy)
            else signed_number(energy, 3) + deviation_text(row["formation_energy_std_eV_per_atom"], 3),
        ),
        ("Control model", "–" if np.isnan(tc) else f"{row['tc_judge_K']:.1f}", ""),
    )
    return table_html(("Predicted", "Tc (K)", "Ef (eV/atom)"), rows) + probability_html(row)


def warnings(row: pd.Series) -> list[str]:
    """Reasons to doubt the predictions for this formula."""
    found = []
    if row["hydrogen_rich"]:
        found.append(HYDROGEN_RICH)
    elif row["caveat"]:
        found.append(html.escape(row["caveat"]))
    if row["distance_to_training"] < KNOWN_TO_THE_MODEL:
        found.append("The Tc model was trained with this composition: that it is near the reported Tc is no test of "
                     "the model.")  # fmt: skip
    if pd.notna(row["extrapolating"]) and row["extrapolating"]:
        found.append("Farther from the training data of the Tc model than 95% of held-out compounds of new chemical "
                     "systems: this Tc is very uncertain.")  # fmt: skip
    if disagreement(row):
        found.append("The control model differs from the Tc model by more than the expected deviation.")
    return found


def disagreement(row: pd.Series) -> bool:
    """Whether the Tc model and the control model differ by more than the expected standard deviation of Tc."""
    return bool(abs(row["tc_K"] - row["tc_judge_K"]) > row["tc_std_K"])


# ---- charges and stability ---------------------------------------------------------------------------------------


def formula_charges(row: pd.Series, reading: Reading, charge_rule: str) -> None:
    """The tab of the results page; amounts that are no whole numbers of atoms have no screen of the papers."""
    if whole_counts(reading.amounts) is not None:
        charges(row, charge_rule)
        return
    found = usual_charges(reading.amounts)
    if found.states:
        st.html(mean_charges_html(found.states, reading.amounts))
    st.html(f"<p>{usual_text(found)}</p>")
    st.caption(f"Screen of the papers: {as_markdown(row['reason'])}.")


def formula_stability(row: pd.Series, problem: DesignProblem) -> None:
    """The tab of the results page; an element that the formation-energy model does not know leaves it empty."""
    if pd.isna(row["energy_above_hull_eV_per_atom"]):
        st.caption(f"Without a formation energy there is no distance to the hull. {as_markdown(row['error'])}")
        return
    stability(row, problem)
