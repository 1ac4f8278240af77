"""What if one element of a candidate had another amount: Tc, its error and the energy above hull at once."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app import cached_data
from app.blocks import show_errors
from app.charts import CHART_CONFIG
from app.results.candidate_card.what_if_chart import amount_figure
from app.text.formatting import deviation_text, signed_number
from app.text.html import formula_html, table_html
from core.chemistry.exact_formula import literal_amounts
from core.errors import InputError
from core.evaluation.amount_line import AMOUNT
from core.predictors.registry import Models
from core.problem.problem import DesignProblem


def what_if(problem: DesignProblem, row: pd.Series) -> None:
    """The whole tab. Nothing is predicted before an element is chosen: the tabs of a card are always drawn."""
    formula, number = row["formula"], int(row["candidate"])
    amounts = literal_amounts(formula)
    symbol = st.segmented_control("Change the amount of", list(amounts), key=f"what_if.{number}")
    if symbol is None:
        st.caption("The other elements keep their amounts; the same models predict every formula again.")
        return
    models = Models(problem.tc_predictor, problem.formation_energy_predictor)
    try:
        line = cached_data.amount_line(formula, symbol, models, problem.charge_rule)
    except InputError as error:
        return show_errors([error])
    amount = st.select_slider(
        f"Atoms of {symbol} per formula unit", line[AMOUNT].tolist(), value=amounts[symbol],
        format_func=lambda value: f"{value:.4g}", key=f"what_if.{number}.{symbol}",
    )  # fmt: skip
    chosen = line[line[AMOUNT] == amount].iloc[0]
    st.html(comparison_html(line[line[AMOUNT] == amounts[symbol]].iloc[0], chosen))
    st.plotly_chart(amount_figure(line, symbol, amount), key=f"what_if.{number}.{symbol}.chart", config=CHART_CONFIG,
                    alt=f"Tc and energy above hull of {formula} against the amount of {symbol}")  # fmt: skip


def comparison_html(before: pd.Series, after: pd.Series) -> str:
    """The candidate and the changed formula."""
    rows = [
        (
            formula_html(each["formula"]),
            f"{each['tc_K']:.1f}{deviation_text(each['tc_std_K'], 1)}",
            signed_number(each["energy_above_hull_eV_per_atom"], 3)
            + deviation_text(each["energy_above_hull_std_eV_per_atom"], 3),
        )
        for each in (before, after)
    ]
    return table_html(("", "Tc (K)", "Above hull (eV/atom)"), rows, css="last")
