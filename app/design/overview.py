"""The right-hand column of the design page: a description of the problem, and the Run button."""

from __future__ import annotations

import streamlit as st

from app import cached_data
from app.blocks import section, show_errors
from app.design.elements import available_symbols
from app.design.problem_errors import Errors, all_of, may_be_hidden, place_of
from app.state import session
from app.state.draft import Draft
from app.text.html import definition_list_html
from app.text.problem_text import problem_rows
from app.text.vectors import m_elem, x_const
from core.errors import InputError
from core.problem.problem import DesignProblem
from core.runs import store

# Rows of the summary that are meaningless while one of these fields has an error.
DEPENDS_ON = {"Free": ("fixed", "forbidden", "floors"), "Constraints": ("bounds", "groups", "ratios")}


def overview(draft: Draft, problem: DesignProblem, errors: Errors) -> None:
    """A description of the problem and, on request, its vectors."""
    section("This run")
    if errors["base"]:
        st.html('<p class="quiet">This box describes the run as soon as the base material can be read.</p>')
        return
    known = available_symbols(draft)
    left_out = {term for term, fields in DEPENDS_ON.items() if any(errors[field] for field in fields)}
    if any(errors.values()):
        left_out.add("Work")
    rows = problem_rows(problem, known, cached_data.pace())
    st.html(definition_list_html(row for row in rows if row[0] not in left_out))
    with st.expander("As vectors", key="design.vectors"):
        st.html(f'<pre class="vectors">{x_const(problem)}\n{m_elem(problem, known)}</pre>')


def run_button(problem: DesignProblem, errors: Errors) -> None:
    """Start the run, or list what must be corrected first."""
    wrong = all_of(errors)
    if st.button("Run", type="primary", icon=":material/play_arrow:", width="stretch", disabled=bool(wrong)):
        try:
            run = store.create(problem)
            cached_data.executor().submit(run)
        except InputError as error:  # the problem has become invalid since the page was drawn, or the disk is full
            show_errors([error])
            return
        session.open_run(run, "run")
    if st.button("Use for many bases", type="tertiary", icon=":material/apps:", width="stretch", disabled=bool(wrong),
                 help="Set up a campaign: this design for other base materials, with several seeds"):  # fmt: skip
        session.open_campaigns(new="1")
    if wrong:
        places = dict.fromkeys(map(place_of, wrong))
        st.html(f'<p class="quiet">Please correct first: {", ".join(places)}.</p>')
        show_errors(filter(may_be_hidden, wrong))
