"""The choice of what is proposed, in sight beside the Run button."""

from __future__ import annotations

import streamlit as st

from app.design.draft_fields import checkbox, segments
from app.forms.proposals import (
    PROPOSALS,
    explanation,
    few_of_elements_label,
    proposals_of,
    with_few_of_elements,
    with_proposals,
)
from app.state.draft import Draft
from app.state.draft_changes import with_field


def proposals(draft: Draft) -> None:
    """Any formula, new ones, or new ones near the base; and how many of the same elements."""
    segments(
        "Propose", "proposals", proposals_of(draft.settings), PROPOSALS, with_choice, width="stretch",
        format_func=lambda name: PROPOSALS[name].label,
        help="The distances are under Settings, Results.",
    )  # fmt: skip
    st.caption(explanation(draft.settings) or "As under Settings, Results.")
    checkbox(few_of_elements_label(draft.settings), "few_of_elements", draft.settings.per_element_set > 0, with_few)


def with_choice(draft: Draft, name: str) -> Draft:
    """The draft with this choice."""
    return with_field(draft, "settings", with_proposals(draft.settings, name))


def with_few(draft: Draft, few: bool) -> Draft:
    """The draft with few results of the same elements, or any number."""
    return with_field(draft, "settings", with_few_of_elements(draft.settings, few))
