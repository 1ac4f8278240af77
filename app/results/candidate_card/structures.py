"""Crystal structures of a candidate: list, 3D view, files, and their relaxation in the background."""

from __future__ import annotations

from collections.abc import Sequence

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
from app.structures.found import found_structures
from app.structures.generated import can_be_generated
from app.structures.listed import listed
from app.structures.search_panel import search_panel
from app.text.hull_text import WHICH_HULL
from core.errors import InputError
from core.executors.structure_searches import folder_of_formula, folder_of_run
from core.runs.run import Run
from core.structures.diffusion import names
from core.structures.search_work import SearchSettings

TOP = 5
SETTINGS = SearchSettings(top=TOP, hull=True)
_WANTED = "candidate.structures_wanted"


def structures(formula: str, run: Run | None = None, best: Sequence[str] = ()) -> None:
    """The whole tab. The first search loads the library for some seconds, so a button starts it; after that, the
    structures of every candidate of the session are shown at once.

    run : in whose folder relaxed structures are kept; None: in the folder of the formula
    best : the formulas of the best candidates of the run
    """
    folder = folder_of_run(run.folder, SETTINGS) if run else folder_of_formula(formula, SETTINGS)
    choices = {
        "Relax, and place on the hull": [formula],
        **({f"The {len(best)} best candidates": best} if best else {}),
    }
    relaxed = found_structures(folder, formula)
    if not relaxed and not st.session_state.get(_WANTED):
        st.caption("In which crystal structure would this formula be? Proposals from the known prototypes.")
        st.button("Find structures", icon=":material/search:", key="candidate.find_structures", on_click=_want)
        search_panel(folder, formula, choices, SETTINGS)
        return
    try:
        rows = relaxed or listed(
            formula, cached_data.proposed_structures(formula, TOP), cached_data.proposed_properties(formula, TOP)
        )
    except InputError as error:
        return show_errors([error])
    selected = structure_list(rows, "candidate.structures")
    search_panel(folder, formula, choices, SETTINGS)
    structure_picture(selected, "candidate.structures.view")
    if not relaxed:
        st.caption(NOT_RELAXED)
    structure_downloads(selected, "candidate.structures")
    structure_facts(selected)
    if relaxed:
        st.caption(WHICH_HULL)
    if names.are_trained() and can_be_generated(formula):
        st.page_link("views/generate.py", label="Structures of this formula by diffusion",
                     icon=":material/arrow_forward:", query_params={"formula": formula})  # fmt: skip


def _want() -> None:
    st.session_state[_WANTED] = True
