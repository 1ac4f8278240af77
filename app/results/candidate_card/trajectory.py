"""The trajectory of a candidate: its Tc, formation energy and integer loss during the run."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app.charts import CHART_CONFIG, QUANTITIES, trajectory_figure
from app.runs.member_average import averaged
from core.generation.registry import registration
from core.problem.problem import DesignProblem
from core.runs.run import Run


def trajectory(run: Run, problem: DesignProblem, row: pd.Series) -> None:
    """The whole tab."""
    method = registration(problem.method)
    if method.keeps_archive:
        st.caption("A search finds whole formulas and does not move them: there is no trajectory.")
        return
    if not method.optimises:
        st.caption("This method does not optimise its candidates: there is no trajectory.")
        return
    recorded = run.trajectory(int(row["candidate"]))
    if recorded.empty:
        st.caption("This run recorded no trajectories.")
        return
    smoothed, cycle = averaged(run, problem, recorded)
    for quantity, about in QUANTITIES.items():
        figure = trajectory_figure(smoothed, quantity, run.schedule(), height=150)
        st.plotly_chart(figure, key=f"trajectory-{quantity}", config=CHART_CONFIG,
                        alt=f"{about.title} of {row['formula']} against the step")  # fmt: skip
    if cycle > 1:
        st.caption(f"Before rounding; Tc and energy are means of {cycle} steps, one for each ensemble member. The last "
                   "values are those of the row “Before rounding” of the overview.")  # fmt: skip
