"""The charges of a candidate: the most plausible oxidation states, and the verdict of the papers' screen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

import pandas as pd
import streamlit as st

from app.text.formatting import charge_text, signed_number, with_minus
from app.text.html import formula_html, table_html
from core.chemistry.composition import composition_vector, formula_of, whole_counts
from core.chemistry.elements import N_ELEMENTS, element
from core.chemistry.exact_formula import literal_amounts
from core.evaluation.charges import states_of_substitution
from core.problem.problem import DesignProblem
from core.problem.settings import EVERY_ATOM, ONE_STATE
from core.screening.charge_neutrality import ChargeBalance, charge_balance
from core.screening.usual_charges import UsualCharges, usual_charges

RULES = {
    ONE_STATE: "One oxidation state per element (the smact14 set of SMACT).",
    EVERY_ATOM: "One oxidation state per atom (smact14 set, KIAGO 3.6); no Pauling test.",
}


def charges(row: pd.Series, charge_rule: str, problem: DesignProblem | None = None) -> None:
    """The most plausible states with the question whether they are usual, then the screen of the papers.

    problem : its substitutions set the states of their replacements; None: no problem
    """
    amounts = literal_amounts(row["formula"])
    found = usual_charges(amounts, None if problem is None else states_of_substitution(problem, amounts))
    if found.states:
        st.html(mean_charges_html(found.states, amounts))
    st.html(f"<p>{usual_text(found)}</p>")
    with st.expander("Screen of the papers", expanded=not found.states):
        papers_screen(row, charge_rule)


def usual_text(found: UsualCharges) -> str:
    """Whether the states are usual, as a sentence."""
    verdict = {True: "Usual charges", False: "No usual charges", None: "Charges"}[found.usual]
    return f"{verdict}: {found.reason}."


def mean_charges_html(states: Iterable[tuple[str, float]], amounts: Mapping[str, float]) -> str:
    """The balance as a table, per formula unit. states : (symbol, mean oxidation state)"""
    rows = [
        (symbol, f"{amounts[symbol]:g}", with_minus(f"{state:+.3g}"), with_minus(f"{amounts[symbol] * state:+.4g}"))
        for symbol, state in states
    ]
    return table_html(("Element", "Atoms", "State", "Charge"), rows, foot=("Sum", "", "", "0"))


def papers_screen(row: pd.Series, charge_rule: str) -> None:
    """The states that balance by the rule of the papers, or the reason why there are none."""
    balance = balance_of(row["formula"], charge_rule)
    if not balance.oxidation_states:
        st.html(f"<p>{balance.reason[:1].upper()}{balance.reason[1:]}.</p>")
        return
    if "." in row["formula"]:
        cell = formula_of(whole_counts(literal_amounts(row["formula"])))
        st.html(f"<p>For {formula_html(cell)}, the smallest cell with whole atoms.</p>")
    st.html(charges_html(balance.oxidation_states, balance.atoms))
    if unusual := unusual_states_text(balance.oxidation_states):
        st.html(f'<p class="caution">{unusual}</p>')
    st.caption(RULES[charge_rule] + ("" if balance.pauling_ok else f" But: {balance.reason}."))


@lru_cache(maxsize=512)
def balance_of(formula: str, charge_rule: str) -> ChargeBalance:
    """The charge balance of the smallest cell of a formula that has whole atoms."""
    amounts = literal_amounts(formula)
    counts = whole_counts(amounts)
    cell = (composition_vector(counts) * sum(counts.values())).round().reshape(1, N_ELEMENTS)
    return charge_balance(cell, charge_rule, [sum(counts.values()) / sum(amounts.values())])[0]


def charges_html(states: Iterable[tuple[str, int]], atoms: Iterable[int]) -> str:
    """The balance as a table. states : (symbol, oxidation state); atoms : of each of them"""
    rows, total = [], 0
    for (symbol, state), count in zip(states, atoms, strict=True):
        rows.append((symbol, str(count), signed_number(state), signed_number(count * state)))
        total += count * state
    return table_html(("Element", "Atoms", "State", "Charge"), rows, foot=("Sum", "", "", signed_number(total)))


def unusual_states_text(states: Iterable[tuple[str, int]]) -> str:
    """The oxidation states in a balance that are rare for their element; empty if there are none."""
    found = []
    for symbol, state in states:
        usual = element(symbol).usual_oxidation_states
        if usual and state not in usual:
            found.append(f"{symbol} {charge_text(state)} (usually {' or '.join(map(charge_text, usual))})")
    if not found:
        return ""
    return (
        f"Unusual: {', '.join(found)}. The screen of the papers accepts such states, but they occur in few compounds: "
        "this charge balance is doubtful, unless an element has two oxidation states at once."
    )
