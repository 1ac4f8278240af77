"""KIAGO's tables 9 and 10: hydrides of at most three elements and 15 atoms, at least 40% of them hydrogen."""

from __future__ import annotations

import math
from dataclasses import replace

import pandas as pd

from core.benchmarks import diffusion, figures
from core.benchmarks.harness import Options, Outcome, budget, finished_run, mean_and_spread, with_stored
from core.benchmarks.methods import PROTOCOLS
from core.benchmarks.paper import DIFFUSION, KIAGO, OURS, rows
from core.benchmarks.raise_tc import wins
from core.chemistry.exact_formula import literal_amounts
from core.chemistry.tolerances import ROUNDING_ERROR
from core.problem.presets import HYDRIDE, HYDRIDE_FLOORS
from core.problem.problem import DesignProblem
from core.problem.settings import EVERY_ATOM

TOP = 5
MEASURED = ("base_tc_K", "fulfils", "passing", "tc_judge_K", "tc_K", "tc_spread_K", "evaluations", "seconds")


def table9_10(options: Options) -> Outcome:
    """Mean Tc of the best five candidates that pass (table 9), and the share that meets the conditions (table 10)."""
    lines = []
    for row in rows("hydrides", options.bases):
        for method in row["tc_K"]:
            line = {"base": row["base"], "method": method, **dict.fromkeys(MEASURED)}
            line |= _measured(row["base"], method, options) if method in options.methods else {}
            lines.append(line | {"paper_fulfils": row["fulfils"][method], "paper_tc_K": row["tc_K"][method]})
    table = pd.DataFrame(lines).astype(dict.fromkeys(MEASURED, "float64"))
    table = with_stored(table, "table9-10", options, diffusion.about(options, table["base"]))
    shown = figures.here_and_paper(table[table["method"].isin(OURS)], "tc_K")
    figure = figures.bars(shown, "base", "shown", "what", f"mean Tc of the best {TOP} (K)")
    return Outcome(table, sentences(table), figure, diffusion.about_table(table, options))


def sentences(table: pd.DataFrame) -> tuple[str, ...]:
    """The conclusions from the table of `table9_10`."""
    (here, of), (control, _), (paper, _) = (wins(table, c) for c in ("tc_K", "tc_judge_K", "paper_tc_K"))
    fulfilled = table[table["method"] == KIAGO]["fulfils"].mean()
    return (
        f"KIAGO is ahead of C-ES for {here} of {of} hydrides here, and for {paper} of {of} in the paper; by the "
        f"control model for {control}.",
        f"{fulfilled:.0%} of KIAGO's formulas meet the three conditions; in the paper all do.",
        "SuperCon gives no pressures, so the predicted Tc values of hydrides are useful for ranking only.",
        *_diffusion_sentences(table),
    )


def _diffusion_sentences(table: pd.DataFrame) -> tuple[str, ...]:
    """The conclusion about SuperDiff, if it was carried out."""
    ran = table[table["method"].isin(DIFFUSION) & table["fulfils"].notna()]
    if ran.empty:
        return ()
    shares = ran.groupby("method", sort=False)[["fulfils", "paper_fulfils"]].mean()
    text = "; ".join(
        f"of {method} {row['fulfils']:.0%} meet them ({row['paper_fulfils']:.0%} in the paper)"
        for method, row in shares.iterrows()
    )
    return (f"Without a way to hold the amount of hydrogen, {text}.",)


def problem(base: str, method: str, seed: int, options: Options) -> DesignProblem:
    """The problem of tables 9 and 10. C-ES keeps the hydrogen of the base, which is never below the minimum."""
    names = ("n_unit", "max_elements", "mutate_probability", "perturb_ratio")
    settings = replace(options.settings, **{name: getattr(HYDRIDE, name) for name in names})
    protocol = PROTOCOLS[method]
    posed = options.problem(
        base, seed, settings=protocol.applied(settings), method=protocol.method, charge_rule=EVERY_ATOM
    )
    if protocol.takes_minimum:
        return replace(posed, floors=HYDRIDE_FLOORS)
    return replace(posed, fixed={"H": posed.base_fractions()["H"]})


def fulfils(formula: str) -> bool:
    """Whether a formula meets the three conditions of table 10: hydrogen, number of elements, number of atoms.

    Hydrogen alone is no hydride. Whole amounts count in lowest terms, others as they are written.
    """
    amounts = literal_amounts(formula)
    whole = [int(amount) for amount in amounts.values() if float(amount).is_integer()]
    atoms = sum(amounts.values()) / (math.gcd(*whole) if len(whole) == len(amounts) else 1)
    enough = all(amounts.get(symbol, 0) >= least * sum(amounts.values()) - ROUNDING_ERROR
                 for symbol, least in HYDRIDE_FLOORS.items())  # fmt: skip
    return enough and 2 <= len(amounts) <= HYDRIDE.max_elements and atoms <= HYDRIDE.n_unit[1]


def _measured(base: str, method: str, options: Options) -> dict:
    found = [_of_table(table, of_base) | spent for table, of_base, spent in _evaluated(base, method, options)]
    line = {"base_tc_K": found[0]["base_tc_K"]}
    for name in ("fulfils", "passing", "tc_judge_K", "evaluations", "seconds"):
        line[name], _ = mean_and_spread([f[name] for f in found])
    line["tc_K"], line["tc_spread_K"] = mean_and_spread([f["tc_K"] for f in found])
    return line


def _evaluated(
    base: str, method: str, options: Options
) -> list[tuple[pd.DataFrame, dict[str, float], dict[str, float]]]:
    """Candidate table, predictions for the base and budget of each seed; SuperDiff samples once."""
    if method in DIFFUSION:
        posed = diffusion.problem(base, method, 0, options, charge_rule=EVERY_ATOM)
        samples = diffusion.sampled(posed, options, (diffusion.HYDRIDE_RULE,))[diffusion.HYDRIDE_RULE]
        return [(samples.table, samples.base, samples.budget)]
    runs = [finished_run(problem(base, method, seed, options), options) for seed in range(options.seeds)]
    return [(run.candidates(), run.summary()["base"], budget(run)) for run in runs]


def _of_table(table: pd.DataFrame, base: dict[str, float]) -> dict:
    meets = table["formula"].map(fulfils).astype(bool)
    best = table[table["passes"] & meets].nlargest(TOP, "tc_K")
    return {
        "base_tc_K": base["tc_K"], "passing": int((table["passes"] & meets).sum()),
        "fulfils": float(meets.mean()) if len(table) else None,
        "tc_K": float(best["tc_K"].mean()) if len(best) else None,
        "tc_judge_K": float(best["tc_judge_K"].mean()) if len(best) else None,
    }  # fmt: skip
