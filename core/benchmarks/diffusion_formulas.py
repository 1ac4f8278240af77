"""For the bases of table 2: what each rule for formulas makes of the same samples of SuperDiff, beside KIAGO."""

from __future__ import annotations

import pandas as pd

from core.benchmarks import diffusion, figures
from core.benchmarks.harness import Options, Outcome
from core.benchmarks.paper import DIFFUSION, TOP, rows
from core.benchmarks.paper import KIAGO as KIAGO_METHOD
from core.benchmarks.raise_tc import measure, of_table
from core.errors import InputError
from core.generation.diffusion.settings import KIAGO, NEUTRAL, SUPERDIFF
from core.problem.settings import NEAREST
from core.problem.settings import NEUTRAL as TO_NEUTRAL

RULES = {
    SUPERDIFF: "SuperDiff: two decimals",
    KIAGO: "KIAGO: four decimals",
    NEUTRAL: "neutral, whole atoms",
}
KIAGO_ROUNDINGS = {NEAREST: "nearest, whole atoms", TO_NEUTRAL: RULES[NEUTRAL]}
MEASURED = ("gain_K", "gain_judge_K", "passing", "passing_share", "neutral_share")


def formulas(options: Options) -> Outcome:
    """Shares of the samples with a formula, of distinct formulas that are neutral and that pass, and the gain.

    KIAGO, whose runs are those of table 2 and of the benchmark `neutral`, has the same rounding to neutral formulas.
    Raises InputError without a method of SuperDiff.
    """
    if not set(DIFFUSION) & set(options.methods):
        raise InputError("methods", ", ".join(options.methods), "the formulas are those of SuperDiff",
                         f"Choose {' or '.join(DIFFUSION)} among them")  # fmt: skip
    lines = []
    for row in rows("table2", options.bases):
        for method in (method for method in DIFFUSION if method in options.methods):
            posed = diffusion.problem(row["base"], method, 0, options)
            for rule, samples in diffusion.sampled(posed, options).items():
                if rule in RULES:
                    lines.append({"base": row["base"], "method": method, "rounding": RULES[rule], **_line(samples)})
        for rounding, label in KIAGO_ROUNDINGS.items() if KIAGO_METHOD in options.methods else ():
            found = measure(row["base"], KIAGO_METHOD, options, rounding)
            line = {name: found[name] for name in (*MEASURED, "evaluations", "seconds")}
            lines.append({"base": row["base"], "method": KIAGO_METHOD, "rounding": label, **line})
    table = pd.DataFrame(lines).astype(dict.fromkeys(MEASURED, "float64"))
    of_kiago = table["method"].where(table["method"] == KIAGO_METHOD, "SuperDiff")
    shown = table.assign(series=of_kiago + ", " + table["rounding"])
    shown = shown.groupby(["base", "series"], sort=False)["neutral_share"].mean().reset_index()
    figure = figures.bars(shown, "base", "neutral_share", "series", "share that is neutral and passes Pauling")
    about = diffusion.about if KIAGO_METHOD in options.methods else diffusion.about_alone
    return Outcome(table, sentences(table), figure, about(options, table["base"]))


def sentences(table: pd.DataFrame) -> tuple[str, ...]:
    """The conclusions from the table of `formulas`."""
    found = []
    gain_K = table[table["rounding"] == RULES[NEUTRAL]].pivot(index="base", columns="method", values="gain_K")
    gain_K = gain_K.fillna(float("-inf"))
    for method, lines in table[table["method"].isin(DIFFUSION)].groupby("method", sort=False):
        share = lines.groupby("rounding")["neutral_share"].mean()
        gain = lines.pivot(index="base", columns="rounding", values="gain_K")
        ours, theirs = gain[RULES[NEUTRAL]], gain[RULES[KIAGO]]
        higher = int((ours.fillna(float("-inf")) > theirs.fillna(float("-inf"))).sum())
        found.append(
            f"{method}: {share[RULES[SUPERDIFF]]:.0%} of the distinct formulas are neutral and pass the Pauling test "
            f"with two decimals, {share[RULES[KIAGO]]:.0%} with four, and {share[RULES[NEUTRAL]]:.0%} rounded to "
            f"neutral formulas; the gain of the best {TOP} that pass is then higher for {higher} of {len(gain)} bases, "
            f"{ours.mean():.1f} K on average."
        )
        if KIAGO_METHOD in gain_K:
            ahead = int((gain_K[KIAGO_METHOD] > gain_K[method]).sum())
            found.append(f"KIAGO with the same neutral rounding is ahead of {method} for {ahead} of {len(gain)} bases.")
    return tuple(found)


def _line(samples: diffusion.Samples) -> dict:
    found = of_table(samples.table, samples.base)
    return {
        "with_formula": 1 - sum(samples.lost.values()) / samples.samples,
        "distinct_formulas": len(samples.table),
        **{name: found[name] for name in MEASURED},
        **samples.budget,
    }
