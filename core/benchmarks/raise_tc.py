"""KIAGO's table 2, higher Tc from known superconductors, and the share of the gain that the control model confirms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import torch

from core.benchmarks import diffusion, figures
from core.benchmarks.harness import Options, Outcome, budget, finished_run, mean_and_spread, with_stored
from core.benchmarks.methods import PROTOCOLS
from core.benchmarks.paper import C_ES, DIFFUSION, KIAGO, OURS, SUPERDIFF, TOP, rows
from core.chemistry.composition import compositions
from core.chemistry.exact_formula import literal_amounts
from core.evaluation.candidate_table import gain
from core.predictors.interface import Predictor, predict_in_batches
from core.predictors.registry import BEST, PUBLISHED, load_predictor
from core.problem.problem import DesignProblem
from core.problem.settings import NEAREST, NEUTRAL
from core.runs.run import Run

MODEL_NAMES = {PUBLISHED.tc: "the published network", BEST.tc: "our best model"}
CONTROL_MODEL = "the control model"
# Columns of `measure`; the second is a number of seeds.
MEASURED = ("base_tc_K", "seeds_with_result", "gain_K", "gain_spread_K", "gain_judge_K", "gain_judge_spread_K",
            "passing", "passing_share", "neutral_share", "whole_share", "evaluations", "seconds")  # fmt: skip
ROUNDINGS = {NEAREST: "to the nearest formula, as in the paper", NEUTRAL: "to a neutral neighbour"}


def table2(options: Options) -> Outcome:
    """Mean Tc of the best 30 candidates that pass, minus that of the base: all methods beside the paper."""
    lines = []
    for row in rows("table2", options.bases):
        for method, printed in row["gain_K"].items():
            line = {"base": row["base"], "method": method, **dict.fromkeys(MEASURED), "paper_gain_K": printed}
            lines.append(line | (measure(row["base"], method, options) if method in options.methods else {}))
    table = pd.DataFrame(lines).astype({"seeds_with_result": "Int64", **dict.fromkeys(MEASURED[2:], "float64")})
    table = with_stored(table, "table2", options, diffusion.about(options, table["base"]))
    about = diffusion.about_table(table, options)
    return Outcome(table, table2_sentences(table), _table2_figure(table), about)


def table2_sentences(table: pd.DataFrame) -> tuple[str, ...]:
    """The conclusions from the table of `table2`."""
    (here, of), (control, _), (paper, _) = (wins(table, c) for c in ("gain_K", "gain_judge_K", "paper_gain_K"))
    return (
        f"KIAGO is ahead of C-ES for {here} of {of} bases here, and for {paper} of {of} in the paper.",
        f"By the control model, which the optimiser never uses, KIAGO is ahead for {control} of {of}.",
        *_diffusion_sentences(table),
    )


def _diffusion_sentences(table: pd.DataFrame) -> tuple[str, ...]:
    """The conclusion about SuperDiff, if it was carried out."""
    ran = table[table["method"].isin(DIFFUSION) & table["base_tc_K"].notna()]
    if ran.empty:
        return ()
    ahead = {name: wins(table, name, of=SUPERDIFF) for name in ("gain_K", "gain_judge_K", "paper_gain_K")}
    (here, of), (control, _), (paper, _) = ahead.values()
    share = {name: ran.loc[ran["method"] == name, "neutral_share"].mean() for name in DIFFUSION}
    neutral = " and ".join(
        f"{0 if value != value else value:.1%} of {name}'s formulas" for name, value in share.items()
    )
    return (
        f"KIAGO is ahead of SuperDiff for {here} of {of} bases here, for {control} by the control model, and for "
        f"{paper} in the paper. {neutral} are neutral and pass the Pauling test.",
    )


def exploitation(options: Options) -> Outcome:
    """For the bases of table 2: the gain by the optimised model, by the control model, and by the other Tc model."""
    other = other_model(options.models.tc)
    predictor = load_predictor(other)
    lines = []
    for row in rows("table2", options.bases):
        found = measure(row["base"], KIAGO, options)
        predicted, confirmed = found["gain_K"], found["gain_judge_K"]
        names = ("base_tc_K", "gain_K", "gain_spread_K", "gain_judge_K", "gain_judge_spread_K")
        line = {"base": row["base"], **{name: found[name] for name in names}}
        by_other = [gain_by(predictor, run) for run in _runs(row["base"], KIAGO, options)]
        line["gain_other_K"], line["gain_other_spread_K"] = mean_and_spread(by_other)
        line["share_unseen"] = 1 - confirmed / predicted if predicted > 0 else float("nan")
        lines.append(line)
    table = pd.DataFrame(lines)
    views = {
        "by the optimised model": ("gain_K", "gain_spread_K"),
        f"by {CONTROL_MODEL}": ("gain_judge_K", "gain_judge_spread_K"),
        f"by {MODEL_NAMES[other]}": ("gain_other_K", "gain_other_spread_K"),
    }
    shown = pd.concat(
        table.assign(view=view, gain=table[column], spread=table[spread]) for view, (column, spread) in views.items()
    )
    figure = figures.bars(shown, "base", "gain", "view", "gain over the base (K)", "spread")
    return Outcome(table, exploitation_sentences(table, options.models.tc), figure, options.about())


def exploitation_sentences(table: pd.DataFrame, tc_model: str) -> tuple[str, ...]:
    """The conclusions from the table of `exploitation`; tc_model : name of the optimised model."""
    return (
        unconfirmed(table, "gain_judge_K", CONTROL_MODEL),
        unconfirmed(table, "gain_other_K", MODEL_NAMES[other_model(tc_model)]),
    )


def other_model(tc_model: str) -> str:
    """Of the best and the published Tc model, the one that is not optimised."""
    (other,) = {PUBLISHED.tc, BEST.tc} - {tc_model}
    return other


def gain_by(predictor: Predictor, run: Run) -> float | None:
    """Mean gain (K) of the candidates of a run with the highest Tc by another predictor; None if none passes."""
    table = run.candidates()
    best = table[table["passes"]].sort_values(["tc_K", "formula"], ascending=[False, True]).head(TOP)["formula"]
    if not len(best):
        return None
    base, *found = predict_in_batches(predictor, torch.from_numpy(compositions([run.problem().base, *best])).float())
    return float(np.mean(found) - base)


def unconfirmed(table: pd.DataFrame, column: str, model: str) -> str:
    """A sentence: the share of the predicted gain (gain_K) that another model does not confirm.

    column : the gain by the other model
    model : its name

    Bases without a predicted gain are left out, because losses would cancel the gains of other bases.
    """
    both = table.dropna(subset=["gain_K", column])
    both = both[both["gain_K"] > 0]
    predicted, confirmed = both["gain_K"].sum(), both[column].sum()
    of = "all bases together" if len(both) == len(table) else f"{len(both)} of {len(table)} bases together"
    if predicted <= 0:
        return f"The optimised model predicts no gain that {model} could confirm."
    return f"Of the gain by the optimised model, {model} does not confirm {1 - confirmed / predicted:.0%} ({of})."


def neutral(options: Options) -> Outcome:
    """For the bases of table 2: share of the candidates that pass, and gain, by nearest and by neutral rounding."""
    lines = [
        {"base": row["base"], "rounding": label, **measure(row["base"], KIAGO, options, rounding)}
        for row in rows("table2", options.bases)
        for rounding, label in ROUNDINGS.items()
    ]
    table = pd.DataFrame(lines)
    figure = figures.bars(table, "base", "neutral_share", "rounding", "share that is neutral and passes Pauling")
    return Outcome(table, neutral_sentences(table), figure, options.about())


def neutral_sentences(table: pd.DataFrame) -> tuple[str, ...]:
    """The conclusions from the table of `neutral`."""
    share, gain_K = (table.pivot(index="base", columns="rounding", values=c) for c in ("neutral_share", "gain_K"))
    nearest, ours = ROUNDINGS.values()
    no_loss, of = no_smaller(gain_K[ours], gain_K[nearest])
    return (
        f"Charge neutrality and Pauling test: {share[nearest].mean():.0%} of the distinct formulas pass with rounding "
        f"to the nearest formula, {share[ours].mean():.0%} with ours (at the worst base {share[ours].min():.0%}).",
        f"The gain of the best {TOP} that pass (or of all, where fewer pass) is no smaller for {no_loss} of "
        f"{of} bases.",
    )


def measure(base: str, method: str, options: Options, rounding: str = NEAREST) -> dict:
    """One line of table 2: mean and spread over the seeds; a seed in which no candidate passes has no gain."""
    if method in DIFFUSION:
        samples = diffusion.sampled(diffusion.problem(base, method, 0, options), options)[diffusion.RULE]
        found = [of_table(samples.table, samples.base) | samples.budget]
    else:
        found = [of_run(run) | budget(run) for run in _runs(base, method, options, rounding)]
    line = {"base_tc_K": found[0]["base_tc_K"], "seeds_with_result": sum(f["gain_K"] is not None for f in found)}
    for name in ("gain_K", "gain_judge_K"):
        line[name], line[name.replace("_K", "_spread_K")] = mean_and_spread([f[name] for f in found])
    for name in MEASURED[6:]:
        line[name], _ = mean_and_spread([f[name] for f in found])
    return line


def _runs(base: str, method: str, options: Options, rounding: str = NEAREST) -> list[Run]:
    """One finished run for each seed."""
    return [finished_run(problem(base, method, seed, options, rounding), options) for seed in range(options.seeds)]


def problem(base: str, method: str, seed: int, options: Options, rounding: str = NEAREST) -> DesignProblem:
    """The problem of table 2; the paper rounds to the nearest formula."""
    protocol = PROTOCOLS[method]
    settings = protocol.applied(replace(options.settings, rounding=rounding))
    return options.problem(base, seed, settings=settings, method=protocol.method)


def of_run(run: Run) -> dict:
    """Figures of one run: shares of the distinct formulas; gains in K, None if no candidate passes."""
    return of_table(run.candidates(), run.summary()["base"])


def of_table(table: pd.DataFrame, base: dict[str, float]) -> dict:
    """As `of_run`, from a candidate table and the predictions for the base."""
    passing = table[table["passes"]]
    found = gain(passing, base, TOP)
    return {
        "base_tc_K": base["tc_K"],
        "gain_K": found and found.predicted_K,
        "gain_judge_K": found and found.control_K,
        "passing": len(passing),
        "passing_share": len(passing) / max(len(table), 1),
        "neutral_share": float((table["charge_neutral"] & table["pauling_ok"]).mean()),
        "whole_share": float(np.mean([is_whole(formula) for formula in table["formula"]])) if len(table) else None,
    }


def is_whole(formula: str) -> bool:
    """Whether a formula has whole numbers of atoms, as written."""
    return all(float(amount).is_integer() for amount in literal_amounts(formula).values())


def wins(table: pd.DataFrame, column: str, of: str = C_ES) -> tuple[int, int]:
    """Number of bases for which KIAGO is ahead of another method in this column, and number of bases.

    A method without a result loses.
    """
    wide = table.pivot(index="base", columns="method", values=column)
    ahead = wide[KIAGO].fillna(float("-inf")) > wide[of].fillna(float("-inf"))
    return int(ahead.sum()), len(wide)


def no_smaller(gain: pd.Series, other: pd.Series) -> tuple[int, int]:
    """Number of bases for which `gain` is no smaller than `other`, and number of bases.

    A missing gain is below all others; a base for which both are missing is left out.
    """
    there = gain.notna() | other.notna()
    lowest = float("-inf")
    return int((gain.fillna(lowest) >= other.fillna(lowest))[there].sum()), int(there.sum())


def _table2_figure(table: pd.DataFrame) -> dict:
    ran = table.loc[table["base_tc_K"].notna(), "method"].unique()
    ours = table[table["method"].isin([*OURS, *ran])]
    views = {
        "here": (ours["gain_K"], ours["gain_spread_K"]),
        "here, by the control model": (ours["gain_judge_K"], ours["gain_judge_spread_K"]),
        "paper": (ours["paper_gain_K"], float("nan")),
    }
    shown = pd.concat(
        ours.assign(what=ours["method"] + f", {view}", gain=gain, spread=spread)
        for view, (gain, spread) in views.items()
    )
    return figures.bars(shown, "base", "gain", "what", f"mean gain of the best {TOP} (K)", "spread")
