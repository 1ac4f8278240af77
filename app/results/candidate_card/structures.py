"""Crystal structures of a candidate: list, 3D view and files."""

from __future__ import annotations

import streamlit as st

from app import cached_data
from app.blocks import show_errors
from app.structures.browser import (
    NOT_RELAXED,
    structure_downloads,
    structure_facts,
    structure_list,
    structure_picture,
)
from app.structures.listed import listed
from core.errors import InputError

TOP = 5
_WANTED = "candidate.structures_wanted"


def structures(formula: str) -> None:
    """The whole tab. The first search loads the library for some seconds, so a button starts it; after that, the
    structures of every candidate of the session are shown at once."""
    if not st.session_state.get(_WANTED):
        st.caption("In which crystal structure would this formula be? Proposals from the known prototypes.")
        st.button("Find structures", icon=":material/search:", key="candidate.find_structures", on_click=_want)
        return
    try:
        rows = listed(formula, cached_data.proposed_structures(formula, TOP))
    except InputError as error:
        return show_errors([error])
    selected = structure_list(rows, "candidate.structures")
    structure_picture(selected, "candidate.structures.view")
    st.caption(NOT_RELAXED)
    structure_downloads(selected, "candidate.structures")
    structure_facts(selected)


def _want() -> None:
    st.session_state[_WANTED] = True
