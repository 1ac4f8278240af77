"""The runs of a campaign as a table: the values of each, its state, its best candidate and the gain over the base."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from core.campaigns.axes import BASE, METHOD, SEED
from core.campaigns.campaign import Campaign
from core.campaigns.expansion import PlannedRun, value_text
from core.campaigns.folder import OVERVIEW, CampaignFolder
from core.evaluation.csv_export import to_csv
from core.files import write_atomically
from core.problem.problem import DesignProblem
from core.runs import layout
from core.runs.documents import RESULT
from core.runs.run import Run
from core.runs.status import WITH_RESULT, RunStatus

NOT_STARTED = "not started"


def overview(
    folder: CampaignFolder,
    campaign: Campaign,
    runs: tuple[PlannedRun, ...],
    state: Callable[[Run], dict] | None = None,
) -> pd.DataFrame:
    """One row per run, in the order of the campaign.

    state : gives `state_of` for a run, for example from a cache

    Columns: run (content key), base, method, seed, one for each further field that varies, phase, n_passing,
    best_formula, best_tc_K and gain_K (of the first by rank that passes every screen; missing without one), elapsed_s,
    message (why a run has no result).
    """
    further = [name for name in campaign.varied if name not in (BASE, METHOD, SEED)]
    rows = [
        {
            "run": run.key,
            **_names(run.problem),
            **{name: value_text(run.values[name]) for name in further},
            **(state or state_of)(folder.run(run.key)),
        }
        for run in runs
    ]
    return pd.DataFrame(rows)


def write_overview(folder: CampaignFolder, campaign: Campaign, runs: tuple[PlannedRun, ...]) -> pd.DataFrame:
    """Write the table of `overview` as runs.csv, and return it. Raises OSError if the file cannot be written."""
    table = overview(folder, campaign, runs)
    write_atomically(folder.folder / OVERVIEW, to_csv(table.round(4)))
    return table


def _names(problem: DesignProblem) -> dict:
    return {"base": problem.base, "method": problem.method, "seed": problem.seed}


def state_of(run: Run) -> dict:
    """State, best candidate and gain of a run, with its files inspected: the columns of `overview` from phase on."""
    if not layout.is_run(run.folder):
        return dict(_NOT_STARTED)
    status = run.status()
    return _described(status, run.summary() if status.phase in WITH_RESULT else {})


def stored_state(run: Run) -> dict:
    """As `state_of`, from what the worker has stored, without inspection: for runs at work."""
    if not (run.folder / layout.PROBLEM).is_file():
        return dict(_NOT_STARTED)
    status = run.stored_status()
    return _described(status, RESULT.content(run.folder) if status.phase in WITH_RESULT else {})


_NOT_STARTED = {"phase": NOT_STARTED, "n_passing": pd.NA, "best_formula": "", "best_tc_K": float("nan"),
                "gain_K": float("nan"), "elapsed_s": float("nan"), "message": ""}  # fmt: skip


def _described(status: RunStatus, summary: dict) -> dict:
    best = summary.get("best_tc_K")
    return {
        "phase": status.phase.value,
        "n_passing": summary.get("n_passing", pd.NA),
        "best_formula": summary.get("best_formula") or "",
        "best_tc_K": float("nan") if best is None else best,
        "gain_K": float("nan") if best is None else best - summary["base"]["tc_K"],
        "elapsed_s": status.elapsed_s,
        "message": status.message,
    }
