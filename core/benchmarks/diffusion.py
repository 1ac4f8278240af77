"""SuperDiff in the papers' experiments: samples of a base, and their formulas by each rule."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from core.benchmarks.harness import Options, cached
from core.benchmarks.paper import DIFFUSION, GUIDED, SUPERDIFF
from core.evaluation.design import Design, prepare
from core.generation.diffusion import sampler
from core.generation.diffusion.sampler import State, Task
from core.generation.diffusion.settings import KIAGO, NEUTRAL, RULES, WHOLE
from core.generation.registry import SUPERDIFF as METHOD
from core.generation.registry import checkpoints_of_method
from core.predictors.checkpoint import read_card
from core.problem.problem import DesignProblem
from core.runs.keyed_runs import key_of
from core.runs.resume import Known, load_resume_point, save_resume_point

GUIDANCE = {SUPERDIFF: 0.0, GUIDED: 1e-3}  # weights of KIAGO
STEPS = 100  # KIAGO: 1,000
CLASSES = {"Y2Fe3Si5": "iron-based"}  # as KIAGO classifies it; all others by their elements
RULE, HYDRIDE_RULE = KIAGO, WHOLE  # for formulas, in the tables of KIAGO
STORE_S = 20.0  # time between two resume points
# What the tables need of the candidate table.
COLUMNS = ("formula", "tc_K", "tc_judge_K", "charge_neutral", "pauling_ok", "passes", "n_elements",
           "formation_energy_eV_per_atom", "known", "times_found")  # fmt: skip


@dataclass(frozen=True)
class Samples:
    """The samples of one problem, as distinct formulas by one rule.

    table : columns COLUMNS of the candidate table
    base : predictions for the base
    samples : number of samples
    lost : reason -> number of samples without a formula
    seconds : of the sampling, without screens
    """

    table: pd.DataFrame
    base: dict[str, float]
    samples: int
    lost: dict[str, int]
    seconds: float

    @property
    def budget(self) -> dict[str, float]:
        """See `harness.budget`; an evaluation is one of the denoising network."""
        return {"evaluations": self.samples * STEPS, "seconds": self.seconds}


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
    ]
    found = cached(depends_on, options, lambda: _sampled(posed, options, rules))
    return {
        rule: Samples(pd.DataFrame(each["table"], columns=COLUMNS), each["base"], each["samples"], each["lost"],
                      found["seconds"])
        for rule, each in found["rules"].items()
    }  # fmt: skip


def networks(posed: DesignProblem) -> dict[str, str]:
    """Name -> SHA-256 of the networks of a problem."""
    return {name: read_card(name)["sha256"] for name in checkpoints_of_method(posed)}


def about(options: Options, bases: Sequence[str], alone: bool = False) -> dict:
    """`Options.about` with the size of the samplings of these bases, and their networks.

    alone : whether the benchmark has no other method
    """
    known: dict[str, Any] = options.about()
    found: dict[str, str] = {}
    if not set(DIFFUSION) & set(options.methods):
        return known
    for base in bases:
        found |= networks(problem(base, SUPERDIFF, 0, options))
    size = {"candidates": options.samples, "steps": STEPS}
    if alone:
        known = {name: value for name, value in known.items() if name not in ("candidates", "steps")} | {"seeds": 1}
    return {**known, "checkpoints": {**known["checkpoints"], **found}, "diffusion": size}


def _sampled(posed: DesignProblem, options: Options, rules: Sequence[str]) -> dict:
    design = prepare(posed)
    folder = options.cache / "samples" / key_of([posed.to_json(), options.checksums(), networks(posed)])
    state, seconds = _last_state(design, folder)
    found = {}
    for rule in rules:
        limits = replace(posed.settings, max_elements=options.settings.max_elements) if rule == NEUTRAL else None
        own = {**posed.method_settings, "formulas": rule}
        by_rule = replace(design, problem=replace(posed, method_settings=own, settings=limits or posed.settings))
        result = by_rule.finalize(state, "finished")
        table = result.candidates[list(COLUMNS)]
        found[rule] = {
            "table": table.astype(object).to_dict("list"), "base": result.base, "lost": result.funnel[0].failed,
            "samples": posed.settings.candidates,
        }  # fmt: skip
    return {"seconds": seconds, "rules": found}


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
