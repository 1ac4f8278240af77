"""The hull in context: the base and known compounds on the same scale, and the phase diagram on request."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from app import cached_data
from app.charts import CHART_CONFIG
from app.results.candidate_card.hull_chart import hull_figure
from app.results.candidate_card.phase_diagram_chart import NEAR_HULL, phase_diagram_figure
from app.text.formatting import deviation_text, signed_number
from app.text.html import formula_html
from app.text.hull_text import relatives_text
from core.chemistry.composition import compositions
from core.evaluation.hull_context import HullContext
from core.problem.problem import DesignProblem
from core.screening.phase_diagram import MOST_ELEMENTS, can_be_drawn

ABOVE, STD = "energy_above_hull_eV_per_atom", "energy_above_hull_std_eV_per_atom"


def comparison(row: pd.Series, problem: DesignProblem) -> None:
    """The candidate, the base and the known compounds most like the base, on the hull of the same model.

    A formula that is its own base, as on the page Predict, stands beside the known compounds only.
    """
    context = cached_data.hull_context(problem.formation_energy_predictor, problem.base)
    base = None if row["formula"] == problem.base else problem.base
    if base is not None:
        st.html(f"<p>{base_html(base, context)}</p>")
    st.plotly_chart(
        hull_figure(row["formula"], row[ABOVE], row[STD], base, context),
        key="hull-context", config=CHART_CONFIG,
        alt=f"Energy above hull of {row['formula']}, the base and known compounds",
    )  # fmt: skip
    st.caption(relatives_text(context, "this formula" if base is None else "the base"))


def base_html(base: str, context: HullContext) -> str:
    """The distance of the base to the hull."""
    above = signed_number(context.above_hull_eV_per_atom, 3) + deviation_text(context.std_eV_per_atom, 3)
    return f"The base {formula_html(base)}: {above} eV/atom above the hull of the same model."


def diagram(row: pd.Series, problem: DesignProblem) -> None:
    """The phase diagram of the candidate's elements, computed when it is opened."""
    composition = compositions([row["formula"]])[0]
    if not can_be_drawn(composition):
        present = np.count_nonzero(composition)
        st.caption(f"Phase diagrams are drawn for 2 to {MOST_ELEMENTS} elements; this formula has {present}.")
        return
    box = st.expander("Phase diagram", key="phase-diagram", on_change="rerun")
    if not box.open:
        return
    with box:
        data = cached_data.phase_diagram(
            problem.formation_energy_predictor, row["formula"], float(row["formation_energy_eV_per_atom"])
        )
        st.plotly_chart(
            phase_diagram_figure(data, row["formula"]), key="phase-diagram-chart", config=CHART_CONFIG,
            alt=f"Phase diagram of {', '.join(data.symbols)} with {row['formula']}",
        )  # fmt: skip
        turn = " Drag to turn." if len(data.symbols) == MOST_ELEMENTS else ""
        st.caption(f"Filled: stable phases with tie lines; open: phases less than {NEAR_HULL} eV/atom above the hull; "
                   "blue: the phases that compete with the candidate (diamond). All energies are predicted."
                   f"{turn}")  # fmt: skip
