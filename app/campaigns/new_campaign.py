"""The form of a new campaign: the problem of the design page for many bases, seeds and methods."""

from __future__ import annotations

import html
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from app import blocks
from app.state import session
from app.text.formatting import duration, formula_text
from app.text.problem_title import settings_text, title
from core.campaigns.axes import BASE
from core.campaigns.background import start
from core.campaigns.bases import csv_bases
from core.campaigns.campaign import Campaign
from core.campaigns.expansion import PlannedRun, planned_runs
from core.campaigns.folder import app_campaign
from core.campaigns.template import for_many
from core.chemistry.formula_lists import split_formulas
from core.errors import InputError
from core.generation.registry import generator_of, registration, registrations
from core.problem.problem import DesignProblem
from core.problem.settings import START_FAMILIES
from core.processors import processors

LIST, KNOWN, FILE = "List", "Family and Tc", "CSV file"
MOST_SEEDS, MOST_BASES = 100, 1_000
MAX_UPLOAD_MB = 1
_SHOWN = 12  # bases named in the preview
_LOOKED_AT = 200  # runs whose time is estimated


def new_campaign(names: Sequence[str]) -> None:
    """Draw the form; start the campaign. names : of the campaigns that exist"""
    problem = session.draft().problem()
    st.title("New campaign", anchor=False)
    st.html('<p class="quiet">The design of the page “Design” for many base materials, each with several seeds.</p>')
    left, right = st.columns([1.6, 1], gap="large")
    with left:
        bases = _bases_field(problem)
        first, second = st.columns(2, gap="small")
        seeds = int(first.number_input("Seeds per base", 1, MOST_SEEDS, 3, key="campaign.seeds"))
        workers = int(second.number_input("Runs at the same time", 1, 64, processors(), key="campaign.workers",
                                          help="Worker processes on this computer, one processor each"))  # fmt: skip
        labels = {each.name: each.label for each in registrations()}
        methods = st.multiselect("Methods", list(labels), [problem.method], format_func=labels.get,
                                 key="campaign.methods", help="Several methods are compared base by base. Settings of "
                                 "one method only apply to the method of the design page")  # fmt: skip
        name = st.text_input("Name", _free_name(problem, names), key="campaign.name")
    with right, st.container(border=True, key="campaign-preview"):
        st.html(f'<p class="quiet">Design: {html.escape(title(problem))}</p>'
                f'<p class="quiet">{settings_text(problem)}</p>')  # fmt: skip
        given = _checked(problem, bases, seeds, methods)
        if given is not None:
            _preview(*given, workers)
        with st.container(horizontal=True):
            if st.button("Start", type="primary", icon=":material/play_arrow:", disabled=given is None) and given:
                _started(given[0], name, names, workers)
            if st.button("Back", type="tertiary"):
                st.query_params.clear()
                st.rerun()


def _bases_field(problem: DesignProblem) -> Any:
    """The bases as `core.campaigns.bases.read_bases` takes them; None for none yet, or with an error on the page."""
    kind = st.segmented_control("Base materials", (LIST, KNOWN, FILE), default=LIST, required=True,
                                key="campaign.bases")  # fmt: skip
    if kind == LIST:
        text = st.text_area("Formulas, one per line", problem.base, key="campaign.list", height=130)
        formulas = split_formulas(text)
        wrong = [formula for formula in formulas if isinstance(formula, InputError)]
        blocks.show_errors(wrong)
        return None if wrong or not formulas else formulas
    if kind == KNOWN:
        cells = st.columns([1.4, 1, 1, 1], gap="small")
        family = cells[0].selectbox("Family", START_FAMILIES, key="campaign.family")
        low = cells[1].number_input("Tc from (K)", 0.0, 1000.0, 20.0, 5.0, key="campaign.low")
        high = cells[2].number_input("to (K)", 0.0, 1000.0, 60.0, 5.0, key="campaign.high")
        text = "The known superconductors with the highest measured Tc in this range"
        most = cells[3].number_input("At most", 1, MOST_BASES, 24, key="campaign.most", help=text)
        return {"family": family, "tc_K": [low, high], "most": int(most)}
    file = st.file_uploader("CSV file with a column of formulas", "csv", key="campaign.csv",
                            max_upload_size=MAX_UPLOAD_MB)  # fmt: skip
    if file is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bases.csv"
        path.write_bytes(file.getvalue())
        try:
            return list(csv_bases(path))
        except InputError as error:
            blocks.show_errors([error])
            return None


def _checked(
    problem: DesignProblem, bases: Any, seeds: int, methods: Sequence[str]
) -> tuple[Campaign, tuple[PlannedRun, ...]] | None:
    """The campaign with its runs; None, with what is wrong on the page, if it cannot be started."""
    if bases is None:
        return None
    try:
        campaign = for_many(problem, bases, seeds, methods)
        return campaign, _runs(campaign.to_json(), campaign)
    except InputError as error:
        blocks.show_errors([error])
        return None


@st.cache_resource(show_spinner="Checking every base …", max_entries=10)
def _runs(text: str, _campaign: Campaign) -> tuple[PlannedRun, ...]:
    return planned_runs(_campaign)


def _preview(campaign: Campaign, runs: tuple[PlannedRun, ...], workers: int) -> None:
    (bases,) = (axis.values for axis in campaign.axes if axis.name == BASE)
    named = ", ".join(map(formula_text, bases[:_SHOWN])) + (", …" if len(bases) > _SHOWN else "")
    looked_at = runs[:: max(1, len(runs) // _LOOKED_AT)]
    work_s = sum(_processor_s(run.problem) for run in looked_at) * len(runs) / len(looked_at)
    st.html(f"<p><b>{len(runs):,} runs</b> for {len(bases):,} base{'' if len(bases) == 1 else 's'}, "
            f"{_time_text(work_s / min(workers, processors(), len(runs)))}</p>"
            f'<p class="quiet">{html.escape(named)}</p>')  # fmt: skip


def _time_text(seconds: float) -> str:
    return "less than a minute" if seconds < 60 else f"about {duration(seconds)}"


def _processor_s(problem: DesignProblem) -> float:
    """Estimated time of a run on one processor, from the speed of its method on two."""
    schedule = generator_of(problem).schedule(problem)
    return 2 * schedule.candidates * schedule.steps / registration(problem.method).candidate_steps_per_s


def _free_name(problem: DesignProblem, names: Sequence[str]) -> str:
    stem = re.sub(r"[^A-Za-z0-9]+", "-", f"bases-{problem.base}")[:40].strip("-")
    return next(name for name in (stem, *(f"{stem}-{i}" for i in range(2, len(names) + 3))) if name not in names)


def _started(campaign: Campaign, name: str, names: Sequence[str], workers: int) -> None:
    try:
        folder = app_campaign(name.strip())
        if folder.name in names:
            raise InputError("name", name, "a campaign of this name exists", "Choose another name")
        folder.store(campaign)
        start(folder, workers)
    except InputError as error:
        blocks.show_errors([error])
        return
    session.open_campaigns(campaign=folder.name)
