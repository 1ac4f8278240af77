"""The archive of a search in a record of progress.jsonl: its curve, and its best formulas, marked known or new."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from core.chemistry.composition import composition_vector, formula_of_counts
from core.chemistry.tolerances import KNOWN_COMPOSITION, ROUNDING_ERROR
from core.generation.interface import ArchiveReport, PropertyPredictors
from core.predictors.interface import STD_OF_ERROR
from core.problem.problem import DesignProblem
from core.reference_data.references import load_references

TOP = 10
_DIGITS = 6


@dataclass(frozen=True)
class ArchiveRecords:
    """Describes the archives of one run.

    base_tc_K : predicted Tc of the base
    known : (n, 118) compositions of the known superconductors
    """

    base_tc_K: float
    known: np.ndarray
    # Formula -> known: most formulas stay among the best for many rounds.
    _found: dict[str, bool] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def of(cls, problem: DesignProblem, predictors: PropertyPredictors) -> ArchiveRecords:
        """Of the searches for a valid problem."""
        tc, _ = predictors.predict(composition_vector(problem.base_fractions())[None])
        return cls(float(tc[0]), load_references().superconducting_compositions)

    def __call__(self, archive: ArchiveReport) -> dict:
        """Formulas tested, best and mean objective (K) of the reported formulas, and the TOP best of them in `top`.

        Each has formula, tc_K, tc_std_K (as in the results; the objective takes the mean absolute error, a smaller
        number), formation_energy_eV_per_atom, objective_K, gain_K (over the predicted Tc of the base) and known (the
        same composition is a known superconductor). Objectives are None in an empty archive.
        """
        objective = archive.objective_K
        best, mean = (_rounded(objective.max()), _rounded(objective.mean())) if len(objective) else (None, None)
        top = [self._formula(archive, row) for row in range(min(TOP, len(objective)))]
        return {"tested": archive.tested, "objective_K_best": best, "objective_K_mean": mean, "top": top}

    def _formula(self, archive: ArchiveReport, row: int) -> dict:
        amounts, tc = archive.amounts[row], float(archive.tc_K[row])
        formula = formula_of_counts(amounts)
        if formula not in self._found:
            difference = np.abs(self.known - amounts / amounts.sum()).max(1)
            self._found[formula] = bool((difference <= KNOWN_COMPOSITION + ROUNDING_ERROR).any())
        return {
            "formula": formula,
            "tc_K": _rounded(tc),
            "tc_std_K": _rounded(STD_OF_ERROR * archive.error_K[row]),
            "formation_energy_eV_per_atom": _rounded(archive.formation_energy_eV_per_atom[row]),
            "objective_K": _rounded(archive.objective_K[row]),
            "gain_K": _rounded(tc - self.base_tc_K),
            "known": self._found[formula],
        }


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")
