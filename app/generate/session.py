"""What the page Generate shows, in the session: the form, and the name of a generation; both begin with the link."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from app.generate.asked import FORMULA, Form
from app.state.synced_widgets import uninterrupted, widget_callback
from core.executors import generations
from core.executors.generations import Generation

_FORM, _SHOWN = "generate.form", "generate.shown"
LINK, FORMULA_LINK = "generation", "formula"  # parameters of a link
LONGEST_FORMULA = 200  # characters


def form() -> Form:
    """The content of the form; at first with the formula of the link, if it has one."""
    formula = st.query_params.pop(FORMULA_LINK, "")
    if formula:
        st.session_state[_FORM] = Form(of=FORMULA, formula=formula[:LONGEST_FORMULA], tc_K=None)
    return st.session_state.setdefault(_FORM, Form())


@uninterrupted
def change(**values: object) -> None:
    """Callback: change fields of the form."""
    st.session_state[_FORM] = replace(form(), **values)


@widget_callback
def from_widget(key: str, name: str) -> None:
    """Callback of the widget of a field with this name."""
    change(**{name: st.session_state[key]})


@uninterrupted
def show(name: str) -> None:
    """Callback: show a generation."""
    st.session_state[_SHOWN] = name


def forget() -> None:
    """Show the newest generation again, after the chosen one was deleted."""
    st.session_state.pop(_SHOWN, None)
    st.query_params.pop(LINK, None)


def shown(existing: list[Generation]) -> Generation | None:
    """The generation that is shown: the chosen one, that of the link, or the newest one; None if there is none."""
    name = st.session_state.get(_SHOWN) or st.query_params.get(LINK, "")
    chosen = generations.generation(name) if name else None
    return chosen or (existing[0] if existing else None)


def write_link(name: str) -> None:
    """Keep the name in the address bar."""
    if st.query_params.get(LINK) != name:
        st.query_params[LINK] = name
