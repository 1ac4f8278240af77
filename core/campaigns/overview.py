"""The runs of a campaign as a table: the values of each, its state, its best candidate and the gain over the base."""

from __future__ import annotations

import pandas as pd

from core.campaigns.axes import BASE, METHOD, SEED
from core.campaigns.campaign import Campaign
from core.campaigns.expansion import PlannedRun, value_text
from core.campaigns.folder import OVERVIEW, CampaignFolder
from core.evaluation.csv_export import to_csv
from core.files import write_atomically
from core.problem.problem import DesignProblem
from core.runs import layout
from core.runs.run import Run
from core.runs.status import WITH_RESULT

NOT_STARTED = "not started"


def overview(folder: CampaignFolder, campaign: Campaign, runs: tuple[PlannedRun, ...]) -> pd.DataFrame:
    """One row per run, in the order of the campaign.

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
            **_state(folder.run(run.key)),
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


def _state(run: Run) -> dict:
    if not layout.is_run(run.folder):
        return {"phase": NOT_STARTED, "n_passing": pd.NA, "best_formula": "", "best_tc_K": float("nan"),
                "gain_K": float("nan"), "elapsed_s": float("nan"), "message": ""}  # fmt: skip
    status = run.status()
    summary = run.summary() if status.phase in WITH_RESULT else {}
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
