"""The page Predict: formulas that a user enters, with what python -m core screen gives, and a card of each."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app import cached_data
from app.blocks import show_errors
from app.charts import CHART_CONFIG
from app.design.doping_chart import doping_figure
from app.predict import session_query
from app.predict.assessment import Assessment
from app.predict.formula_card import formula_card
from app.predict.formula_input import formula_input
from app.predict.measurements import own_measurements
from app.predict.refusals import refusals, unknown_elements
from app.predict.result_table import result_table, selected_place
from core.chemistry.composition_series import is_series, read_series
from core.errors import InputError
from core.evaluation.doping_line import changing_variable
from core.predictors.registry import Models

MOST_CHARTS = 3


def page() -> None:
    """Input and messages on the left, the card of the selected row beside them, below them table and measurements."""
    st.title("Predict", anchor=False)
    query = session_query.query()
    left, right = st.columns([1.25, 1], gap="medium")
    with left:
        formula_input(query)
        try:
            assessment = session_query.assessment()
        except InputError as error:
            show_errors([error])
            return
        session_query.write_link()
        refusals(assessment.read.formulas)
        if assessment.total:
            session_query.complete(assessment)
            unknown_elements(
                error
                for formula, error in zip(assessment.read.formulas, assessment.table()["error"], strict=True)
                if formula.reading is not None and error
            )
            doping_lines([text for text in assessment.read.texts if isinstance(text, str)], query.model_names)
    with right:
        if assessment.total:
            selected_card(assessment)
        else:
            introduction()
    if assessment.total:
        table = assessment.table()
        result_table(assessment, table, selected_place(assessment, table))
    readings = [formula.reading for formula in assessment.read.formulas]
    own_measurements([reading.read_as for reading in readings if reading is not None], query.model_names.tc)


def introduction() -> None:
    """What the page gives, in place of the card."""
    with st.container(border=True):
        st.markdown(
            "For each formula: Tc and formation energy with their expected errors, Tc by the control model, the most "
            "plausible oxidation states, the distance to the convex hull with the competing phases, and the nearest "
            "known superconductor. The same as `python -m core screen`."
        )


def selected_card(assessment: Assessment) -> None:
    """The card of the selected row."""
    table = assessment.table()
    place = selected_place(assessment, table)
    formula_card(assessment.read.formulas[place], table.iloc[place], assessment.query)


def doping_lines(texts: Sequence[str], models: Models) -> None:
    """The chart of each series in which one variable has several values, at most MOST_CHARTS."""
    for place, series in enumerate([text for text in dict.fromkeys(texts) if has_doping_line(text)][:MOST_CHARTS]):
        try:
            line = cached_data.doping_line(series, models)
        except InputError as error:
            show_errors([error])
            continue
        st.plotly_chart(doping_figure(line), key=f"predict.doping_line.{place}", config=CHART_CONFIG,
                        alt=f"Tc along {series}")  # fmt: skip


def has_doping_line(text: str) -> bool:
    """Whether a text is a series in which one variable has several values."""
    try:
        return is_series(text) and bool(changing_variable(text, read_series(text)))
    except InputError:
        return False
