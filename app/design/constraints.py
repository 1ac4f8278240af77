"""Constraints on the composition: minimum amounts, and the table of bounds, groups and ratios."""

from __future__ import annotations

from dataclasses import asdict

import pandas as pd
import streamlit as st

from app.blocks import ELEMENT_CHOICE, show_errors
from app.design.draft_fields import multiselect, number
from app.design.elements import available_symbols
from app.design.problem_errors import BOUNDS, CONSTRAINTS, MINIMUM, Errors, expander_label
from app.forms.constraint_rows import ConstraintRow, constraints_text, with_edits
from app.state import session
from app.state.draft import Draft
from app.state.draft_changes import with_field, with_floor, with_floors
from app.state.synced_widgets import current_key, replaced_key, widget_callback
from app.text.problem_text import amounts_text
from core.problem.problem import DesignProblem

_ROWS = "design.rows"  # name of the table
_DRAWN = "design.constraints_drawn"  # of the session: the key of the table, and the rows it was drawn with
_COLUMN_TYPES = {"elements": "str", "least": "float64", "most": "float64", "ratio": "str"}


def floors(draft: Draft, errors: Errors) -> None:
    """Minimum fractions of single elements."""
    label = expander_label(MINIMUM, amounts_text(draft.floors) or "none", errors["floors"])
    with st.expander(label, key="design.floors", icon=":material/vertical_align_bottom:"):
        options = sorted(available_symbols(draft) | set(draft.floors))  # "H" before "He"
        multiselect(
            "Elements with a minimum", "floors_of", list(draft.floors), options, with_floors, **ELEMENT_CHOICE,
            help="An element with a minimum has at least this fraction of all atoms (x_const of KIAGO eq. 3, and "
                 "allowed in M_elem). KIAGO 3.6 searches hydrides with at least 0.40 H. To fix an amount exactly, "
                 "click its tile.",
        )  # fmt: skip
        columns = st.columns(max(4, len(draft.floors)))
        for column, (symbol, fraction) in zip(columns, draft.floors.items(), strict=False):
            with column:
                number(f"{symbol}, fraction of all atoms", f"floor.{symbol}", float(fraction), 0.05, with_floor,
                       symbol, format="%.3f")  # fmt: skip
        show_errors(errors["floors"])


def constraint_table(draft: Draft, problem: DesignProblem, errors: Errors) -> None:
    """Bounds of elements, groups and ratios, as rows to fill in."""
    found = [error for field in CONSTRAINTS for error in errors[field]]
    label = expander_label(BOUNDS, constraints_text(problem) or "none", found)
    with st.expander(label, key="design.constraints", icon=":material/balance:"):
        st.html(
            '<p class="quiet">A row with one element sets bounds for it, a row with several for their sum; a ratio '
            "relates them to each other. Fractions are of all atoms. Every optimiser step and every formula meets "
            "these constraints exactly.</p>"
        )
        key, drawn = drawn_rows(draft)
        number_options = {"min_value": 0.0, "max_value": 1.0, "step": 0.01, "format": "%.3f"}
        column = st.column_config
        st.data_editor(
            pd.DataFrame([asdict(row) for row in drawn], columns=list(_COLUMN_TYPES)).astype(_COLUMN_TYPES),
            key=key,
            num_rows="dynamic",
            hide_index=True,
            on_change=rows_changed,
            args=(key, drawn),
            column_config={
                "elements": column.TextColumn("Elements", help="O, or several: O, F, S"),
                "least": column.NumberColumn("At least", help="Fraction of all atoms; empty: 0", **number_options),
                "most": column.NumberColumn("At most", help="Fraction of all atoms; empty: 1", **number_options),
                "ratio": column.TextColumn("Ratio", help="2:1, in the order of the elements: Ba, Y"),
            },
        )
        show_errors(found)


def drawn_rows(draft: Draft) -> tuple[str, tuple[ConstraintRow, ...]]:
    """Key of the table, and the rows that it is drawn with.

    The table keeps the user's edits in its own state, on top of these rows; drawing it anew would lose a cell that is
    being edited. So it is replaced only if the draft differs from rows and edits together.
    """
    key, drawn = st.session_state.get(_DRAWN, (None, ()))
    edits = st.session_state.get(key) if key else None
    if key != current_key(_ROWS) or (with_edits(drawn, edits) if edits else drawn) != draft.constraint_rows:
        key, drawn = replaced_key(_ROWS), draft.constraint_rows
        st.session_state[_DRAWN] = key, drawn
    return key, drawn


@widget_callback
def rows_changed(key: str, drawn: tuple[ConstraintRow, ...]) -> None:
    """Callback of the table: the rows it was drawn with, and the user's edits."""
    session.change(with_field, "constraint_rows", with_edits(drawn, st.session_state[key]))
