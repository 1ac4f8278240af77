"""The list of structures, the selected one in 3D, what is said of it, and its files: on the page and on a card."""

from __future__ import annotations

import html
from collections.abc import Sequence

import streamlit as st

from app.components.structure_viewer.component import structure_viewer
from app.structures.listed import TC_LABEL, Listed, facts, table
from app.text.html import definition_list_html

NOT_RELAXED = "Not relaxed yet: distances are approximate, and there is no energy."
_COLUMNS = {
    "rank": st.column_config.NumberColumn("Rank", width=50),
    "formula": st.column_config.TextColumn("Formula"),
    "space_group": st.column_config.TextColumn("Space group", help="Hermann-Mauguin symbol and number"),
    "example": st.column_config.TextColumn("Like", help="The most similar known compound with this prototype"),
    "known": st.column_config.CheckboxColumn("Known", help="Whether this formula is known in this structure"),
    "above_hull": st.column_config.NumberColumn(
        "Above hull (eV/atom)",
        help="Energy above hull by CHGNet, with known compounds by the same potential",
        format="%.3f",
    ),
    "class": st.column_config.TextColumn("Metal?", help="Metal or not, by a model of PBE calculations"),
    "tc_structure_K": st.column_config.NumberColumn("Tc by structure (K)", help=f"Tc {TC_LABEL}", format="%.1f"),
    "n_atoms": st.column_config.NumberColumn("Atoms", help="In the primitive cell, or in the supercell"),
    "volume_A3_per_atom": st.column_config.NumberColumn("Å³/atom", help="Volume per atom", format="%.2f"),
    "shortest_distance_A": st.column_config.NumberColumn(
        "Shortest (Å)", help="Shortest distance between two atoms", format="%.2f"
    ),
    "compounds": st.column_config.NumberColumn("Compounds", help="Known compounds with this prototype"),
    "superconductors": st.column_config.NumberColumn(
        "Superconductors", help="Those of them with a measured Tc, or doped to one"
    ),
    "prototype": st.column_config.TextColumn(
        "Prototype", help="Stoichiometry, space group and occupied Wyckoff positions of each element"
    ),
    "note": st.column_config.TextColumn("Note", help="For a doped formula: what the structure stands for"),
}


def structure_list(rows: Sequence[Listed], key: str) -> Listed:
    """The list; a click on a row selects. Returns the selected structure, the first one until then."""
    widget = f"{key}.list-{hash(tuple(each.about for each in rows)):x}"  # no older click counts for another list
    state = st.session_state.get(widget)
    chosen = state["selection"]["rows"] if state else []
    place = chosen[0] if chosen and chosen[0] < len(rows) else 0
    st.dataframe(
        table(rows), key=widget, on_select="rerun", selection_mode="single-row",
        selection_default={"selection": {"rows": [place]}}, hide_index=True, placeholder="", column_config=_COLUMNS,
        alt="List of structures",
    )  # fmt: skip
    return rows[place]


def structure_picture(each: Listed, key: str) -> None:
    """The structure in 3D."""
    structure_viewer(each.drawn, f"Crystal structure of {each.formula}, rank {each.rank}", each.name, key)


def structure_facts(each: Listed) -> None:
    """What is said of a structure."""
    st.html(definition_list_html((term, html.escape(text)) for term, text in facts(each).items()))


def structure_downloads(each: Listed, key: str) -> None:
    """CIF and POSCAR of a structure, and input files for its calculation."""
    with st.container(horizontal=True, gap="small"):
        st.download_button("CIF", each.cif, f"{each.name}.cif", "chemical/x-cif", icon=":material/download:",
                           key=f"{key}.cif", on_click="ignore")  # fmt: skip
        st.download_button("POSCAR", each.poscar, f"{each.name}.vasp", "text/plain", icon=":material/download:",
                           key=f"{key}.poscar", on_click="ignore")  # fmt: skip
        st.download_button("Quantum ESPRESSO", each.espresso, f"{each.name}-espresso.zip", "application/zip",
                           icon=":material/download:", key=f"{key}.espresso", on_click="ignore",
                           help="Input files for relaxation, phonons and electron-phonon coupling")  # fmt: skip
