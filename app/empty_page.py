"""The content of a page that has nothing to show: what is missing, and a button to the design page."""

from __future__ import annotations

import html

import streamlit as st

from app.state import session


def invitation(heading: str, text: str) -> None:
    """A heading, a text, and a button to the design page."""
    with st.container(border=True, horizontal_alignment="center"):
        st.html(f'<div class="empty"><h2>{html.escape(heading)}</h2><p>{html.escape(text)}</p></div>')
        if st.button("Design a superconductor", type="primary", icon=":material/arrow_forward:"):
            session.open_design()
        st.space("small")


def no_run(heading: str, text: str, missing: str | None) -> None:
    """The content of a page without a run. missing : id of a run that the link names but that does not exist"""
    if missing is not None:
        heading = "Run not found"
        text = f"{missing} was deleted, or belongs to another computer. “Past runs” lists the runs on this computer."
    invitation(heading, text)
