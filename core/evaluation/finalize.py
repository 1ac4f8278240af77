"""The result of a design from the candidates of a generator: predictions, screens, stability, novelty and ranking."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
import torch

from core.chemistry.composition import composition_vector, formula_of_counts
from core.chemistry.exact_formula import literal_amounts
from core.chemistry.families import hydrogen_rich
from core.evaluation.candidate_table import typed
from core.evaluation.charges import shown_charges, states_of_substitution
from core.evaluation.demands import add_demands
from core.evaluation.funnel import first_failed, funnel
from core.evaluation.predictions import PREDICTED, predicted
from core.evaluation.ranking import ranked
from core.evaluation.result import DesignResult
from core.evaluation.stability_and_novelty import stability_and_novelty
from core.generation.interface import Candidates, PropertyPredictors
from core.predictors.control_model import load_control_model
from core.problem.problem import DesignProblem
from core.screening.charge_neutrality import charge_balance
from core.screening.registry import screens

MISSING = {"f": np.nan, "b": False, "O": ""}  # kind of the dtype -> value in rows that are not evaluated


def finalize(
    problem: DesignProblem, candidates: Candidates, predictors: PropertyPredictors, status: str
) -> DesignResult:
    """Predict and screen the candidates, add stability and novelty, and rank the distinct formulas.

    status : "finished", "stopped" or "cancelled"
    """
    distinct = _distinct(candidates)
    table = _described(distinct, predictors, problem)
    base_composition = composition_vector(problem.base_fractions())[None]
    of_base = predicted(predictors.tc, predictors.formation_energy, _tensor(predictors, base_composition))
    base = {name: of_base[name] for name in PREDICTED} | {"tc_judge_K": load_control_model().tc_K(base_composition)}
    table["tc_gain_K"] = table["tc_K"] - base["tc_K"][0]
    table = ranked(table)
    return DesignResult(
        problem=problem,
        status=status,
        base={name: float(values[0]) for name, values in base.items()},
        candidates=typed(table),
        funnel=funnel(
            table,
            candidates.total,
            candidates.lost,
            candidates.exchanged,
            screens(problem.charge_rule, problem.settings),
        ),
        restarts=candidates.restarts,
        device=str(predictors.device),
    )


@dataclass(frozen=True)
class _Distinct:
    """The distinct formulas: rows `first` of the candidates, each reached `times` times."""

    candidates: Candidates
    first: np.ndarray
    times: np.ndarray


def _distinct(candidates: Candidates) -> _Distinct:
    """The first occurrence of each formula, in the order of the candidates, and how often it occurs."""
    counts = candidates.rounded.counts
    if len(counts) == 0:
        nothing = np.zeros(0, dtype=np.int64)
        return _Distinct(candidates, nothing, nothing)
    _, first, times = np.unique(counts, axis=0, return_index=True, return_counts=True)
    order = np.argsort(first)
    return _Distinct(candidates, first[order], times[order])


def _described(distinct: _Distinct, predictors: PropertyPredictors, problem: DesignProblem) -> pd.DataFrame:
    """Every column but rank and gain, one row per distinct formula."""
    candidates, first = distinct.candidates, distinct.first
    counts, amounts = candidates.rounded.counts[first], candidates.rounded.amounts[first]
    compositions = candidates.rounded.compositions[first]
    balances = charge_balance(counts, problem.charge_rule, list(counts.sum(1) / amounts.sum(1)))
    table = pd.DataFrame({"formula": [formula_of_counts(a) for a in amounts]}, dtype="str")
    x = _tensor(predictors, compositions)
    for name, values in predicted(predictors.tc, predictors.formation_energy, x).items():
        table[name] = values
    table["tc_judge_K"] = load_control_model().tc_K(compositions)
    table["hydrogen_rich"] = hydrogen_rich(compositions)
    table["n_elements"] = (counts > 0).sum(1)
    table["n_atoms"] = np.round(amounts.sum(1)).astype(np.int64)
    table["charge_neutral"] = np.array([b.charge_neutral for b in balances], dtype=bool)
    table["pauling_ok"] = np.array([b.pauling_ok for b in balances], dtype=bool)
    pinned = partial(states_of_substitution, problem)
    for name, values in shown_charges(map(literal_amounts, table["formula"]), balances, pinned).items():
        table[name] = values
    add_demands(table, compositions, problem)
    table["failed_screen"] = first_failed(table, screens(problem.charge_rule, problem.settings))
    table["passes"] = table["failed_screen"] == ""
    table["tc_before_rounding_K"] = candidates.tc_K[first]
    table["formation_energy_before_rounding_eV_per_atom"] = candidates.formation_energy_eV_per_atom[first]
    table["integer_loss"] = candidates.integer_loss[first]
    table["rounding_distance"] = np.abs(compositions - candidates.composition[first]).sum(1) / 2
    table["times_found"] = distinct.times
    table["candidate"] = candidates.number[first]
    _add_stability_and_novelty(table, compositions, predictors)
    return table


def _tensor(predictors: PropertyPredictors, compositions: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(compositions).float().to(predictors.device)


def _add_stability_and_novelty(table: pd.DataFrame, compositions: np.ndarray, predictors: PropertyPredictors) -> None:
    """Add the columns of `stability_and_novelty` for the rows that pass; empty for the others."""
    passing = np.flatnonzero(table["passes"])
    energies = table["formation_energy_eV_per_atom"].to_numpy()[passing]
    found = stability_and_novelty(predictors.formation_energy, compositions[passing], energies)
    for name, values in found.items():
        column = np.full(len(table), MISSING[values.dtype.kind], dtype=values.dtype)
        column[passing] = values
        table[name] = column
