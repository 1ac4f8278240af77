"""Streamlit blocks that several pages share."""

from __future__ import annotations

import html
from collections.abc import Iterable

import streamlit as st

from app.state import session
from app.text.html import error_html
from core.errors import InputError
from core.paths import ASSETS

# Options of a multiselect of elements: "H" and Enter select H alone, not every symbol with an h.
ELEMENT_CHOICE = {"placeholder": "elements", "filter_mode": "prefix", "select_all": False}


def style_sheet() -> None:
    """Add the style sheet to the page."""
    st.html(ASSETS / "style.css")


def show_errors(errors: Iterable[InputError]) -> None:
    """Error messages under a widget, each once; nothing if there are none."""
    messages = dict.fromkeys(map(error_html, errors))
    if messages:
        st.html("".join(messages))


def section(heading: str) -> None:
    """A heading inside a page."""
    st.html(f'<h3 class="section">{html.escape(heading)}</h3>')


def invitation(heading: str, text: str) -> None:
    """The content of an empty page: what is missing, and a button to the design page."""
    with st.container(border=True, horizontal_alignment="center"):
        st.html(f'<div class="empty"><h2>{html.escape(heading)}</h2><p>{html.escape(text)}</p></div>')
        if st.button("Design a superconductor", type="primary", icon=":material/arrow_forward:"):
            session.open_design()
        st.space("small")


def no_run(heading: str, text: str, missing: str | None) -> None:
    """The content of a page without a run. missing : id of a run that the link names but that does not exist"""
    if missing is not None:
        heading = "Run not found"
        text = f"{missing} was deleted, or was made on another computer. Past runs lists the runs on this computer."
    invitation(heading, text)
