"""KIAGO's tables 5 to 8: one element of a known superconductor replaced by others of its oxidation state."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np
import pandas as pd
import torch

from core.benchmarks import diffusion, figures
from core.benchmarks.harness import Options, Outcome, budget, finished_run, mean_and_spread, with_stored
from core.benchmarks.methods import PROTOCOLS
from core.benchmarks.paper import DIFFUSION, KIAGO, OURS, TOP, rows
from core.benchmarks.raise_tc import wins
from core.chemistry import elements
from core.chemistry.composition import composition_vector, element_mask, formula_of
from core.chemistry.exact_formula import literal_amounts
from core.chemistry.formula_reader import parse_formula
from core.chemistry.tolerances import FIXED_FRACTION
from core.evaluation.candidate_table import gain
from core.predictors.control_model import load_control_model
from core.predictors.interface import predict_in_batches
from core.predictors.registry import known_elements, load_predictor
from core.problem.problem import DesignProblem
from core.problem.settings import SUBSTITUTE
from core.problem.substitution_sites import Site
from core.reference_data.references import load_references

DIGITS = 3  # decimal places of the amounts in table 8
SUM_OF_DEVIATIONS = 0.01  # of the fractions of all preserved elements, in KIAGO's code for SuperDiff
MEASURED = ("base_tc_K", "success", "success_by_sum", "allowed", "neutral", "passing", "gain_K", "gain_spread_K",
            "gain_judge_K", "gain_judge_spread_K", "evaluations", "seconds")  # fmt: skip


def table5_7(options: Options) -> Outcome:
    """Success of the substitution (table 5), charge neutrality (table 6), gain in Tc of the best 30 (table 7)."""
    lines = []
    for row in rows("substitution", options.bases):
        for method in row["gain_K"]:
            line = {"base": row["base"], "replaced": _replaced(row), "method": method, **dict.fromkeys(MEASURED)}
            line |= _measured(row, method, options) if method in options.methods else {}
            printed = {f"paper_{name}": row[name][method] for name in ("success", "neutral", "gain_K")}
            lines.append(line | printed)
    table = pd.DataFrame(lines).astype(dict.fromkeys(MEASURED, "float64"))
    table = with_stored(table, "table5-7", options, diffusion.about(options, table["base"]))
    shown = figures.here_and_paper(table[table["method"].isin(OURS)], "gain_K")
    figure = figures.bars(shown, "base", "shown", "what", f"mean gain of the best {TOP} (K)")
    return Outcome(table, table5_7_sentences(table), figure, diffusion.about_table(table, options))


def table5_7_sentences(table: pd.DataFrame) -> tuple[str, ...]:
    """The conclusions from the table of `table5_7`."""
    (here, of), (control, _), (paper, _) = (wins(table, c) for c in ("gain_K", "gain_judge_K", "paper_gain_K"))
    kiago = table[table["method"] == KIAGO]
    return (
        f"KIAGO is ahead of C-ES for {here} of {of} substitutions here, and for {paper} of {of} in the paper; by the "
        f"control model for {control}.",
        f"KIAGO keeps the rest of the base in {kiago['success'].mean():.0%} of its formulas and is charge neutral in "
        f"{kiago['neutral'].mean():.0%}; in the paper both are 100%.",
        *_diffusion_sentences(table),
    )


def _diffusion_sentences(table: pd.DataFrame) -> tuple[str, ...]:
    """The conclusion about SuperDiff, if it was carried out."""
    ran = table[table["method"].isin(DIFFUSION) & table["success"].notna()]
    if ran.empty:
        return ()
    by_method = ran.groupby("method", sort=False)[["success", "success_by_sum", "neutral", "paper_success"]].mean()
    shares = "; ".join(
        f"{method} keeps the rest of the base in {row['success']:.1%} of its formulas ({row['success_by_sum']:.1%} by "
        f"the rule of the authors' code, {row['paper_success']:.1%} in the paper), and {row['neutral']:.0%} are neutral"
        for method, row in by_method.iterrows()
    )
    return (f"{shares}.",)


def table8(options: Options) -> Outcome:
    """The best proposal beside the known superconductor of the highest predicted Tc with the same substitution."""
    lines = []
    for row in rows("substitution", options.bases):
        line = {"base": row["base"], "replaced": _replaced(row), **_best_proposed(row, options)}
        line |= _best_known(row, options)
        printed = row["best"]
        lines.append(line | {"paper_proposed_tc_K": printed["proposed_tc_K"], "paper_known": printed["known"],
                             "paper_known_tc_K": printed["known_tc_K"]})  # fmt: skip
    table = pd.DataFrame(lines)
    columns = {
        "proposed, here": "proposed_tc_K", "known, here": "known_tc_K",
        "proposed, paper": "paper_proposed_tc_K", "known, paper": "paper_known_tc_K",
    }  # fmt: skip
    shown = pd.concat(table.assign(what=what, shown=table[column]) for what, column in columns.items())
    figure = figures.bars(shown, "base", "shown", "what", "predicted Tc (K)")
    return Outcome(table, table8_sentences(table), figure, options.about())


def table8_sentences(table: pd.DataFrame) -> tuple[str, ...]:
    """The conclusion from the table of `table8`."""
    here, control, paper = (
        int((table[f"{prefix}proposed_{tc}"].fillna(-np.inf) > table[f"{prefix}known_{tc}"].fillna(-np.inf)).sum())
        for prefix, tc in (("", "tc_K"), ("", "tc_judge_K"), ("paper_", "tc_K"))
    )
    return (
        f"The best proposal is predicted above every known superconductor with the same substitution for {here} of "
        f"{len(table)} here, and for {paper} of {len(table)} in the paper; by the control model for {control}.",
    )


def problem(row: dict, method: str, seed: int, options: Options) -> DesignProblem:
    """The problem of tables 5 to 8: KIAGO without the integer loss (beta = 0), formulas to 0.01 atoms of the base."""
    settings = replace(options.settings, integer_weight=0.0, fractional_elements=options.settings.max_elements)
    protocol = PROTOCOLS[method]
    return options.problem(
        row["base"], seed, settings=protocol.applied(settings), method=protocol.method, task=SUBSTITUTE,
        sites=(Site(row["target"], row["oxidation_state"]),),
    )  # fmt: skip


def substituted(compositions: np.ndarray, problem: DesignProblem) -> np.ndarray:
    """Whether each of the compositions (n, 118) is the substitution of the problem: (n,) bool.

    The two criteria of KIAGO's table 5: every preserved element is within 1% of its fraction, and all other elements
    together are within 1% of the fraction of the element that is replaced.
    """
    preserved = composition_vector(problem.fixed_fractions()) * sum(problem.fixed_fractions().values())
    place = preserved > 0
    each = np.abs(compositions - preserved)[:, place] <= FIXED_FRACTION * preserved[place]
    room = 1 - preserved.sum()
    others = np.abs(compositions[:, ~place].sum(1) - room) <= FIXED_FRACTION * room
    return each.all(1) & others


def substituted_by_sum(compositions: np.ndarray, problem: DesignProblem) -> np.ndarray:
    """As `substituted`, by the rule of KIAGO's code for SuperDiff: (n,) bool.

    The deviations of all preserved elements together are below 0.01, a share of all atoms; then the others together are
    right to within 0.01 too.
    """
    preserved = composition_vector(problem.fixed_fractions()) * sum(problem.fixed_fractions().values())
    return np.abs(compositions - preserved)[:, preserved > 0].sum(1) < SUM_OF_DEVIATIONS


def of_allowed_elements(compositions: np.ndarray, problem: DesignProblem, known: Collection[str]) -> np.ndarray:
    """Whether each of the compositions (n, 118) has preserved and allowed elements only: (n,) bool.

    known : the elements that the model of Tc knows
    """
    allowed = element_mask([*problem.fixed_fractions(), *problem.allowed_symbols(known)])
    return np.count_nonzero(compositions[:, ~allowed], axis=1) == 0


def _replaced(row: dict) -> str:
    state = row["oxidation_state"]
    return f"{row['target']} {abs(state)}{'+' if state > 0 else '-'}"


def _measured(row: dict, method: str, options: Options) -> dict:
    found = [_of_table(table, base, row, options) | spent for table, base, spent in _evaluated(row, method, options)]
    line = {"base_tc_K": found[0]["base_tc_K"]}
    for name in ("success", "success_by_sum", "allowed", "neutral", "passing", "evaluations", "seconds"):
        line[name], _ = mean_and_spread([f[name] for f in found])
    for name in ("gain_K", "gain_judge_K"):
        line[name], line[name.replace("_K", "_spread_K")] = mean_and_spread([f[name] for f in found])
    return line


def _evaluated(
    row: dict, method: str, options: Options
) -> list[tuple[pd.DataFrame, dict[str, float], dict[str, float]]]:
    """Candidate table, predictions for the base and budget of each seed; SuperDiff samples once."""
    if method in DIFFUSION:
        posed = diffusion.problem(row["base"], method, 0, options)
        samples = diffusion.sampled(posed, options)[diffusion.RULE]
        return [(samples.table, samples.base, samples.budget)]
    runs = [finished_run(problem(row, method, seed, options), options) for seed in range(options.seeds)]
    return [(run.candidates(), run.summary()["base"], budget(run)) for run in runs]


def _of_table(table: pd.DataFrame, base: dict[str, float], row: dict, options: Options) -> dict:
    compositions, posed = _compositions(table["formula"]), problem(row, KIAGO, 0, options)
    success = substituted(compositions, posed)
    passing = table[table["passes"] & success]
    found = gain(passing, base, TOP)
    return {
        "base_tc_K": base["tc_K"], "success": _share(success), "neutral": _share(table["charge_neutral"]),
        "success_by_sum": _share(substituted_by_sum(compositions, posed)), "passing": len(passing),
        "allowed": _share(of_allowed_elements(compositions, posed, known_elements(options.models.tc))),
        "gain_K": found and found.predicted_K, "gain_judge_K": found and found.control_K,
    }  # fmt: skip


def _share(mask: np.ndarray | pd.Series) -> float | None:
    """Share of true values; None without values."""
    return float(np.mean(mask)) if len(mask) else None


def _compositions(formulas: pd.Series) -> np.ndarray:
    vectors = [composition_vector(literal_amounts(formula)) for formula in formulas]
    return np.stack(vectors) if vectors else np.zeros((0, elements.N_ELEMENTS))


def _best_proposed(row: dict, options: Options) -> dict:
    """The passing candidate with the highest Tc of all seeds, with as many atoms as the base."""
    runs = [finished_run(problem(row, KIAGO, seed, options), options) for seed in range(options.seeds)]
    tables = [run.candidates() for run in runs]
    passing = pd.concat([table[table["passes"]] for table in tables]).sort_values("tc_K", ascending=False)
    if passing.empty:
        return {"proposed": None, "proposed_tc_K": None, "proposed_tc_judge_K": None}
    best = passing.iloc[0]
    amounts = literal_amounts(best["formula"])
    unit = sum(parse_formula(row["base"]).values()) / sum(amounts.values())
    return {
        "proposed": formula_of({symbol: amount * unit for symbol, amount in amounts.items()}, DIGITS),
        "proposed_tc_K": best["tc_K"], "proposed_tc_judge_K": best["tc_judge_K"],
    }  # fmt: skip


def _best_known(row: dict, options: Options) -> dict:
    """The known superconductor with the same substitution and the highest Tc predicted by our model."""
    references, posed = load_references(), problem(row, KIAGO, 0, options)
    known = known_elements(options.models.tc)
    unknown = np.array([e.symbol not in known for e in elements.all_elements()])
    target = elements.element(row["target"]).index
    x = references.known_compositions
    preserved = composition_vector(posed.fixed_fractions()) > 0
    other = ~preserved & (np.arange(elements.N_ELEMENTS) != target)
    same = np.flatnonzero(substituted(x, posed) & (x[:, other] > 0).any(1) & ~(x[:, unknown] > 0).any(1))
    if not len(same):
        return {"known": None, "known_tc_K": None, "known_tc_judge_K": None, "known_reported_tc_K": None}

    tc = predict_in_batches(load_predictor(options.models.tc), torch.from_numpy(x[same]).float())
    best = int(np.argmax(tc))
    return {
        "known": references.known_formulas[same[best]], "known_tc_K": float(tc[best]),
        "known_tc_judge_K": float(load_control_model().tc_K(x[same[best]][None])[0]),
        "known_reported_tc_K": float(references.known_tc_K[same[best]]),
    }  # fmt: skip
