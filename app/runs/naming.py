"""The name of a run: as part of a title, and the dialog that changes it."""

from __future__ import annotations

import html

import streamlit as st

from app import blocks
from app.runs.deletion import problem_html
from core.errors import InputError
from core.runs.names import CHARACTERS, give_name, names
from core.runs.run import Run


def named_html(name: str, title_html: str) -> str:
    """A title with the name of its run before it, if there is one."""
    return f"<b>{html.escape(name)}</b> · {title_html}" if name else title_html


@st.dialog("Name of this run")
def rename(run: Run) -> None:
    """Ask for the name; an empty one removes it."""
    st.html(problem_html(run))
    name = st.text_input("Name", names().get(run.id, ""), max_chars=CHARACTERS, key="run_name",
                         placeholder="for example: less arsenic")  # fmt: skip
    if st.button("Save", type="primary", key="save_name"):
        try:
            give_name(run.id, name or "")
        except InputError as error:
            blocks.error(error.message)
            return
        st.rerun()
