"""The ten candidates that a design shows first, each against what a chemist asks of a proposal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from core.benchmarks import figures
from core.benchmarks.harness import Options, Outcome, finished_run
from core.chemistry.composition import compositions
from core.chemistry.exact_formula import literal_amounts
from core.chemistry.tolerances import WHOLE_ATOM
from core.evaluation.headline import control_disagrees
from core.evaluation.near_duplicates import near_duplicates, with_variants
from core.problem.problem import DesignProblem
from core.screening.registry import EXCHANGE, LARGEST_EXCHANGE
from core.screening.usual_charges import usual_charges

BASES = ("LaFeAsO", "YBa2Cu3O7", "MgB2", "Nb3Sn", "LaH10")
FIRST = 10
MOST_ATOMS = 20
CRITERIA = (
    "usual_charges", "small_exchange", "small_cell", "no_near_duplicate", "within_hull_error", "gain_above_error",
    "control_agrees",
)  # fmt: skip


def top_ten(options: Options) -> Outcome:
    """Default designs with seed 0: the first ten rows of the results page with the criteria that each meets."""
    found = []
    for base in options.bases or BASES:
        problem = DesignProblem(base=base, seed=0, device=options.device)
        run = finished_run(problem, options)
        found.append(criteria(shown_first(run.candidates()), run.summary()["base"]).assign(base=base))
    table = pd.concat(found, ignore_index=True) if found else pd.DataFrame()
    table = table[["base", *(name for name in table if name != "base")]]
    means = table.groupby("base", sort=False)["criteria_met"].mean().reset_index(name="criteria_met")
    figure = figures.bars(means.assign(method="here"), "base", "criteria_met", "method", "criteria met, of 7")
    about = replace(options, candidates=problem.settings.candidates, steps=problem.settings.steps, seeds=1).about()
    return Outcome(table, sentences(table), figure, about)


def shown_first(candidates: pd.DataFrame) -> pd.DataFrame:
    """The FIRST rows of the results page: one for each group of near-duplicates, by rank.

    Of the candidates that pass; without those that rounding made another composition, unless there are no others.
    """
    passing = candidates[candidates["passes"]]
    near = passing[EXCHANGE.test(passing)]
    rows = with_variants((near if len(near) else passing).sort_values("rank"))
    of_group = rows.groupby("group", sort=False)["rank"].transform("min")
    return rows[rows["shown_first"]].assign(order=of_group).sort_values("order").drop(columns="order").head(FIRST)


def criteria(rows: pd.DataFrame, base: Mapping[str, float]) -> pd.DataFrame:
    """The criteria (bool columns) that each row meets, and their number `criteria_met`.

    usual_charges : usual oxidation states balance, or charge counting does not apply
    small_exchange : rounding exchanged at most LARGEST_EXCHANGE of the atoms
    small_cell : at most MOST_ATOMS atoms
    no_near_duplicate : differs from each row above it by more than LARGEST_EXCHANGE
    within_hull_error : the energy above hull is below its expected standard deviation
    gain_above_error : Tc is above that of the base by more than its expected standard deviation
    control_agrees : the control model differs by at most the expected standard deviation of Tc

    rows : of the candidate table, in the order that is judged; base : predictions for the base material
    """
    rows = rows.reset_index(drop=True)
    x = compositions(rows["formula"]) if len(rows) else np.zeros((0, 118))
    met = pd.DataFrame(
        {
            "usual_charges": [_usual(formula) for formula in rows["formula"]],
            "small_exchange": rows["rounding_distance"] <= LARGEST_EXCHANGE + WHOLE_ATOM,
            "small_cell": rows["n_atoms"] <= MOST_ATOMS,
            "no_near_duplicate": near_duplicates(x) == np.arange(len(x)),
            "within_hull_error": rows["energy_above_hull_eV_per_atom"] <= rows["energy_above_hull_std_eV_per_atom"],
            "gain_above_error": rows["tc_K"] - base["tc_K"] > rows["tc_std_K"],
            "control_agrees": ~control_disagrees(rows).fillna(True),
        }
    ).astype(bool)
    described = [
        "formula", "tc_K", "tc_std_K", "tc_judge_K", "energy_above_hull_eV_per_atom",
        "energy_above_hull_std_eV_per_atom", "rounding_distance", "n_atoms",
    ]  # fmt: skip
    return pd.concat([rows[described], met], axis=1).assign(
        place=np.arange(1, len(rows) + 1), criteria_met=met.sum(axis=1)
    )


def _usual(formula: str) -> bool:
    return usual_charges(literal_amounts(formula)).usual is not False


def sentences(table: pd.DataFrame) -> tuple[str, ...]:
    """How many of the criteria the rows meet, by base and in all."""
    by_base = (
        f"{base}: {len(rows)} candidates are shown first; they meet {rows['criteria_met'].mean():.1f} of "
        f"{len(CRITERIA)} criteria on average, {(rows['criteria_met'] == len(CRITERIA)).sum()} of them all."
        for base, rows in table.groupby("base", sort=False)
    )
    return (*by_base, f"Share of the rows that meet each criterion: {_shares(table, CRITERIA)}.")


def _shares(table: pd.DataFrame, names: Iterable[str]) -> str:
    return ", ".join(f"{name} {table[name].mean():.0%}" for name in names)
