"""A star and a note on a composition: the form of the library, and the two buttons of a candidate card."""

from __future__ import annotations

import streamlit as st

from app.blocks import show_errors
from app.text.markdown import as_markdown
from core.errors import InputError
from core.runs.annotations import NOTE_CHARACTERS, Annotation, annotate, annotations

STAR = "★"
_STARRED, _NOT_STARRED = f"{STAR} Starred", "☆ Star"


def annotation_form(formula: str, annotation: Annotation) -> None:
    """Star and note with a button that stores both."""
    with st.form(f"library.annotation-{formula}", border=False):
        starred = st.toggle("Star", annotation.starred)
        note = _note_field(annotation)
        if st.form_submit_button("Save", icon=":material/save:"):
            _store(formula, Annotation(starred, note))


def star_and_note(formula: str) -> None:
    """A button that sets or removes the star at once, and a note behind the other. Raises InputError if damaged."""
    annotation = annotations().get(formula, Annotation())
    help_text = "Remove the star" if annotation.starred else "Listed in the Library under “Starred”"
    if st.button(
        _STARRED if annotation.starred else _NOT_STARRED, key="candidate.star", type="tertiary", help=help_text
    ):
        _store(formula, Annotation(not annotation.starred, annotation.note))
    label = "Read note" if annotation.note else "Note"
    note_help = as_markdown(annotation.note) or "Write a note"
    with (
        st.popover(label, type="tertiary", key="candidate.note", help=note_help),
        st.form(f"candidate.note-{formula}", border=False),
    ):
        note = _note_field(annotation)
        if st.form_submit_button("Save", icon=":material/save:"):
            _store(formula, Annotation(annotation.starred, note))


def _note_field(annotation: Annotation) -> str:
    return st.text_area("Note", annotation.note, max_chars=NOTE_CHARACTERS, height=90).strip()


def _store(formula: str, annotation: Annotation) -> None:
    """Store, and draw the page with it; or the message beside the button."""
    try:
        annotate(formula, annotation)
    except InputError as error:
        show_errors([error])
        return
    st.rerun()
