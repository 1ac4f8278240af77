"""KIAGO's table 2, superconductors of higher Tc from known ones; and how much of the gain a judge does not see."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import torch

from core.benchmarks import figures
from core.benchmarks.harness import Options, Outcome, finished, mean_and_spread
from core.benchmarks.paper import C_ES, KIAGO, OURS, TOP, rows
from core.chemistry.composition import compositions
from core.evaluation.table import gain
from core.predictors.interface import Predictor, predict_in_batches
from core.predictors.registry import load_predictor
from core.problem.problem import BEST, PUBLISHED, DesignProblem
from core.problem.settings import GRADIENT, NEAREST, NEUTRAL, SUBSTITUTION
from core.runs.run import Run

SITE_ELEMENTS = (1, 2)  # of C-ES: so many share the atoms of one, as in the samples of KIAGO's table 3
METHODS = {KIAGO: GRADIENT, C_ES: SUBSTITUTION}
MODEL_NAMES = {PUBLISHED.tc: "the published network", BEST.tc: "our best model"}
ROUNDINGS = {NEAREST: "to the nearest formula, as in the paper", NEUTRAL: "to a neutral neighbour"}


def table2(options: Options) -> Outcome:
    """Mean Tc of the best 30 that pass, minus that of the base, for KIAGO and C-ES, beside the paper's."""
    lines = []
    for row in rows("table2", options.bases):
        for method, printed in row["gain_K"].items():
            measured = measure(row["base"], method, options) if method in OURS else {}
            lines.append({"base": row["base"], "method": method, **measured, "paper_gain_K": printed})
    table = pd.DataFrame(lines).astype({"seeds_with_result": "Int64"})
    return Outcome(table, _sentences(table), _figure(table), options.about())


def exploitation(options: Options) -> Outcome:
    """For the bases of table 2: the gain that the model claims, and what the judge and the other model see of it."""
    lines = []
    (other,) = {PUBLISHED.tc, BEST.tc} - {options.models.tc}
    predictor = load_predictor(other)
    for row in rows("table2", options.bases):
        found = measure(row["base"], KIAGO, options)
        claimed, judged = found["gain_K"], found["gain_judge_K"]
        share = 1 - judged / claimed if claimed > 0 else float("nan")
        kept = ("base_tc_K", "gain_K", "gain_spread_K", "gain_judge_K", "gain_judge_spread_K")
        seen, spread = mean_and_spread([gain_by(predictor, run) for run in _runs(row["base"], KIAGO, options)])
        of_other = {"gain_other_K": seen, "gain_other_spread_K": spread}
        lines.append({"base": row["base"], **{name: found[name] for name in kept}, **of_other, "share_unseen": share})
    table = pd.DataFrame(lines)
    shares = pd.concat(
        [table.assign(view=view, gain=table[column], spread=table[spread])
         for view, column, spread in (("claimed by the model that was climbed", "gain_K", "gain_spread_K"),
                                      ("seen by the judge", "gain_judge_K", "gain_judge_spread_K"),
                                      (f"seen by {MODEL_NAMES[other]}", "gain_other_K", "gain_other_spread_K"))]
    )  # fmt: skip
    figure = figures.bars(shares, "base", "gain", "view", "gain over the base (K)", "spread")
    sentences = (unseen(table), unseen(table, "gain_other_K", MODEL_NAMES[other]))
    return Outcome(table, sentences, figure, options.about())


def gain_by(predictor: Predictor, run: Run) -> float | None:
    """The gain in K of the same best candidates as another predictor sees it; None if nothing passes."""
    table = run.candidates()
    best = table[table["passes"]].head(TOP)["formula"]
    if not len(best):
        return None
    base, *found = predict_in_batches(predictor, torch.from_numpy(compositions([run.problem().base, *best])).float())
    return float(np.mean(found) - base)


def unseen(table: pd.DataFrame, column: str = "gain_judge_K", who: str = "the judge") -> str:
    """A sentence of `exploitation`, of the bases for which a gain is claimed (gain_K, and `column` of who looks)."""
    there = table.dropna(subset=["gain_K", column])
    there = there[there["gain_K"] > 0]  # a loss is no gain to be doubted, and would outweigh them
    claimed, judged = there["gain_K"].sum(), there[column].sum()
    of = "all bases together" if len(there) == len(table) else f"{len(there)} of {len(table)} bases together"
    if claimed <= 0:
        return f"The model claims no gain, so that there is nothing for {who} to doubt."
    return f"Of the gain that the model claims, {who} does not see {1 - judged / claimed:.0%} ({of})."


def neutral(options: Options) -> Outcome:
    """For the bases of table 2: share of the proposals that pass, and gain, by plain rounding and by ours."""
    lines = [
        {"base": row["base"], "rounding": words, **measure(row["base"], KIAGO, options, rounding)}
        for row in rows("table2", options.bases)
        for rounding, words in ROUNDINGS.items()
    ]
    table = pd.DataFrame(lines)
    wide = {c: table.pivot(index="base", columns="rounding", values=c) for c in ("neutral_share", "gain_K")}
    plain, ours = ROUNDINGS.values()
    shares = wide["neutral_share"]
    no_loss, of = no_smaller(wide["gain_K"][ours], wide["gain_K"][plain])
    sentences = (
        f"Charge neutral and Pauling: {shares[plain].mean():.0%} of the distinct formulas by plain rounding, "
        f"{shares[ours].mean():.0%} by ours (at the worst base {shares[ours].min():.0%}).",
        f"The gain of the best {TOP} that pass (or of all, where fewer pass) is no smaller for {no_loss} of "
        f"{of} bases.",
    )
    figure = figures.bars(table, "base", "neutral_share", "rounding", "share that is neutral and passes Pauling")
    return Outcome(table, sentences, figure, options.about())


def measure(base: str, method: str, options: Options, rounding: str = NEAREST) -> dict:
    """One line of table 2: mean and spread over the seeds; a seed in which nothing passes has no gain."""
    found = [of_run(run) for run in _runs(base, method, options, rounding)]
    line = {"base_tc_K": found[0]["base_tc_K"], "seeds_with_result": sum(f["gain_K"] is not None for f in found)}
    for name in ("gain_K", "gain_judge_K"):
        line[name], line[name.replace("_K", "_spread_K")] = mean_and_spread([f[name] for f in found])
    for name in ("passing", "passing_share", "neutral_share"):
        line[name], _ = mean_and_spread([f[name] for f in found])
    return line


def _runs(base: str, method: str, options: Options, rounding: str = NEAREST) -> list[Run]:
    """One for each seed."""
    return [finished(problem(base, method, seed, options, rounding), options) for seed in range(options.seeds)]


def problem(base: str, method: str, seed: int, options: Options, rounding: str = NEAREST) -> DesignProblem:
    """What table 2 asks of a method; the paper's rounding is to the nearest formula."""
    settings = replace(options.settings, rounding=rounding)
    if method == C_ES:
        settings = replace(settings, added_elements=SITE_ELEMENTS)
    return options.problem(base, seed, settings=settings, method=METHODS[method])


def of_run(run: Run) -> dict:
    """Figures of one run. Shares are of the distinct formulas; gains are None if nothing passes."""
    table, base = run.candidates(), run.summary()["base"]
    passing = table[table["passes"]]
    found = gain(passing, base, TOP)
    return {
        "base_tc_K": base["tc_K"],
        "gain_K": found and found.claimed_K,
        "gain_judge_K": found and found.judged_K,
        "passing": len(passing),
        "passing_share": len(passing) / max(len(table), 1),
        "neutral_share": float((table["charge_neutral"] & table["pauling_ok"]).mean()),
    }


def wins(table: pd.DataFrame, column: str) -> tuple[int, int]:
    """For how many bases KIAGO is ahead of C-ES in this column, of how many; a method without result loses."""
    wide = table.pivot(index="base", columns="method", values=column)
    ahead = wide[KIAGO].fillna(float("-inf")) > wide[C_ES].fillna(float("-inf"))
    return int(ahead.sum()), len(wide)


def no_smaller(gain: pd.Series, other: pd.Series) -> tuple[int, int]:
    """For how many bases a gain is no smaller than another, of how many; one without result is below all others, and a
    base without both is left out."""
    there = gain.notna() | other.notna()
    lowest = float("-inf")
    return int((gain.fillna(lowest) >= other.fillna(lowest))[there].sum()), int(there.sum())


def _sentences(table: pd.DataFrame) -> tuple[str, ...]:
    (ours, of), (judged, _), (papers, _) = (wins(table, c) for c in ("gain_K", "gain_judge_K", "paper_gain_K"))
    return (
        f"KIAGO is ahead of C-ES for {ours} of {of} bases here, and for {papers} of {of} in the paper.",
        f"By the judge, who is never climbed, KIAGO is ahead for {judged} of {of}.",
    )


def _figure(table: pd.DataFrame) -> dict:
    ours = table[table["method"].isin(OURS)]
    shown = pd.concat(
        [
            ours.assign(what=ours["method"] + ", here", gain=ours["gain_K"], spread=ours["gain_spread_K"]),
            ours.assign(what=ours["method"] + ", here, by the judge", gain=ours["gain_judge_K"],
                        spread=ours["gain_judge_spread_K"]),
            ours.assign(what=ours["method"] + ", paper", gain=ours["paper_gain_K"], spread=float("nan")),
        ]
    )  # fmt: skip
    return figures.bars(shown, "base", "gain", "what", "mean gain of the best 30 (K)", "spread")
