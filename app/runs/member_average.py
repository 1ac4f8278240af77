"""Predictions during a run as means over the ensemble members, also for runs of earlier versions."""

from __future__ import annotations

import pandas as pd

from app import cached_data
from app.charts import moving_average
from core.problem.problem import DesignProblem
from core.runs.run import Run


def averaged(run: Run, problem: DesignProblem, table: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Recorded steps with averaged predictions, and the number of steps that these are the means of.

    Earlier versions recorded the predictions of single members; then consecutive records are averaged here.

    table : `Run.progress` or `Run.trajectory`
    """
    recorded = run.averaged_steps()
    if recorded > 1:
        return table, recorded
    cycle = cached_data.steps_per_cycle(problem.method, problem.tc_predictor, problem.formation_energy_predictor)
    return moving_average(table, cycle), cycle
