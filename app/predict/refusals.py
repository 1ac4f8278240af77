"""The formulas that cannot be read, under the field: why not, and what is probably meant as a button."""

from __future__ import annotations

import html
from collections.abc import Iterable

import streamlit as st

from app.blocks import show_errors
from app.predict import session_query
from core.errors import InputError
from core.evaluation.user_formulas import UserFormula

MOST_SHOWN = 6


def refusals(formulas: Iterable[UserFormula]) -> None:
    """One message for each text that is refused, with its proposals; nothing if all are read."""
    errors = {formula.text: formula.error for formula in formulas if formula.error is not None}
    for place, (text, error) in enumerate(errors.items()):
        if place == MOST_SHOWN:
            st.caption(f"And {len(errors) - MOST_SHOWN:,} more, in the column Error of the table.")
            break
        refusal(text, error)
    proposed = {text: error.suggestions[0] for text, error in errors.items() if error.suggestions}
    if len(proposed) > 1:
        st.button(f"Read all {len(proposed):,} as first proposed", key="predict.accept_all", type="primary",
                  icon=":material/done_all:", on_click=session_query.accept, args=(proposed,))  # fmt: skip


def unknown_elements(messages: Iterable[str]) -> None:
    """The messages about formulas with an element that a model does not know."""
    distinct = list(dict.fromkeys(messages))
    for message in distinct[:MOST_SHOWN]:
        st.html(f'<p class="caution">{html.escape(message)}</p>')
    if len(distinct) > MOST_SHOWN:
        st.caption(f"And {len(distinct) - MOST_SHOWN:,} more, in the column Error of the table.")


def refusal(text: str, error: InputError) -> None:
    """One message and its proposals."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(width="stretch"):
            show_errors([error])
        for proposal in error.suggestions:
            st.button(f"Read as {proposal}", key=f"predict.accept.{text}.{proposal}", on_click=session_query.accept,
                      args=({text: proposal},))  # fmt: skip
