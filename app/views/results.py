"""What came out of a run: figures, candidates to look through, one candidate in detail, the account of the screens."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from app import pieces, plots, session
from app.candidate import panel, same_composition
from app.style import ELEMENT_CHOICE, formula_html, formula_text
from core.chemistry.formula_reader import parse_formula
from core.errors import InputError
from core.evaluation.candidate_table import gain
from core.evaluation.columns import BY_NAME
from core.evaluation.csv_export import to_csv
from core.evaluation.funnel import advice
from core.problem.problem import DesignProblem
from core.runs.run import Run
from core.runs.status import ACTIVE

SHOWN = (
    "rank", "formula", "tc_K", "tc_std_K", "tc_gain_K", "tc_judge_K", "formation_energy_eV_per_atom",
    "energy_above_hull_eV_per_atom", "energy_above_hull_std_eV_per_atom", "nearest_known", "nearest_known_tc_K",
    "distance_to_known", "n_elements", "n_atoms", "times_found",
)  # fmt: skip
SHOWN_WITH_FAILING = (*SHOWN[:9], "passes", "failed_screen", "reason", *SHOWN[12:])
SELECTED, VISIBLE, ROUND = "results.selected", "results.visible", "results.round"


def page() -> None:
    """The finished run named in the URL, or what to do instead."""
    pieces.styled()
    run = session.current_run()
    if run is None:
        pieces.no_run("No results yet", "Run a design first; its candidates appear here.", session.missing_run())
        return
    try:
        table, summary = run.candidates(), run.summary()
    except FileNotFoundError:
        unfinished(run)
        return
    problem = run.problem()
    header(run, problem, table, summary)
    metrics(run, table, summary)
    if not len(table):
        st.warning("No candidate survived the optimisation.", icon=":material/info:")
    elif not summary["n_passing"]:
        st.warning(advice(summary["funnel"]), icon=":material/info:")
    if len(table):
        browse(run, problem, table, summary)
    pieces.section("How they were screened")
    st.html(pieces.funnel_html(summary["funnel"]))


def unfinished(run: Run) -> None:
    """A run without a result."""
    status = run.status()
    at_work = status.phase in ACTIVE
    st.html(f'<h1 class="page-title">{pieces.title_html(run.problem())}</h1>')
    st.info(
        "This run is still at work; its candidates appear when it has finished."
        if at_work
        else f"This run has no results: it is {pieces.PHASES[status.phase][0]}.",
        icon=":material/info:",
    )
    if st.button("Watch the run" if at_work else "Go to the run", type="primary", icon=":material/arrow_forward:"):
        session.open_run(run.id, "run")


def header(run: Run, problem: DesignProblem, table: pd.DataFrame, summary: dict) -> None:
    """What was asked, the base, and the downloads of the whole."""
    left, right = st.columns([3, 2], vertical_alignment="center")
    base = summary["base"]
    energy = pieces.signed_number(base["formation_energy_eV_per_atom"], 3)
    left.html(
        f'<h1 class="page-title">{pieces.title_html(problem)}</h1>'
        f'<p class="under">Base {formula_html(problem.base)}: predicted <i>T</i><sub>c</sub> {base["tc_K"]:.1f} K, '
        f"formation energy {energy} eV/atom</p>"
    )
    with right.container(horizontal=True, horizontal_alignment="right"):
        st.download_button(
            "All candidates (CSV)", run.csv().encode("utf-8"), f"{run.id}.csv", "text/csv",
            icon=":material/download:", key="download_all", type="primary", on_click="ignore",
            help=f"All {len(table):,} distinct formulas, with those that fail a screen and why",
        )  # fmt: skip
        st.download_button(
            "Problem (JSON)", problem.to_json().encode("utf-8"), f"{run.id}.json", "application/json",
            icon=":material/download:", key="download_problem", on_click="ignore",
            help="What was asked; the design page and the command line read it",
        )  # fmt: skip


def metrics(run: Run, table: pd.DataFrame, summary: dict) -> None:
    """Five figures."""
    best, base = summary["best_tc_K"], summary["base"]["tc_K"]
    cells = st.columns(5)
    cells[0].metric("Best Tc", f"{best:.1f} K" if best is not None else "–", help="Of the candidates that pass")
    over_base = f"{best - base:+.1f} K".replace("-", "−") if best is not None else "–"
    cells[1].metric("Gain over the base", over_base, help="Both are predictions of the same model")
    cells[2].metric("Passing candidates", f"{summary['n_passing']:,}", help=f"Of {len(table):,} distinct formulas")
    cells[3].metric("Candidates", f"{run.problem().settings.candidates:,}", help="Compositions at once")
    cells[4].metric("Time", pieces.duration(run.status().elapsed_s), help=f"On {summary['device']}")
    passing = table[table["passes"]]
    found, of_best = gain(passing, summary["base"]), gain(passing, summary["base"], most=1)
    if found is not None:
        st.caption(pieces.judged_text(found, of_best, run.problem()))
    if table["hydrogen_rich"].any():
        st.warning(pressure_text(table), icon=":material/compress:")


def pressure_text(table: pd.DataFrame) -> str:
    """What the Tc of hydrides mean, in two sentences."""
    rich = table["hydrogen_rich"]
    passing = int((rich & table["passes"]).sum())
    what = f"{passing:,} that pass" if passing else f"{int(rich.sum()):,} that fail"
    return (
        f"Rich in hydrogen (40% of the atoms or more, H-rich in the table): {what}. The high Tc of such hydrides were "
        "measured at very high pressure, mostly above 100 GPa, which SuperCon does not say: read these values as "
        "high-pressure ones."
    )


# ---- looking through ---------------------------------------------------------------------------------------------


def browse(run: Run, problem: DesignProblem, table: pd.DataFrame, summary: dict) -> None:
    """Filters, scatter, candidate and table; all show the same rows and the same choice."""
    pieces.section("Candidates")
    shown, failing = filtered(table, summary["n_passing"] > 0)
    chosen = chosen_row(run, table, shown)
    left, right = st.columns([1.25, 1], gap="medium")
    with left:
        scatter(shown, problem, summary, chosen)
    with right:
        panel(run, problem, chosen, summary)
    candidate_table(shown, failing, chosen)
    st.download_button(
        f"These {len(shown):,} rows (CSV)", to_csv(shown).encode("utf-8"), f"{run.id}-selection.csv", "text/csv",
        icon=":material/download:", key="download_shown", on_click="ignore", disabled=shown.empty,
    )  # fmt: skip


def filtered(table: pd.DataFrame, some_pass: bool) -> tuple[pd.DataFrame, bool]:
    """The rows that the filters leave, and whether failing ones are among them."""
    present = sorted({symbol for formula in table["formula"] for symbol in parse_formula(formula)})
    cells = st.columns([1.5, 1.6, 1.6, 1.1, 1.1, 1.3], vertical_alignment="bottom")
    text = cells[0].text_input("Formula contains", placeholder="any text", key="filter_text")
    with_all = cells[1].multiselect("With", present, key="filter_with", **ELEMENT_CHOICE)
    without = cells[2].multiselect("Without", present, key="filter_without", **ELEMENT_CHOICE)
    hull = cells[3].number_input(
        "Max above hull", value=None, step=0.01, format="%.3f", placeholder="eV/atom", key="filter_hull"
    )
    tc = cells[4].number_input("Min Tc", value=None, step=1.0, format="%.1f", placeholder="K", key="filter_tc")
    with cells[5].container(gap=None):
        new = st.toggle("Only new", key="filter_new", help="Leave out what is in the list of known superconductors")
        failing = st.toggle("Show failing", value=not some_pass, key="filter_failing")
    kept = table if failing else table[table["passes"]]
    if text:
        kept = kept[kept["formula"].map(partial(matches, text.strip()))]
    if with_all or without:
        inside = kept["formula"].map(lambda formula: set(parse_formula(formula)))
        kept = kept[[set(with_all) <= symbols and not set(without) & symbols for symbols in inside]]
    if hull is not None:
        kept = kept[kept["energy_above_hull_eV_per_atom"] <= hull]
    if tc is not None:
        kept = kept[kept["tc_K"] >= tc]
    return (kept[~kept["known"]] if new else kept), failing


def matches(text: str, formula: str) -> bool:
    """Whether a formula has this in it, in letters of any case, or is the same composition in another order."""
    if text.lower() in formula.lower():
        return True
    try:
        return same_composition(text, formula)
    except InputError:  # only a part of a formula
        return False


def chosen_row(run: Run, table: pd.DataFrame, shown: pd.DataFrame) -> pd.Series:
    """The candidate last chosen in this run; at first the best that is shown."""
    run_id, candidate = st.session_state.get(SELECTED, (None, None))
    if run_id == run.id and (table["candidate"] == candidate).any():
        row = table[table["candidate"] == candidate].iloc[0]
    else:
        row = (shown if len(shown) else table).iloc[0]
    st.session_state[SELECTED] = (run.id, int(row["candidate"]))
    st.session_state[VISIBLE] = shown["candidate"].tolist()
    return row


def choose(candidate: int | None, source: str) -> None:
    """Remember the choice, and have the other view begin anew, so that it shows this choice and no older one."""
    if candidate is not None:
        st.session_state[SELECTED] = (st.session_state[SELECTED][0], int(candidate))
    rounds = st.session_state.setdefault(ROUND, {"scatter": 0, "table": 0})
    other = {"scatter": "table", "table": "scatter"}[source]
    rounds[other if candidate is not None else source] += 1


def key_of(view: str) -> str:
    """The widget key of a view: another one for other rows, so that no row number outlives its table."""
    rounds = st.session_state.get(ROUND, {view: 0})
    return f"{view}-{rounds[view]}-{hash((st.session_state[SELECTED][0], *st.session_state[VISIBLE])):x}"


def scatter(shown: pd.DataFrame, problem: DesignProblem, summary: dict, chosen: pd.Series) -> None:
    """Tc against energy above hull; a click chooses."""
    colour_by = st.segmented_control(
        "Colour shows", list(plots.SCATTER_COLOURS), default="distance_to_known", required=True, key="colour_by",
        format_func=lambda name: plots.SCATTER_COLOURS[name][0],
    )  # fmt: skip
    if shown.empty:
        return  # the table says so
    if shown["energy_above_hull_eV_per_atom"].notna().sum() == 0:
        st.caption("No candidate with a hull distance is left: only those that pass every screen have one.")
        return
    key = key_of("scatter")

    def clicked() -> None:
        points = st.session_state[key]["selection"]["points"]
        choose(points[0]["customdata"][0] if points else None, "scatter")

    base = (formula_text(problem.base), summary["base"]["tc_K"])
    st.plotly_chart(
        plots.candidates_figure(shown, base, colour_by, int(chosen["candidate"])),
        key=key, on_select=clicked, selection_mode="points", config=plots.CHART_CONFIG,
        alt="Predicted Tc against energy above hull of the candidates",
    )  # fmt: skip
    st.caption("Click a point to look at it. Open diamonds are known superconductors.")


def candidate_table(shown: pd.DataFrame, failing: bool, chosen: pd.Series) -> None:
    """The rows, sortable; a click on a row chooses."""
    if shown.empty:
        st.caption("No candidate is left by these filters.")
        return
    key = key_of("table")

    def clicked() -> None:
        rows = st.session_state[key]["selection"]["rows"]
        choose(st.session_state[VISIBLE][rows[0]] if rows else None, "table")

    columns = SHOWN_WITH_FAILING if failing else SHOWN
    if shown["hydrogen_rich"].any():
        columns = (*columns[:3], "hydrogen_rich", *columns[3:])
    view = shown[list(columns)].copy()
    for name in ("formula", "nearest_known"):
        if name in columns:
            view[name] = view[name].map(formula_text)
    for name in view.select_dtypes("float"):
        view[name] = view[name].round(decimals(name)) + 0.0  # no minus before a zero
    places = [i for i, candidate in enumerate(shown["candidate"]) if candidate == chosen["candidate"]]
    st.dataframe(
        view, key=key, on_select=clicked, selection_mode="single-row",
        selection_default={"selection": {"rows": places}}, hide_index=True,
        column_config={name: column(name) for name in columns},
        alt="Table of candidates",
    )  # fmt: skip


def column(name: str) -> object:
    """How a column is shown: label, format and help from the one list of columns."""
    about = BY_NAME[name]
    if about.dtype == "bool":
        return st.column_config.CheckboxColumn(about.label, help=about.meaning)
    if about.dtype == "str":
        return st.column_config.TextColumn(about.label, help=about.meaning)
    return st.column_config.NumberColumn(about.label, help=about.meaning, format=f"%.{decimals(name)}f")


def decimals(name: str) -> int:
    """Digits after the point that the table shows; the CSV has more of them."""
    # No model knows a kelvin or a hundredth of an eV/atom; one digit more tells neighbours in rank apart.
    return min(BY_NAME[name].digits or 0, 1 if name.endswith("_K") else 3)


page()
