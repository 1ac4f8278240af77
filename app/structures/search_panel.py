"""Relaxation, energy and hull in the background: the buttons that start and cancel a search, and its progress."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from pathlib import Path

import streamlit as st

from app import blocks
from app.structures.found import search_error
from core.chemistry.structure import Structure
from core.errors import InputError
from core.executors import background_work
from core.executors import structure_searches as searches
from core.executors.background_work import CANCELLED, FAILED, INTERRUPTED
from core.executors.structure_searches import SearchState
from core.structures.search_work import SearchSettings

UPDATE_S = 1.0  # between two updates of the progress
WHAT = (
    "By CHGNet, an interatomic potential, in the background: some seconds for a structure; the hull takes minutes "
    "where the known compounds of the elements are relaxed for the first time. Relaxed structures appear before it."
)
_STATES = {CANCELLED: "Cancelled", INTERRUPTED: "Interrupted", FAILED: "Failed"}


def search_panel(
    folder: Path,
    formula: str,
    choices: Mapping[str, Sequence[str]],
    settings: SearchSettings,
    given: Structure | None = None,
) -> None:
    """The panel under a list of structures.

    folder : of the search; formula : whose structures are shown
    choices : label of a button -> the formulas that it searches; a button whose formulas are all asked is left out
    given : a structure from a file, in place of proposals for its formula
    """
    found = searches.state(folder)
    draw = blocks.guarded(_panel)
    shown = _version(folder, found, formula)
    st.fragment(draw, run_every=UPDATE_S if found.work.active else None)(
        folder, formula, choices, settings, given, shown
    )


def _version(folder: Path, found: SearchState, formula: str) -> tuple:
    """What the page around the panel depends on."""
    rows = searches.rows(folder, formula)
    return found.work.active, found.done, len(rows), any(row["energy_above_hull_eV_per_atom"] for row in rows)


def _panel(
    folder: Path,
    formula: str,
    choices: Mapping[str, Sequence[str]],
    settings: SearchSettings,
    given: Structure | None,
    shown: tuple,
) -> None:
    found = searches.state(folder)
    if _version(folder, found, formula) != shown:
        st.rerun()  # the whole page: the list, the columns of the table, and whether a timer runs
    if found.work.active:
        _progress(folder, found)
    elif found.work.state in _STATES and found.done < len(found.formulas):
        _ended(folder, found, settings)
    if error := search_error(folder, formula):
        blocks.error(error)
    new = {label: [f for f in own if f not in found.formulas] for label, own in choices.items()}
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        for label, own in new.items():
            if own and st.button(label, icon=":material/deployed_code:", key=f"search.{label}", help=WHAT):
                _do(searches.submit, folder, own, settings, given)


def _progress(folder: Path, found: SearchState) -> None:
    """The bar, what the worker does, and Cancel."""
    total = max(len(found.formulas), 1)
    left, right = st.columns([4, 1], vertical_alignment="center")
    text = f"{found.done} of {total} formula{'s' if total > 1 else ''} finished"
    left.progress(found.done / total, text)
    left.html(f'<p class="under" role="status">{html.escape(found.work.doing or "begins")}</p>')
    if right.button("Cancel", icon=":material/close:", key="search.cancel", help="What is finished stays"):
        _do(background_work.cancel, folder)


def _ended(folder: Path, found: SearchState, settings: SearchSettings) -> None:
    """A search that ended before its last formula."""
    if found.work.state == FAILED:
        blocks.error(found.work.message)
    else:
        st.caption(
            f"{_STATES[found.work.state]} after {found.done} of {len(found.formulas)} formulas. What is finished stays."
        )
    if st.button("Resume", icon=":material/play_arrow:", key="search.resume"):
        _do(searches.submit, folder, [], settings)


def _do(action, *arguments: object) -> None:
    try:
        action(*arguments)
    except InputError as error:
        blocks.error(error.message)
    else:
        st.rerun()
