"""Streamlit blocks that several pages share."""

from __future__ import annotations

import html
from collections.abc import Iterable

import streamlit as st

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


def error(message: str) -> None:
    """An error message of any origin, as plain text: st.error would read it as Markdown."""
    st.html(f'<div class="wrong" role="alert"><span>{html.escape(message)}</span></div>')


def section(heading: str) -> None:
    """A heading inside a page."""
    st.html(f'<h3 class="section">{html.escape(heading)}</h3>')
