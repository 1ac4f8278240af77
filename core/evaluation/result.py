"""The result of a design."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from core.evaluation.funnel import FunnelStep
from core.problem.problem import DesignProblem


@dataclass(frozen=True)
class DesignResult:
    """The result of a design.

    problem : the problem that was solved
    status : "finished"; "stopped" or "cancelled" with the candidates at that time
    base : predictions for the base material: tc_K, formation_energy_eV_per_atom, tc_judge_K
    candidates : one row per distinct formula, by rank, with the columns of `core.evaluation.columns.COLUMNS`
    funnel : number of candidates that each screen leaves, in order
    restarts : number of restarts of dead candidates during the run
    device : device of the run
    """

    problem: DesignProblem
    status: str
    base: dict[str, float]
    candidates: pd.DataFrame
    funnel: tuple[FunnelStep, ...]
    restarts: int
    device: str

    @property
    def passing(self) -> pd.DataFrame:
        """The candidates that pass every screen, by rank."""
        return self.candidates[self.candidates["passes"]]
