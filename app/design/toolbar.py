"""The head of the design page: title, examples, and the menu that saves and opens problems."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.blocks import show_errors
from app.design.examples import examples
from app.state import session
from app.state.synced_widgets import current_key, replaced_key, widget_callback

MAX_UPLOAD_MB = 1
_UPLOAD = "design.upload"


class Places(NamedTuple):
    """Places at the head of the page that are filled once the draft is final."""

    presets: DeltaGenerator
    menus: DeltaGenerator


def head(columns: Sequence[float]) -> Places:
    """Title on the left, with the place of the presets; the place of the menus on the right."""
    left, right = st.columns(columns, vertical_alignment="bottom", gap="large")
    with (
        left,
        st.container(key="head", horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"),
    ):
        st.html(
            '<h1 class="page-title">Design a superconductor</h1>'
            '<p class="under">From a known superconductor to a higher Tc</p>',
            width="content",
        )
        presets = st.container(width="content", key="presets")
    menus = right.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center", key="menus")
    session.draft()  # reads the link at the first visit
    if error := session.load_error():
        show_errors([error])
    return Places(presets, menus)


def menus() -> None:
    """Undo and redo, the examples, and the menu that saves and opens problems."""
    history_buttons()
    key = "design.example"
    st.menu_button("Examples", list(examples()), key=key, on_click=load_example, args=(key,), type="tertiary")
    file_menu()


def history_buttons() -> None:
    """Undo and redo the last change of the problem."""
    st.button("Undo", icon=":material/undo:", key="design.undo", on_click=session.undo, disabled=not session.can_undo(),
              type="tertiary", shortcut="Ctrl+Z", help="Undo the last change (Ctrl+Z)")  # fmt: skip
    st.button("Redo", icon=":material/redo:", key="design.redo", on_click=session.redo, disabled=not session.can_redo(),
              type="tertiary", shortcut="Ctrl+Shift+Z", help="Redo what was undone (Ctrl+Shift+Z)")  # fmt: skip


@widget_callback
def load_example(key: str) -> None:
    """Callback of the examples menu."""
    if st.session_state[key]:
        session.load_text(examples()[st.session_state[key]])


def file_menu() -> None:
    """Save the problem as JSON, or open one."""
    problem = session.draft().problem()
    with st.popover("File", type="tertiary"):
        st.download_button(
            "Save this problem",
            problem.to_json(),
            file_name=f"{problem.task.replace('_', '-')}-{problem.base}.json",
            mime="application/json",
            icon=":material/download:",
            on_click="ignore",
            width="stretch",
        )
        key = current_key(_UPLOAD)
        st.file_uploader("Open a problem", type="json", key=key, on_change=upload, args=(key,),
                         max_upload_size=MAX_UPLOAD_MB)  # fmt: skip


@widget_callback
def upload(key: str) -> None:
    """Callback of the uploader: load the problem or store its error, and reset the uploader for the next file."""
    file = st.session_state[key]
    if file is None:
        return
    session.load_text(file.getvalue().decode("utf-8", errors="replace"))
    replaced_key(_UPLOAD)
