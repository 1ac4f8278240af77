"""SuperDiff in the papers' experiments: samples of a base, and their formulas by each rule."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.benchmarks.harness import Options, cached
from core.benchmarks.paper import DIFFUSION, GUIDED, SUPERDIFF
from core.chemistry.composition import formula_of_counts
from core.evaluation.design import Design, prepare
from core.generation.diffusion import sampler
from core.generation.diffusion.formulas import whole_cells
from core.generation.diffusion.generator import TOO_LARGE, UNKNOWN, written_samples
from core.generation.diffusion.sampler import State, Task
from core.generation.diffusion.settings import KIAGO, NEUTRAL, RULES, WHOLE
from core.generation.registry import SUPERDIFF as METHOD
from core.generation.registry import checkpoints_of_method
from core.predictors.checkpoint import read_card
from core.problem.problem import DesignProblem
from core.runs.keyed_runs import key_of
from core.runs.resume import Known, load_resume_point, save_resume_point
from core.screening.charge_neutrality import charge_balance

GUIDANCE = {SUPERDIFF: 0.0, GUIDED: 1e-3}  # weights of KIAGO
STEPS = 100  # KIAGO: 1,000
CLASSES = {"Y2Fe3Si5": "iron-based"}  # as KIAGO classifies it; all others by their elements
RULE, HYDRIDE_RULE = KIAGO, WHOLE  # for formulas, in the tables of KIAGO
VERSION = 2  # of what is kept of a sampling besides its last state
STORE_S = 20.0  # time between two resume points
PREDICTED = ("tc_K", "tc_judge_K", "formation_energy_eV_per_atom")
# What the tables need of the candidate table.
COLUMNS = ("formula", "tc_K", "tc_judge_K", "charge_neutral", "pauling_ok", "passes", "n_elements",
           "formation_energy_eV_per_atom", "known", "times_found")  # fmt: skip


@dataclass(frozen=True)
class Samples:
    """The samples of one problem, as distinct formulas by one rule.

    table : columns COLUMNS of the candidate table. Formulas with an element that a model does not know are among them:
        without predictions, so that they pass no screen of energy, but with their charges
    base : predictions for the base
    samples : number of samples
    lost : reason -> number of samples without a formula
    seconds : of the sampling
    screens_s : seconds of the rule, the predictions of its formulas, and the screens
    evaluations : of the denoising network, and with guidance of the predictors with their gradients, once a step each
    """

    table: pd.DataFrame
    base: dict[str, float]
    samples: int
    lost: dict[str, int]
    seconds: float
    screens_s: float
    evaluations: int

    @property
    def budget(self) -> dict[str, float]:
        """See `harness.budget`; like the seconds of a run, those of the screens are among them."""
        return {"evaluations": self.evaluations, "seconds": self.seconds + self.screens_s}


def problem(base: str, method: str, seed: int, options: Options, **fields: Any) -> DesignProblem:
    """The problem of SuperDiff with ILVR on a base, with or without guidance; `fields` as in `Options.problem`.

    KIAGO limits the elements by the screens only.
    """
    settings = replace(options.settings, candidates=options.samples, max_elements=96)
    own = {"denoising_steps": STEPS, "guidance_weight": GUIDANCE[method], "formulas": KIAGO}
    if base in CLASSES:
        own["of_class"] = CLASSES[base]
    return options.problem(base, seed, settings=settings, method=METHOD, method_settings=own, **fields)


def sampled(posed: DesignProblem, options: Options, rules: Sequence[str] = RULES) -> dict[str, Samples]:
    """The samples of a problem by each rule, from the cache, resumed, or drawn now.

    With the rule "neutral" the elements are limited as in the paper's other methods.
    """
    depends_on = [
        posed.base,
        f"seed {posed.seed}",
        posed.method_settings,
        posed.to_json(),
        list(rules),
        networks(posed),
        VERSION,
    ]
    found = cached(depends_on, options, lambda: _sampled(posed, options, rules))
    return {
        rule: Samples(pd.DataFrame(each["table"], columns=COLUMNS).astype(dict.fromkeys(PREDICTED, "float64")),
                      each["base"], each["samples"], each["lost"], found["seconds"], each["screens_s"],
                      found["evaluations"])
        for rule, each in found["rules"].items()
    }  # fmt: skip


def networks(posed: DesignProblem) -> dict[str, str]:
    """Name -> SHA-256 of the networks of a problem."""
    return {name: read_card(name)["sha256"] for name in checkpoints_of_method(posed)}


def networks_of(bases: Iterable[str], options: Options) -> dict[str, str]:
    """Name -> SHA-256 of the networks of these bases."""
    found: dict[str, str] = {}
    for base in dict.fromkeys(bases):
        found |= networks(problem(base, SUPERDIFF, 0, options))
    return found


def about_table(table: pd.DataFrame, options: Options) -> dict:
    """`Options.about`; with `about` if a diffusion model has lines, of this benchmark or kept ones.

    table : with `base_tc_K` in every line of a method that was carried out
    """
    there = table.loc[table["method"].isin(DIFFUSION), "base_tc_K"].notna().any()
    return about(options, table["base"]) if there else options.about()


def about(options: Options, bases: Iterable[str], samples: int | None = None) -> dict:
    """`Options.about` with the size of the samplings of these bases, and their networks.

    samples : another number than that of the options
    """
    known: dict[str, Any] = options.about()
    size = {"candidates": samples or options.samples, "steps": STEPS, "version": VERSION}
    return {**known, "checkpoints": {**known["checkpoints"], **networks_of(bases, options)}, "diffusion": size}


def about_alone(options: Options, bases: Iterable[str], samples: int | None = None) -> dict:
    """`about` for a benchmark without another method."""
    known = about(options, bases, samples)
    return {name: value for name, value in known.items() if name not in ("candidates", "steps")} | {"seeds": 1}


def _sampled(posed: DesignProblem, options: Options, rules: Sequence[str]) -> dict:
    design = prepare(posed)
    folder = options.cache / "samples" / key_of([posed.to_json(), options.checksums(), networks(posed)])
    state, seconds = _last_state(design, folder)
    found = {}
    for rule in rules:
        limits = replace(posed.settings, max_elements=options.settings.max_elements) if rule == NEUTRAL else None
        own = {**posed.method_settings, "formulas": rule}
        by_rule = replace(design, problem=replace(posed, method_settings=own, settings=limits or posed.settings))
        began = time.monotonic()
        result = by_rule.finalize(state, "finished")
        table, lost = result.candidates[list(COLUMNS)].astype(object).to_dict("records"), dict(result.funnel[0].failed)
        screens_s = time.monotonic() - began
        if rule != NEUTRAL and lost.pop(UNKNOWN, 0):
            more, too_large = without_predictions(by_rule.problem, design.task, state, rule)
            table += more
            lost[TOO_LARGE] = lost.get(TOO_LARGE, 0) + too_large
        found[rule] = {
            "table": table, "base": result.base, "lost": lost, "samples": posed.settings.candidates,
            "screens_s": screens_s,
        }  # fmt: skip
    calls = len(design.task.schedule) * (2 if posed.method_settings["guidance_weight"] else 1)
    return {"seconds": seconds, "evaluations": posed.settings.candidates * calls, "rules": found}


def without_predictions(problem: DesignProblem, task: Task, state: State, rule: str) -> tuple[list[dict], int]:
    """Rows with COLUMNS of the distinct formulas that only an element without predictions keeps from the table.

    Also the number of samples among them with more atoms than the charge screens can treat.
    """
    written, lost = written_samples(problem, task, state)
    cells, small = whole_cells(written.amounts[lost == UNKNOWN], rule)
    kept = cells.selected(small)
    _, first, times = np.unique(kept.counts, axis=0, return_index=True, return_counts=True)
    balances = charge_balance(kept.counts[first], problem.charge_rule)
    rows = [
        dict.fromkeys(COLUMNS)
        | {
            "formula": formula_of_counts(kept.amounts[row]), "charge_neutral": balance.charge_neutral,
            "pauling_ok": balance.pauling_ok, "passes": False, "n_elements": int((kept.counts[row] > 0).sum()),
            "known": "", "times_found": int(n),
        }
        for row, n, balance in zip(first, times, balances, strict=True)
    ]  # fmt: skip
    return rows, int((~small).sum())


def _last_state(design: Design, folder: Path) -> tuple[State, float]:
    """The last state of a sampling and its seconds; resumed from `folder`, which is written now and then."""
    folder.mkdir(parents=True, exist_ok=True)
    task: Task = design.task
    steps = len(task.schedule)
    point = load_resume_point(folder, State, folder.name, design.predictors.device)
    state, before_s = (None, 0.0) if point is None else (point.state, point.elapsed_s)
    state = sampler.init(task) if state is None else state
    began = stored = time.monotonic()
    while int(state.step) < steps:  # as `sampler.step`, without the predictions of its report
        state = State(state.step + 1, sampler.moves(task, state).conditioned)
        if time.monotonic() - stored > STORE_S or int(state.step) == steps:
            stored = time.monotonic()
            save_resume_point(folder, state, Known(folder.name), before_s + stored - began)
    return state, before_s + time.monotonic() - began
