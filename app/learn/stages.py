"""Stage 1, M_max and stage 2 of a stored run as bars that move, and the way to this run."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app.learn.show import chart
from app.learn.stages_chart import fractions_by_step, stages_figure
from app.state import session
from app.text.formatting import formula_text
from core.benchmarks.harness import read
from core.chemistry.composition import whole_counts
from core.chemistry.formula_reader import parse_formula
from core.paths import ASSETS
from core.problem.problem import DesignProblem
from core.runs.example import STORED, open_example
from core.runs.run import Run

EXAMPLE, FOLDER = "example-run", ASSETS / "benchmarks"


def stages() -> None:
    """The section; a note if the example is missing."""
    table = followed()
    if table is None:
        st.info(f"The example is missing. `python -m core benchmark {EXAMPLE}` computes it.", icon=":material/info:")
        return
    problem = Run(STORED).problem()
    formulas = list(table["formula"].unique())
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        formula = st.segmented_control(
            "Candidates of the stored run, by their final formula", formulas, required=True, default=formulas[0],
            format_func=formula_text, key="learn_candidate",
        )  # fmt: skip
        open_run_button()
    part = table[table["formula"] == formula].reset_index(drop=True)
    symbols, fractions = fractions_by_step(part)
    atoms = sum((whole_counts(parse_formula(formula)) or {}).values())
    chart(stages_figure(part, symbols, fractions, atoms), "learn_stages",
          f"Fractions of {formula} at every recorded step of the run, with its Tc and integer loss")  # fmt: skip
    st.markdown(sentences(part, problem, atoms))


def sentences(part: pd.DataFrame, problem: DesignProblem, atoms: int) -> str:
    """What happens to a candidate in each stage, with the numbers of its rows."""
    symbols, fractions = fractions_by_step(part)
    first = part[part["stage"] == 1]
    before, after = fractions[len(first) - 1], fractions[len(first)]
    gone = [symbol for symbol, x, y in zip(symbols, before, after, strict=True) if x > 0 and y == 0]
    tc, loss = part["tc_K"], part["integer_loss"]
    start, middle, end = 0, len(first) - 1, len(part) - 1
    most, steps = problem.settings.max_elements, problem.settings.steps
    removed = f"removes {', '.join(gone)}" if gone else f"has nothing to remove here: at most {most} elements stay"
    return (
        f"**Stage 1** ({steps[0]} steps of Adam on $L_1$): predicted Tc from {tc[start]:.1f} to {tc[middle]:.1f} K. "
        f"**M_max** {removed}. **Stage 2** ({steps[1]} steps with the integer loss): the fractions move to the "
        f"dotted lines, multiples of 1/{atoms}; the integer loss falls from {loss[middle]:.3f} to {loss[end]:.3f}, and "
        f"Tc ends at {tc[end]:.1f} K. **Rounding** gives {formula_text(part['formula'].iloc[0])}, {atoms} atoms per "
        "formula unit."
    )


def open_run_button() -> None:
    """The button that opens the stored run."""
    if st.button("Open this run", icon=":material/open_in_new:", key="learn_open_example", type="primary",
                 help="A finished run that comes with the app; its results open at once"):  # fmt: skip
        session.open_run(open_example(), "results")


@st.cache_data(show_spinner=False)
def followed() -> pd.DataFrame | None:
    """The rows of the candidates that are followed; None without the stored example."""
    outcome = read(EXAMPLE, FOLDER)
    return None if outcome is None else outcome.table
