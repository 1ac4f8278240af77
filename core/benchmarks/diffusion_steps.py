"""What fewer denoising steps change: the same base with 50 to 1,000 steps, and 4,096 samples of 1,000 as published."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from core.benchmarks import diffusion, figures
from core.benchmarks.harness import Options, Outcome
from core.benchmarks.paper import SUPERDIFF, TOP, rows
from core.benchmarks.raise_tc import of_table

STEPS = (50, 100, 250, 1000)
BASE = "HgBa2Ca2Cu3O8"
MEASURED = ("gain_K", "gain_judge_K", "passing", "passing_share", "neutral_share")


def steps(options: Options) -> Outcome:
    """Gain, shares and seconds by the number of denoising steps, by the rule of the tables.

    The last line has all candidates of the options, if these are more than in the tables.
    """
    bases = options.bases or (BASE,)
    lines = []
    for row in rows("table2", bases):
        fewest = options.samples
        sizes = dict.fromkeys([*((n, fewest) for n in STEPS), (max(STEPS), max(options.candidates, fewest))])
        for n, candidates in sizes:
            posed = diffusion.problem(row["base"], SUPERDIFF, 0, options)
            own = {**posed.method_settings, "denoising_steps": n}
            sized = replace(posed, method_settings=own, settings=replace(posed.settings, candidates=candidates))
            samples = diffusion.sampled(sized, options)[diffusion.RULE]
            found = of_table(samples.table, samples.base)
            with_formula = 1 - sum(samples.lost.values()) / samples.samples
            shares = {"with_formula": with_formula, **{name: found[name] for name in MEASURED}}
            size = {"denoising_steps": n, "samples": candidates, "sampling_s": samples.seconds}
            lines.append({"base": row["base"], **size, **shares})
    table = pd.DataFrame(lines).astype(dict.fromkeys(MEASURED, "float64"))
    series = {
        str(base): (list(part["denoising_steps"]), list(part["neutral_share"]))
        for base, part in table[table["samples"] == table["samples"].min()].groupby("base", sort=False)
    }
    figure = figures.lines(series, "denoising steps", "share that is neutral and passes Pauling")
    figure["layout"]["xaxis"]["type"] = "log"
    about = {name: value for name, value in diffusion.about_alone(options, bases).items() if name != "diffusion"}
    return Outcome(table, sentences(table), figure, about)  # the table has the sizes


def sentences(table: pd.DataFrame) -> tuple[str, ...]:
    """The conclusion from the table of `steps`."""
    found = []
    for base, part in table.groupby("base", sort=False):
        alike = part[part["samples"] == part["samples"].min()].set_index("denoising_steps")
        few, all_ = alike.loc[diffusion.STEPS], alike.loc[max(STEPS)]
        gains = " and ".join("no gain" if g != g else f"a gain of {g:.1f} K" for g in (few["gain_K"], all_["gain_K"]))
        found.append(
            f"{base}: with {diffusion.STEPS} and {max(STEPS):,} steps {gains} (best {TOP}), and "
            f"{few['neutral_share']:.1%} and {all_['neutral_share']:.1%} that are neutral and pass the Pauling test."
        )
        if len(part) > len(alike):
            most = part.iloc[-1]
            gain = "no gain" if most["gain_K"] != most["gain_K"] else f"a gain of {most['gain_K']:.1f} K"
            found.append(
                f"As published, {int(most['samples']):,} samples of {max(STEPS):,} steps: {gain}, "
                f"{most['neutral_share']:.1%} neutral and Pauling."
            )
    return tuple(found)
