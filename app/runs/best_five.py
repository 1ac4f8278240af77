"""The best compositions of a run in progress, and the best results of a finished run."""

from __future__ import annotations

import streamlit as st

from app.blocks import section
from app.runs.progress_html import archive_top_html, top_html
from core.generation.registry import registration
from core.runs.run import Run
from core.runs.status import ACTIVE, WITH_RESULT, RunStatus

MOST = 5


def best_five(run: Run, status: RunStatus) -> None:
    """The five highest Tc: of the last step, or with the numbers of the results page if the run has finished."""
    if status.phase in WITH_RESULT:
        best_results(run)
        return
    if registration(run.problem().method).keeps_archive:
        best_formulas(run, status)
        return
    section("Best five now" if status.phase in ACTIVE else "Best five at the end")
    if top := run.top():
        st.html(top_html(top))
        st.caption(before_rounding(run.averaged_steps()))
    else:
        st.caption("The compositions appear with the first steps.")


def best_formulas(run: Run, status: RunStatus) -> None:
    """The best formulas that a search has found so far, screened and compared with the base and the known ones."""
    section("Best formulas so far" if status.phase in ACTIVE else "Best formulas at the end")
    top = run.top()
    if not top:
        st.caption("The formulas appear with the first rounds." if status.phase in ACTIVE else "No round was recorded.")
        return
    st.html(archive_top_html(top))
    above = "" if any(row["gain_K"] > 0 for row in top) else " None of them is above the base."
    st.caption(f"By the objective. All pass the screens.{above}")


def best_results(run: Run) -> None:
    """The five highest Tc of the formulas that pass every screen, as in the candidate table."""
    section("Best five results")
    table = run.candidates()
    best = table[table["passes"]].nlargest(MOST, "tc_K")
    if best.empty:
        st.caption("No formula passes every screen.")
        return
    st.html(top_html(best.to_dict("records"), "Formula"))
    st.caption("The highest predicted Tc of the formulas that pass every screen, as on the results page.")


def before_rounding(averaged_steps: int) -> str:
    """What the numbers of a step are."""
    mean = f" Mean of {averaged_steps} steps, one for each ensemble member." if averaged_steps > 1 else ""
    return f"The highest predicted Tc, before rounding and screening.{mean}"
