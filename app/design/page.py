"""The design page: choose a base, set on the periodic table what is fixed and what is forbidden, and start a run.

Widgets and the table change the draft (`app.state.draft`), the draft gives the problem, and the errors of the problem
(`core.generation.validation.check`) are shown beside the widgets of their fields.
"""

from __future__ import annotations

import streamlit as st

from app import cached_data
from app.blocks import show_errors
from app.design.constraints import constraint_table, floors
from app.design.elements import forbidden_note, group_buttons, table
from app.design.material import material
from app.design.overview import overview, run_button
from app.design.problem_errors import find_errors
from app.design.proposals import proposals
from app.design.settings import presets, settings
from app.design.toolbar import head, menus
from app.state import session
from core.problem.settings import RAISE_TC

COLUMNS = (2.7, 1)  # relative widths of the form and the summary


def page() -> None:
    """Draw the page. The table is drawn first, because a click on it changes everything else.

    Containers keep the places above the table, so that nothing moves when they are filled.
    """
    places = head(COLUMNS)
    left, right = st.columns(COLUMNS, gap="large")
    with left:
        material_box = st.container(key="material")
        table_box, settings_box = st.container(gap="small"), st.container()
    with table_box:
        groups_row = st.container(key="groups", horizontal=True, vertical_alignment="center", gap="small")
        table()
    draft = session.draft()
    problem = draft.problem()
    errors = find_errors(problem, draft.constraint_rows)
    if not errors:
        session.write_link(problem)
    with places.presets:
        presets(draft)
    with places.menus:
        menus()
    with material_box:
        material(draft, errors)
    with groups_row:
        group_buttons(draft)
    with table_box:
        show_errors(errors["fixed"] + errors["forbidden"])
        if not errors["base"]:
            forbidden_note(problem)
        if draft.task == RAISE_TC:
            floors(draft, errors)
        constraint_table(draft, problem, errors)
    with settings_box:
        settings(draft, errors)
    with right, st.container(border=True, key="summary"):
        overview(draft, problem, errors)
        proposals(draft)
        run_button(problem, errors)
    cached_data.executor().prepare()  # while the user edits the problem
