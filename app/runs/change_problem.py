"""The button that shows the problem of a run on the design page."""

from __future__ import annotations

from contextlib import suppress

import streamlit as st

from app.state import session
from core.errors import InputError
from core.runs.run import Run


def change_button(run: Run) -> None:
    """Go to the design page with the problem of this run; no button if its problem cannot be used."""
    with suppress(InputError):  # a damaged problem.json, or a base that cannot be read
        problem = run.problem()
        if st.button("Change the problem", icon=":material/edit:", key="change"):
            session.load_problem(problem)
            session.open_design()
