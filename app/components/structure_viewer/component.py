"""The Streamlit component that draws a crystal structure in 3D, with 3Dmol.js (Rego and Koes 2015) from this folder.

The library is a component of its own without data: its message never changes, so that Streamlit sends it to a browser
once, not with every structure.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from app.components.structure_viewer.scene import animation, scene
from core.chemistry.structure import Structure

_FOLDER = Path(__file__).parent
_LIBRARY_FILE = "3Dmol-2.5.5.min.js"
# The library is a script that stores itself in `this`, which a module does not have.
_LIBRARY_MODULE = "(function () {{\n{script}\n}}).call(globalThis);\nexport default function () {{}}\n"


def _text(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


# Registered once, when the module is imported: registering in every script run would warn and reload the script.
_library = st.components.v2.component(
    "tc_studio_3dmol", js=_LIBRARY_MODULE.format(script=_text(_LIBRARY_FILE)), isolate_styles=False
)
_viewer = st.components.v2.component(
    "tc_studio_structure_viewer", css=_text("structure_viewer.css"), js=_text("structure_viewer.js")
)


def structure_viewer(structure: Structure, title: str, file_name: str, key: str) -> None:
    """Draw a structure, turned by the mouse or the arrow keys; views, repeats, rotation and picture as buttons.

    title : what it shows, for screen readers
    file_name : of the saved picture, without an ending
    key : identifies the widget in the session
    """
    _draw(scene(structure, title, file_name), key)


def structure_animation(moments: Sequence[tuple[str, Structure]], title: str, file_name: str, key: str) -> None:
    """Draw structures one after the other, with Play and a slider; see `structure_viewer`, and `scene.animation`."""
    _draw(animation(moments, title, file_name), key)


def _draw(data: dict[str, Any], key: str) -> None:
    with st.container(key=f"{key}.script-hidden"):
        _library(key=f"{key}.script")
    _viewer(key=key, data=data)
