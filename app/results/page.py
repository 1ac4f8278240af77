"""The results page: figures of the run, candidates to browse, and how many candidates each screen left."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import asdict

import pandas as pd
import streamlit as st

from app import blocks, cached_data
from app.blocks import section
from app.empty_page import no_run
from app.exports.scatter_svg import scatter_svg
from app.results.browse import browse
from app.results.candidate_card.structures import SETTINGS
from app.results.compare_tray import compare_tray, other_run
from app.results.funnel import funnel_html
from app.results.lineage import lineage
from app.results.next_steps import next_steps
from app.results.run_report import Reported, caption, run_report
from app.results.summary_text import gain_text, headline_html, pressure_text
from app.runs.damage_block import damage_block, rebuilt_note, try_rebuild
from app.runs.deletion import local_time, problem_html
from app.runs.naming import named_html, rename
from app.runs.phases import PHASE_LABELS
from app.state import session
from app.structures.found import with_structure_columns, with_structures
from app.text.formatting import deviation_text, duration, formula_text, signed_number, with_minus
from app.text.html import TC, formula_html
from app.text.problem_title import title_html
from core.evaluation.candidate_table import gain
from core.evaluation.derived_columns import with_derived_columns
from core.evaluation.funnel import advice, further_funnel
from core.evaluation.headline import Headline, headline
from core.executors.structure_searches import folder_of_run
from core.generation.registry import registration
from core.problem.problem import RAISE_TC, DesignProblem
from core.runs import layout
from core.runs.damage import DamageError
from core.runs.names import names
from core.runs.run import Run
from core.runs.status import ACTIVE, Phase
from core.screening.registry import listed


def page() -> None:
    """The results of the run named in the URL, or the reason why there are none."""
    run = session.current_run()
    if run is None:
        no_run("No results yet", "Run a design first; its candidates appear here.", session.missing_run())
        return
    rebuilt_note(run)
    damaged = run.status().phase is Phase.DAMAGED
    try:
        table, summary, problem = run.candidates(), run.summary(), run.problem()
    except (FileNotFoundError, DamageError) as error:
        if damaged or isinstance(error, DamageError):
            damaged_header(run)
        else:
            unfinished(run)
        return
    if damaged:  # the candidates can be shown all the same
        damage_block(run)
    table = derived_table(str(run.folder), (run.folder / layout.RESULT).stat().st_mtime_ns, problem.base, table)
    table = with_structures(table, folder_of_run(run.folder, SETTINGS))
    found = headline(table, summary["base"])
    header(run, problem, table, summary)
    lineage(problem)
    metrics(table, problem.charge_rule, found)
    st.html(f'<p class="headline">{headline_html(found, problem.base, summary["base"]["tc_K"])}</p>')
    if found.verdict and problem.task == RAISE_TC:
        next_steps(problem, found.verdict)
    notes(table, summary)
    if len(table):
        browse(run, problem, table, summary)
        compare_tray()
        other_run(run, problem, table, summary)
    section("Screening")
    st.html(funnel_html(summary["funnel"]))
    if len(table) and table["passes"].any():
        section("Beyond the screens")
        st.caption("Passing means all screens above. These further questions are counted here, one after another, and "
                   "are filters of the candidates.")  # fmt: skip
        st.html(funnel_html([asdict(step) for step in further_funnel(table)]))


def damaged_header(run: Run) -> None:
    """The title of a damaged run, what is damaged and what can be done."""
    st.html(f'<h1 class="page-title">{problem_html(run)}</h1><p class="under">{run.id}</p>')
    damage_block(run)


@st.cache_data(show_spinner="Comparing with known compounds …", max_entries=20)
def derived_table(folder: str, written_ns: int, base: str, _table: pd.DataFrame) -> pd.DataFrame:
    """The candidates by rank with the derived columns, once for each result (the folder and when it was written)."""
    return with_derived_columns(_table, base)


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
        session.open_run(run, "run")


def header(run: Run, problem: DesignProblem, table: pd.DataFrame, summary: Mapping) -> None:
    """Title, predictions for the base, and the downloads of the whole run."""
    left, right = st.columns([3, 2], vertical_alignment="center")
    base = summary["base"]
    energy = signed_number(base["formation_energy_eV_per_atom"], 3)
    schedule, method = run.schedule(), registration(problem.method)
    size = f"{schedule.candidates:,} {method.candidates_are}"
    if summary["status"] == Phase.STOPPED:
        size += f", stopped after {summary['step']:,} of {schedule.steps:,} {method.steps_are},"
    left.html(
        f'<h1 class="page-title">{named_html(names().get(run.id, ""), title_html(problem))}</h1>'
        f'<p class="under">Base {formula_html(problem.base)}: predicted {TC} {base["tc_K"]:.1f} K, '
        f"formation energy {energy} eV/atom. {size} in "
        f"{duration(run.status().elapsed_s)} on {html.escape(summary['device'])}</p>"
    )
    with right.container(horizontal=True, horizontal_alignment="right"):
        download_candidates(run, table)
        with st.popover("More", key="more"):
            more(run, problem, table, summary)


def more(run: Run, problem: DesignProblem, table: pd.DataFrame, summary: Mapping) -> None:
    """Name of the run, and its other files; a file is made only when its button is pressed."""
    if st.button("Name this run", icon=":material/edit:", key="name_run", width="stretch"):
        rename(run)
    about = Reported(
        run.id, names().get(run.id, ""), local_time(run), str(run.provenance().get("project_version", "")),
        summary["device"],
    )  # fmt: skip
    passing = table[table["passes"] & table["energy_above_hull_eV_per_atom"].notna()]
    base = (formula_text(problem.base), summary["base"]["tc_K"])
    files = {
        "Problem (JSON)": ("json", "application/json", problem.to_json),
        "Report of one page (HTML)": (
            "html", "text/html", lambda: run_report(about, problem, table, summary, cached_data.known_to(problem)),
        ),
        "Chart with caption (SVG)": (
            "svg", "image/svg+xml", lambda: scatter_svg(passing, base, caption(about, problem, len(passing))),
        ),
    }  # fmt: skip
    for label, (ending, mime, text) in files.items():
        st.download_button(
            label, lambda text=text: text().encode("utf-8"), f"{run.id}.{ending}", mime, icon=":material/download:",
            key=f"download_{ending}", on_click="ignore", width="stretch", disabled=ending == "svg" and passing.empty,
        )  # fmt: skip


def download_candidates(run: Run, table: pd.DataFrame) -> None:
    """The candidates as CSV; a file that does not agree with its checksum is not served.

    With the columns of the structures, once some were relaxed.
    """
    try:
        content = with_structure_columns(run.csv(), table).encode("utf-8")
    except (DamageError, FileNotFoundError) as error:
        if run.status().phase is not Phase.DAMAGED:  # otherwise the page has said so
            blocks.error(str(error))
            if st.button("Rebuild", icon=":material/build:", key="rebuild_csv"):
                try_rebuild(run)
        return
    st.download_button(
        "All candidates (CSV)", content, f"{run.id}.csv", "text/csv",
        icon=":material/download:", key="download_all", type="primary", on_click="ignore",
        help=f"All {len(table):,} distinct formulas, including those that fail a screen, with the reason",
    )  # fmt: skip


def metrics(table: pd.DataFrame, charge_rule: str, found: Headline) -> None:
    """Five figures in large type: the first candidate, and the counts of the headline."""
    passing = table[table["passes"]]
    first = passing.iloc[0] if len(passing) else None
    tc = f"{first['tc_K']:.1f}{deviation_text(first['tc_std_K'], 1)} K" if first is not None else "–"
    gain_K = with_minus(f"{first['tc_gain_K']:+.1f} K to the base") if first is not None else None
    cells = st.columns([1.4, 1, 1, 1, 1])
    cells[0].metric(
        "Best candidate" if first is None else f"Best candidate: {formula_text(first['formula'])}", tc, gain_K,
        delta_color="off", delta_arrow="off",
        help="Predicted Tc of the candidate that is first by Tc minus its error",
    )  # fmt: skip
    screens = f"Of {len(table):,} distinct formulas. Screens: {listed(charge_rule)}."
    cells[1].metric("Passing candidates", f"{found.passing:,}", help=screens)
    cells[2].metric("Above the base", f"{found.above_base:,}", help="Passing, with a predicted Tc above the base's")
    cells[3].metric("By more than the error", f"{found.above_error:,}", help="The gain is above the error of Tc")
    cells[4].metric(
        "Seen by the control model", "–" if found.confirmed is None else f"{found.confirmed:,}",
        help="Of those to the left: the control model, which is never optimised, predicts a gain above the error too",
    )  # fmt: skip


def notes(table: pd.DataFrame, summary: Mapping) -> None:
    """The gain according to the control model, a warning about hydrides, and advice if no candidate passes."""
    passing = table[table["passes"]]
    mean = gain(passing, summary["base"])
    if mean is not None:
        st.caption(gain_text(mean))
    if table["hydrogen_rich"].any():
        st.warning(pressure_text(table), icon=":material/compress:")
    if not len(table):
        st.warning("No candidate survived the optimisation.", icon=":material/info:")
    elif not summary["n_passing"]:
        st.warning(advice(summary["funnel"]), icon=":material/info:")
