"""The page Structures: crystal structures of a formula, or of an uploaded CIF, as a list and in 3D."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path

import streamlit as st

from app import cached_data
from app.blocks import show_errors
from app.state.synced_widgets import current_key, synced_key
from app.structures import query as session
from app.structures.browser import (
    NOT_RELAXED,
    structure_downloads,
    structure_facts,
    structure_list,
    structure_picture,
)
from app.structures.found import found_structures
from app.structures.generated import can_be_generated
from app.structures.listed import Listed, compared, from_file, listed
from app.structures.search_panel import search_panel
from app.text.formatting import formula_text
from app.text.hull_text import WHICH_HULL, composition_model_text
from app.text.markdown import as_markdown
from core.chemistry.structure import Structure
from core.errors import InputError
from core.executors.structure_searches import folder_of_formula, folder_of_structure
from core.predictors.checkpoint import CheckpointError
from core.predictors.registry import BEST
from core.structures.diffusion import names
from core.structures.prototypes import load_finder
from core.structures.relaxation import HIGHEST_PRESSURE_GPA
from core.structures.search_work import SearchSettings

TOP = 10
RELAXED = 5  # structures of a formula, and of those drawn by diffusion
SAMPLES = 20  # drawn by diffusion
MAX_UPLOAD_MB = 2
EXAMPLES = ("LaFeAsO", "MgB2", "Nb3Sn", "YBa2Cu3O7", "La1.85Sr0.15CuO4", "LaH10")


def page() -> None:
    """Formula, list and files on the left; the selected structure beside them."""
    st.title("Structures", anchor=False)
    left, right = st.columns([1.1, 1], gap="medium")
    with left:
        rows = asked_structures(session.query())
    session.write_link()
    if not rows:
        with left:
            without_prototype(session.query())
        with right:
            introduction()
        return
    with left:
        selected = structure_list(rows, "structures")
        asked = session.query()
        last = rows[-1]  # of a file: its structure as it is
        given = last.structure if asked.file is not None else None
        choices = {"Relax, and place on the hull": [last.formula]}
        search_panel(search_folder(asked, given), last.formula, choices, search_settings(asked), given)
        structure_downloads(selected, "structures")
        structure_facts(selected)
    with right:
        structure_picture(selected, "structures.view")
        if rows[0].relaxed is not None:
            hulls(selected)
        elif selected.proposal is not None:
            st.caption(NOT_RELAXED)


def without_prototype(asked: session.Query) -> None:
    """For a formula without a prototype: its structures by diffusion, if they are asked for."""
    if asked.file is not None or not asked.formula or not names.are_trained() or not can_be_generated(asked.formula):
        return
    if not asked.by_diffusion:
        st.caption("Structures of this formula can be drawn by diffusion: switch it on above.")
        return
    choices = {"Draw, relax, and place on the hull": [asked.formula]}
    search_panel(search_folder(asked), asked.formula, choices, search_settings(asked))


def hulls(selected: Listed) -> None:
    """The distance by the composition model beside that by the potential, and which to believe."""
    with contextlib.suppress(InputError, CheckpointError, ValueError):  # ValueError: an element without energies
        context = cached_data.hull_context(BEST.formation_energy, selected.formula)
        st.caption(composition_model_text(context, formula_text(selected.formula)))
    st.caption(WHICH_HULL)


def asked_structures(asked: session.Query) -> list[Listed]:
    """The input fields with their errors below; the structures that are asked for."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        formula_field(asked)
        pressure_field(asked)
        diffusion_switch(asked)
        examples_menu()
        file_menu()
    try:
        if asked.file is not None:
            shown_file(asked.file[0])
            return file_structures(asked)
        if asked.formula:
            found = found_structures(search_folder(asked), asked.formula)
            return found or listed(
                asked.formula,
                cached_data.proposed_structures(asked.formula, TOP),
                cached_data.proposed_properties(asked.formula, TOP),
            )
    except InputError as error:
        show_errors([error])
        proposals(error)
    return []


def search_settings(asked: session.Query) -> SearchSettings:
    """How structures are relaxed: without pressure on the hull, under a pressure without it."""
    samples = SAMPLES if asked.by_diffusion and asked.file is None else 0
    return SearchSettings(RELAXED, pressure_GPa=asked.pressure_GPa, hull=not asked.pressure_GPa, samples=samples,
                          from_file=asked.file is not None)  # fmt: skip


def search_folder(asked: session.Query, given: Structure | None = None) -> Path:
    """Where the relaxed structures of a formula are, or that of a file."""
    settings = search_settings(asked)
    return folder_of_structure(given, settings) if given is not None else folder_of_formula(asked.formula, settings)


def file_structures(asked: session.Query) -> list[Listed]:
    """The structure of a file, relaxed if it has been, and as it is. Raises InputError."""
    assert asked.file is not None
    mine = file_structure(*asked.file)
    return [*found_structures(search_folder(asked, mine.structure), mine.formula), mine]


def file_structure(name: str, content: bytes) -> Listed:
    """The structure of a file, compared with those proposed for its formula if there are any. Raises InputError."""
    mine = from_file(name, content)
    (said,) = cached_data.structure_properties([mine.structure], [mine.space_group])
    mine = replace(mine, properties=said)
    try:
        proposed = cached_data.proposed_structures(mine.formula, TOP)
        return compared(mine, proposed, load_finder().known(mine.structure.lowest_terms))
    except InputError:  # no prototype has this stoichiometry
        return mine


def formula_field(asked: session.Query) -> None:
    """The formula as text."""
    key = synced_key("structures.formula", asked.formula)
    st.text_input("Formula", value=asked.formula, key=key, on_change=session.formula_from_widget, args=(key,),
                  placeholder="LaFeAsO", width="stretch",
                  help="Whole or fractional amounts; a doped formula takes a supercell of its parent")  # fmt: skip


def pressure_field(asked: session.Query) -> None:
    """The pressure of the relaxation."""
    key = synced_key("structures.pressure", asked.pressure_GPa)
    st.number_input("Pressure (GPa)", 0.0, HIGHEST_PRESSURE_GPA, asked.pressure_GPa, step=10.0, format="%g", key=key,
                    on_change=session.pressure_from_widget, args=(key,), width=130,
                    help="Of the relaxation; hydrogen-rich compounds are made under 100 GPa and more")  # fmt: skip


def diffusion_switch(asked: session.Query) -> None:
    """Whether structures are drawn by diffusion too, where the network is trained."""
    if names.are_trained():
        key = synced_key("structures.by_diffusion", asked.by_diffusion)
        st.toggle("By diffusion too", asked.by_diffusion, key=key, on_change=session.by_diffusion_from_widget,
                  args=(key,), help=f"The search also draws {SAMPLES} structures from noise, for formulas of whole "
                  "atoms, up to 20 in a cell, and relaxes those of lowest energy")  # fmt: skip


def examples_menu() -> None:
    """Formulas to start from."""
    key = current_key("structures.examples")
    st.menu_button("Examples", list(EXAMPLES), key=key, on_click=load_example, args=(key,), type="tertiary")


def load_example(key: str) -> None:
    """Callback of the examples menu."""
    if st.session_state[key]:
        session.change(formula=st.session_state[key], file=None)


def file_menu() -> None:
    """The upload of a CIF."""
    key = current_key(session.UPLOAD)
    with st.popover("CIF file", type="tertiary", key=f"{key}.menu"):  # a new one, and closed, after an upload
        st.file_uploader("Crystal structure as CIF", type=["cif"], key=key, on_change=session.upload, args=(key,),
                         max_upload_size=MAX_UPLOAD_MB)  # fmt: skip


def shown_file(name: str) -> None:
    """The name of the file, and the way back."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"File {as_markdown(name)}")
        st.button("Show the formula instead", key="structures.no_file", type="tertiary", on_click=session.change,
                  kwargs={"file": None})  # fmt: skip


def proposals(error: InputError) -> None:
    """A button for each formula that is probably meant."""
    if error.suggestions:
        with st.container(horizontal=True, gap="small"):
            for text in error.suggestions:
                st.button(f"Read as {text}", key=f"structures.accept.{text}", on_click=session.change,
                          kwargs={"formula": text, "file": None})  # fmt: skip


def introduction() -> None:
    """What the page gives, in place of the picture."""
    with st.container(border=True):
        st.markdown(
            "For a formula: the crystal structures that it is likeliest to take, from the known prototypes of its "
            "stoichiometry, ranked by a learned score, in 3D and as CIF and POSCAR, with metal or not and Tc by "
            "structure. One click relaxes them in the background by an interatomic potential, ranks them again and "
            "places them on its hull; the same as `python -m core structures --hull`. With *By diffusion too*, "
            "structures that a network draws from noise join them. A CIF file of your own is drawn as it is, "
            "compared with the proposals for its formula, and relaxed by the same click."
        )
        st.caption(NOT_RELAXED)
