"""Streamlit blocks that several pages share."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path

import streamlit as st

from app.text.html import error_html
from core.errors import InputError
from core.files import storage_error
from core.paths import ASSETS
from core.predictors.checkpoint import CheckpointError

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


def guarded(block: Callable[..., None]) -> Callable[..., None]:
    """A block of a page whose errors of input, files and models are shown in its place.

    For fragments: Streamlit draws them again alone, without the page that would show the error.
    """

    @wraps(block)
    def draw(*arguments: object) -> None:
        try:
            block(*arguments)
        except (InputError, CheckpointError) as failed:
            error(str(failed))
        except OSError as failed:
            error(storage_error(failed, Path(failed.filename or "."), "file").message)

    return draw


def deletion_question(what: str, removed: str, delete: Callable[[], None], key: str) -> bool:
    """The content of a dialog that asks before something is deleted; whether it was deleted just now.

    what : what is deleted, as HTML; removed : which files, in words
    delete : deletes it; an InputError is shown
    key : of the buttons, followed by "_yes" and "_no"
    """
    st.html(what)
    st.caption(f"{removed} This cannot be undone.")
    with st.container(horizontal=True):
        if st.button("Delete", icon=":material/delete:", key=f"{key}_yes"):
            try:
                delete()
            except InputError as refused:  # a worker could not be stopped, or a file not be removed
                error(refused.message)
                return False
            return True
        if st.button("Keep", key=f"{key}_no"):
            st.rerun()
    return False


def section(heading: str) -> None:
    """A heading inside a page."""
    st.html(f'<h2 class="section">{html.escape(heading)}</h2>')
