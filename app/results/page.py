"""The results page: figures of the run, candidates to browse, and how many candidates each screen left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

import pandas as pd
import streamlit as st

from app.blocks import section
from app.empty_page import no_run
from app.results.browse import browse
from app.results.funnel import funnel_html
from app.results.summary_text import gain_text, pressure_text
from app.runs.phases import PHASE_LABELS
from app.state import session
from app.text.formatting import duration, signed_number, with_minus
from app.text.html import TC, formula_html
from app.text.problem_title import title_html
from core.evaluation.candidate_table import gain
from core.evaluation.funnel import advice, further_funnel
from core.problem.problem import DesignProblem
from core.runs.run import Run
from core.runs.status import ACTIVE
from core.screening.registry import listed


def page() -> None:
    """The results of the run named in the URL, or the reason why there are none."""
    run = session.current_run()
    if run is None:
        no_run("No results yet", "Run a design first; its candidates appear here.", session.missing_run())
        return
    try:
        table, summary = run.candidates(), run.summary()
    except FileNotFoundError:
        unfinished(run)
        return
    problem = run.problem()
    header(run, problem, table, summary)
    metrics(run, problem, table, summary)
    notes(table, summary)
    if len(table):
        browse(run, problem, table, summary)
    section("Screening")
    st.html(funnel_html(summary["funnel"]))
    if len(table) and table["passes"].any():
        section("Beyond the screens")
        st.caption("Passing means all screens above. These further questions are counted here, one after another, and "
                   "are filters of the candidates.")  # fmt: skip
        st.html(funnel_html([asdict(step) for step in further_funnel(table)]))


def unfinished(run: Run) -> None:
    """A run without results."""
    status = run.status()
    active = status.phase in ACTIVE
    st.html(f'<h1 class="page-title">{title_html(run.problem())}</h1>')
    st.info(
        "This run is still in progress; its candidates appear here when it has finished."
        if active
        else f"This run has no results: it is {PHASE_LABELS[status.phase].text}.",
        icon=":material/info:",
    )
    if st.button("Watch the run" if active else "Go to the run", type="primary", icon=":material/arrow_forward:"):
        session.open_run(run.id, "run")


def header(run: Run, problem: DesignProblem, table: pd.DataFrame, summary: Mapping) -> None:
    """Title, predictions for the base, and the downloads of the whole run."""
    left, right = st.columns([3, 2], vertical_alignment="center")
    base = summary["base"]
    energy = signed_number(base["formation_energy_eV_per_atom"], 3)
    left.html(
        f'<h1 class="page-title">{title_html(problem)}</h1>'
        f'<p class="under">Base {formula_html(problem.base)}: predicted {TC} {base["tc_K"]:.1f} K, '
        f"formation energy {energy} eV/atom</p>"
    )
    with right.container(horizontal=True, horizontal_alignment="right"):
        st.download_button(
            "All candidates (CSV)", run.csv().encode("utf-8"), f"{run.id}.csv", "text/csv",
            icon=":material/download:", key="download_all", type="primary", on_click="ignore",
            help=f"All {len(table):,} distinct formulas, including those that fail a screen, with the reason",
        )  # fmt: skip
        st.download_button(
            "Problem (JSON)", problem.to_json().encode("utf-8"), f"{run.id}.json", "application/json",
            icon=":material/download:", key="download_problem", on_click="ignore",
            help="The design problem, for the design page and the command line",
        )  # fmt: skip


def metrics(run: Run, problem: DesignProblem, table: pd.DataFrame, summary: Mapping) -> None:
    """Five figures in large type."""
    best, base = summary["best_tc_K"], summary["base"]["tc_K"]
    cells = st.columns(5)
    cells[0].metric("Best Tc", f"{best:.1f} K" if best is not None else "–", help="Of the candidates that pass")
    over_base = with_minus(f"{best - base:+.1f} K") if best is not None else "–"
    cells[1].metric("Gain over the base", over_base, help="Both are predictions of the same model")
    cells[2].metric(
        "Passing candidates",
        f"{summary['n_passing']:,}",
        help=f"Of {len(table):,} distinct formulas. Screens: {listed(problem.charge_rule)}.",
    )
    cells[3].metric("Candidates", f"{problem.settings.candidates:,}", help="Compositions in this run")
    cells[4].metric("Time", duration(run.status().elapsed_s), help=f"On {summary['device']}")


def notes(table: pd.DataFrame, summary: Mapping) -> None:
    """The gain according to the control model, a warning about hydrides, and advice if no candidate passes."""
    passing = table[table["passes"]]
    mean, best = gain(passing, summary["base"]), gain(passing, summary["base"], most=1)
    if mean is not None and best is not None:
        st.caption(gain_text(mean, best))
    if table["hydrogen_rich"].any():
        st.warning(pressure_text(table), icon=":material/compress:")
    if not len(table):
        st.warning("No candidate survived the optimisation.", icon=":material/info:")
    elif not summary["n_passing"]:
        st.warning(advice(summary["funnel"]), icon=":material/info:")
