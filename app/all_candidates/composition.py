"""One composition of the library: star, note, where it comes from, and the runs that found it."""

from __future__ import annotations

import html

import streamlit as st

from app import blocks
from app.runs.deletion import local_time
from app.star_and_note import annotation_form
from app.state import session
from app.text.formatting import formula_text, times
from core.campaigns.folder import run_of_campaign
from core.campaigns.lineage import formula_condition, lineage
from core.campaigns.query import CandidateQueries
from core.runs import store
from core.runs.annotations import Annotation

MOST_RUNS = 5
_RUN_COLUMNS = ("run", "campaign", "base", "method", "seed", "tc_K", "tc_judge_K", "energy_above_hull_eV_per_atom")


def composition(library: CandidateQueries, formula: str, annotation: Annotation) -> None:
    """Draw the composition."""
    left, right = st.columns([1, 1.6], gap="large")
    with left:
        blocks.section(formula_text(formula))
        annotation_form(formula, annotation)
    with right:
        line = lineage(library, formula)
        if len(line) > 1:
            st.html(
                f'<p class="quiet">From base to candidate</p><p>{html.escape(" → ".join(map(formula_text, line)))}</p>'
            )
        _runs(library, formula)


def _runs(library: CandidateQueries, formula: str) -> None:
    found = library.select(formula_condition(formula), columns=_RUN_COLUMNS).to_pylist()
    st.html(f'<p class="quiet">Found {times(len(found))}'
            f'{f", the best {MOST_RUNS} are listed" if len(found) > MOST_RUNS else ""}</p>')  # fmt: skip
    for place, row in enumerate(found[:MOST_RUNS]):
        cells = st.columns([4, 1], vertical_alignment="center")
        control = row["tc_judge_K"]
        control_text = "" if control is None else f", control model {control:.1f} K"
        origin = f" · campaign {row['campaign']}" if row["campaign"] else ""
        run = run_of_campaign(row["campaign"], row["run"]) if row["campaign"] else store.get(row["run"])
        when = f" · {local_time(run)}" if run else ""
        cells[0].text(f"{row['base']} · {row['method']} · seed {row['seed']}{origin}{when}\n"
                      f"Tc {row['tc_K']:.1f} K{control_text}")  # fmt: skip
        if run and cells[1].button("Open", key=f"library.open-{place}", icon=":material/open_in_new:"):
            session.open_run(run, "results")
