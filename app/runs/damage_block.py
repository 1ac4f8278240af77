"""What is damaged in a run, and what can be done: rebuild, carry out again, change the problem, delete."""

from __future__ import annotations

import html

import streamlit as st

from app import blocks, cached_data
from app.runs.change_problem import change_button
from app.runs.deletion import confirm_delete
from app.state import session
from core.errors import InputError
from core.runs.damage import Damage, Remedy
from core.runs.rebuild import rebuild
from core.runs.run import Run

_DONE = "rebuilt"  # of the session: id of a run and what was done


def damage_block(run: Run) -> None:
    """The damages of a run, each with its remedy, and the buttons that they allow."""
    damages = run.damages()
    rows = "".join(f"<li>{html.escape(damage.message)}</li>" for damage in damages)
    st.html(f'<div class="wrong" role="alert"><span>This run is damaged.</span><ul>{rows}</ul></div>')
    with st.container(horizontal=True):
        buttons(run, damages)


def buttons(run: Run, damages: list[Damage]) -> None:
    """Rebuild, carry out again, change the problem, delete."""
    remedies = {damage.remedy for damage in damages}
    if Remedy.REBUILD in remedies and st.button("Rebuild", type="primary", icon=":material/build:", key="rebuild"):
        try_rebuild(run)
    if Remedy.DELETE not in remedies and st.button("Carry out again", icon=":material/play_arrow:", key="again"):
        try:
            cached_data.executor().submit(run)
        except InputError as error:
            blocks.error(error.message)
            return
        session.open_run(run, "run")
    change_button(run)
    if st.button("Delete", icon=":material/delete:", key="delete_damaged"):
        confirm_delete(run)


def try_rebuild(run: Run) -> None:
    """Rebuild what can be, and draw the page again with what was done."""
    try:
        st.session_state[_DONE] = (run.id, rebuild(run))
    except InputError as error:
        blocks.error(error.message)
        return
    st.rerun()


def rebuilt_note(run: Run) -> None:
    """What was rebuilt a moment ago, once."""
    run_id, done = st.session_state.get(_DONE, ("", []))
    if run_id == run.id:
        del st.session_state[_DONE]
        st.html(f'<p class="under" role="status">{html.escape(" ".join(done) or "Nothing could be rebuilt.")}</p>')
