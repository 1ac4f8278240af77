"""Overview of a candidate: predictions, control model, what is known of its composition, warnings."""

from __future__ import annotations

import html
from collections.abc import Mapping

import pandas as pd
import streamlit as st

from app.results.candidate_card.novelty import novelty
from app.results.compare_tray import tray_button
from app.state import session
from app.text.formatting import change_text, deviation_text, signed_number
from app.text.html import formula_html, table_html
from core.problem.origin import Origin
from core.problem.problem import DesignProblem

HYDROGEN_RICH = (
    "Hydrogen-rich: the high Tc of such hydrides in the training data were measured under very high pressure. This is "
    "not a Tc at ambient pressure."
)
LARGE_ROUNDING = 0.1  # fraction of the atoms that rounding exchanged; above it, a warning is shown


def overview(run_id: str, problem: DesignProblem, row: pd.Series, summary: Mapping) -> None:
    """The whole tab."""
    if row["doped_as"]:
        st.html(doped_html(row))
    st.html(predictions_html(row, summary["base"]))
    if pd.notna(row["tc_judge_K"]):
        st.html(control_model_html(row, summary["base"]))
    novelty(row)
    for text in warnings(row):
        st.html(f'<p class="caution">{text}</p>')
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Use as new base", icon=":material/replay:", key="use_as_base"):
            session.use_as_base(row["formula"], problem, Origin(run_id, int(row["rank"]), int(row["candidate"])))
        tray_button(run_id, row)
        st.code(row["formula"], language=None, width="content")


def doped_html(row: pd.Series) -> str:
    """The candidate as a doped compound of its parent."""
    defects = f": {row['defects']}" if row["defects"] else ""
    return f"<p>{formula_html(row['parent'])}, doped: {formula_html(row['doped_as'])}{defects}.</p>"


def predictions_html(row: pd.Series, base: Mapping[str, float]) -> str:
    """Tc and formation energy of the base, of the composition before rounding, and of the formula."""
    tc, energy = "tc_before_rounding_K", "formation_energy_before_rounding_eV_per_atom"
    rows = (
        ("Base", f"{base['tc_K']:.1f}", signed_number(base["formation_energy_eV_per_atom"], 3)),
        ("Before rounding", f"{row[tc]:.1f}", signed_number(row[energy], 3)),
        (
            "This formula",
            f"{row['tc_K']:.1f}{deviation_text(row['tc_std_K'], 1)}",
            signed_number(row["formation_energy_eV_per_atom"], 3)
            + deviation_text(row["formation_energy_std_eV_per_atom"], 3),
        ),
    )
    return table_html(("Predicted", "Tc (K)", "Ef (eV/atom)"), rows, css="last") + probability_html(row)


def probability_html(row: pd.Series) -> str:
    """The probability of superconductivity; empty if the Tc model provides none."""
    probability = row["superconducting_probability"]
    if pd.isna(probability):
        return ""
    return f"<p>Probability of superconducting: {probability:.0%}.</p>"


def control_model_html(row: pd.Series, base: Mapping[str, float]) -> str:
    """The Tc that the control model predicts, and its change from the base according to both models."""
    predicted, control = row["tc_K"] - base["tc_K"], row["tc_judge_K"] - base["tc_judge_K"]
    differs = pd.notna(row["control_disagrees"]) and row["control_disagrees"]
    mark = " <b>The models differ by more than the expected error.</b>" if differs else ""
    return (
        f"<p>Control model, which the optimiser never uses: {row['tc_judge_K']:.1f} K, {change_text(control)}; "
        f"the Tc model predicts {change_text(predicted)}.{mark}</p>"
    )


def warnings(row: pd.Series) -> list[str]:
    """Reasons to doubt the predictions for this candidate."""
    found = []
    if row["hydrogen_rich"]:
        found.append(HYDROGEN_RICH)
    elif row["caveat"]:
        found.append(html.escape(row["caveat"]))
    if row["rounding_distance"] > LARGE_ROUNDING:
        found.append(f"Rounding exchanged {row['rounding_distance']:.0%} of the atoms: the formula differs noticeably "
                     "from the composition that was optimised.")  # fmt: skip
    if pd.notna(row["extrapolating"]) and row["extrapolating"]:
        found.append("Farther from the training data of the Tc model than 95% of held-out compounds of new chemical "
                     "systems: this Tc is very uncertain.")  # fmt: skip
    elif row["nearest_known"] and not row["known"]:
        found.append("The Tc of a new composition is extrapolated, and the optimiser favours compositions that the "
                     "model overrates.")  # fmt: skip
    return found
