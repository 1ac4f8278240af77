"""Where the base of a run comes from: the runs before, each as a link to its candidate."""

from __future__ import annotations

import html

import streamlit as st

from app.state import session
from app.text.formatting import formula_text
from app.text.html import formula_html
from app.text.lineage import Ancestor, ancestors
from app.text.markdown import as_markdown
from core.campaigns.folder import run_with_id
from core.problem.problem import DesignProblem
from core.runs import names

RESULTS = "views/results.py"


def problem_of(run_id: str) -> DesignProblem | None:
    """The problem of a run, of a campaign too; None if there is no such run. Raises DamageError for a damaged one."""
    run = run_with_id(run_id)
    return run.problem() if run else None


def lineage(problem: DesignProblem) -> None:
    """The bases from the first design to this one, as a row of links; nothing if the base is from no run."""
    before = ancestors(problem, problem_of)
    if not before:
        return
    named = names.names()
    with st.container(key="lineage", horizontal=True, vertical_alignment="center", gap="small"):
        st.html('<span class="quiet">Lineage</span>', width="content")
        for ancestor, base in zip(before, [*(each.base for each in before[1:]), problem.base], strict=True):
            if ancestor is before[0] and ancestor.base:
                st.html(formula_html(ancestor.base), width="content")
            link(ancestor, base or "?", named.get(ancestor.origin.run, ancestor.origin.run))


def link(ancestor: Ancestor, base: str, run: str) -> None:
    """The step from one base to the next."""
    origin = ancestor.origin
    label = f"→ {formula_text(base)} (rank {origin.rank})"
    found = run_with_id(origin.run)
    if ancestor.base is None or found is None:
        st.html(f'<span class="quiet">{html.escape(label)}, of a run that is not here</span>', width="content")
        return
    st.page_link(RESULTS, label=as_markdown(label), help=as_markdown(f"Rank {origin.rank} of the run “{run}”"),
                 query_params={**session.link_to(found), "candidate": str(origin.candidate)})  # fmt: skip
