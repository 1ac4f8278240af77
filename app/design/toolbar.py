"""The head of the design page: title, examples, and the menu that saves and opens problems."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.blocks import show_errors
from app.state import session
from app.state.synced_widgets import current_key, replaced_key, widget_callback
from app.text.problem_title import title
from core.paths import ASSETS
from core.problem.problem import DesignProblem

MAX_UPLOAD_MB = 1
_UPLOAD = "design.upload"


def toolbar(columns: Sequence[float]) -> None:
    """Title on the left, menus on the right; below, what is wrong with the last link or file."""
    left, right = st.columns(columns, vertical_alignment="bottom", gap="large")
    with left:
        st.title("Design a superconductor", anchor=False)
        st.html(
            '<p class="quiet">Choose a known superconductor, fix or forbid elements, and search for a higher Tc.</p>'
        )
    with right, st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        key = "design.example"
        st.menu_button("Examples", list(examples()), key=key, on_click=load_example, args=(key,), type="tertiary")
        file_menu()
    if error := session.load_error():
        show_errors([error])


@st.cache_data(show_spinner=False)
def examples() -> dict[str, str]:
    """Example problems: title -> JSON text."""
    texts = [path.read_text(encoding="utf-8") for path in sorted((ASSETS / "examples").glob("*.json"))]
    return {title(DesignProblem.from_json(text)): text for text in texts}


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
