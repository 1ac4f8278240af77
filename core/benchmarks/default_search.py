"""The default design of the app beside genetic search in the same time, for the bases of KIAGO's table 2."""

from __future__ import annotations

from dataclasses import asdict
from functools import cache

import pandas as pd
import torch

from core.benchmarks import figures
from core.benchmarks.harness import Outcome, cached, mean_and_spread
from core.benchmarks.paper import rows
from core.benchmarks.search import OWN_VERSION, VERSION, SearchOptions, number, standing
from core.benchmarks.search_lines import Line
from core.benchmarks.search_methods import GENETIC_SEARCH, OURS, Found, assess, default_run, search
from core.errors import InputError
from core.evaluation.design import Load
from core.predictors.registry import load_predictor
from core.problem.settings import NEAR, NEW, OptimiserSettings

KIND = "default"
SETTINGS = OptimiserSettings(novelty=NEW, change=NEAR)  # what the design page proposes at first
MEASURES = ("objective_K", "tc_K", "control_tc_K", "formulas", "element_sets", "best_K", "seconds")


def default_search(options: SearchOptions) -> Outcome:
    """One row for each base and method: means over the seeds of the best 30 formulas by the objective.

    The default design runs to its end, and genetic search with the same models and demands gets the time it took.
    """
    load, found = cache(load_predictor), []
    for base in _bases(options.bases):
        both = [_both(base, seed, options, load) for seed in range(options.seeds)]
        for method in (OURS, GENETIC_SEARCH):
            row: dict = {"kind": KIND, "base": base, "method": method}
            for name in MEASURES:
                row[name], spread = mean_and_spread([each[method][name] for each in both])
                if name in ("objective_K", "tc_K", "control_tc_K"):
                    row[name.replace("_K", "_spread_K")] = spread
            found.append(row)
    table = pd.DataFrame(found)
    figure = figures.bars(table, "base", "objective_K", "method", "objective of the best 30 (K)")
    return Outcome(table.drop(columns="kind"), sentences(table), figure, options.about())


def sentences(table: pd.DataFrame) -> tuple[str, ...]:
    """How often the default design is ahead of genetic search, and how long it takes."""
    texts = []
    for column, by in (("objective", "By the objective"), ("control_tc", "By the control model")):
        ahead, equal, of = standing(table, column, (GENETIC_SEARCH,))
        texts.append(
            f"{by}, the default design is ahead of genetic search in the same time for {ahead} of {of} bases, equal "
            f"for {equal} and behind for {of - ahead - equal}."
        )
    seconds = table.loc[table["method"] == OURS, "seconds"]
    return (*texts, f"Its search takes {seconds.min():.1f} to {seconds.max():.1f} s.")


def _both(base: str, seed: int, options: SearchOptions, load: Load) -> dict[str, dict]:
    """The figures of both methods for one seed, from the cache if possible."""
    line = Line(KIND, base, SETTINGS)
    problem = line.problem(seed, options.device)
    key = ["default search", base, f"seed {seed}", torch.get_num_threads(), VERSION, OWN_VERSION, problem.to_json()]

    def make() -> dict:
        ours = default_run(line, seed, load, options.device)
        rival = search(GENETIC_SEARCH, line, seed, ours.seconds, load, options.device)
        return {OURS: figures_of(ours), GENETIC_SEARCH: figures_of(rival)}

    def figures_of(found: Found) -> dict:
        assessed = asdict(assess(found, line, load, options.device))
        return {name: number(value) for name, value in assessed.items()} | {"seconds": found.seconds}

    return cached(key, options, make)


def _bases(chosen: tuple[str, ...]) -> list[str]:
    bases = [row["base"] for row in rows("table2")]
    for base in chosen:
        if base not in bases:
            raise InputError("bases", base, "table 2 has no such base", f"Choose from {', '.join(bases)}")
    return [base for base in bases if not chosen or base in chosen]
