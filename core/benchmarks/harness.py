"""Options, cache and output files of all benchmarks.

A benchmark is a function from `Options` to `Outcome`. Every slow part is cached when it is finished, with a key of
everything that it depends on, so that an interrupted benchmark resumes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from core.benchmarks.paper import DIFFUSION, METHODS
from core.errors import InputError
from core.files import write_atomically, write_json
from core.paths import ASSETS, PROJECT
from core.predictors.checkpoint import read_card
from core.predictors.device import resolve_device
from core.predictors.registry import CONTROL, MODELS, Models
from core.problem.presets import PAPER
from core.problem.problem import DesignProblem
from core.problem.settings import OptimiserSettings
from core.reference_data.references import NAME as REFERENCES
from core.runs import layout
from core.runs.keyed_runs import found_or_created, key_of, run_key
from core.runs.run import Run
from core.runs.status import Phase

CACHE, STORED = PROJECT / "build" / "benchmarks", ASSETS / "benchmarks"


@dataclass(frozen=True)
class Options:
    """The size of a benchmark and its models.

    candidates : compositions optimised together; 4,096 in the papers
    steps : of stage 1 and of stage 2
    seeds : number of seeds; the seeds are 0, 1, 2, ...
    bases : base materials to include; empty: all of the table
    device : auto, cpu, cuda or mps
    predictor : key of `MODELS`
    risk_aversion : kappa, see OptimiserSettings; 0 in the papers
    samples : of a diffusion model, of each base
    methods : methods of the tables to carry out; lines of the others are those of the stored results, if these have the
        same conditions
    extra_checkpoints : checkpoints that the figures depend on besides the predictors
    cache : folder of the cached parts
    log : called with one line before each slow part

    Raises InputError for fewer than one seed, or an unknown method.
    """

    candidates: int = PAPER.candidates
    steps: tuple[int, int] = PAPER.steps
    seeds: int = 3
    bases: tuple[str, ...] = ()
    device: str = "auto"
    predictor: str = "best"
    risk_aversion: float = 0.0
    samples: int = 1024
    methods: tuple[str, ...] = METHODS
    extra_checkpoints: tuple[str, ...] = (CONTROL, REFERENCES)
    cache: Path = field(default_factory=lambda: CACHE)
    log: Callable[[str], None] = field(default=lambda line: None, compare=False)

    def __post_init__(self):
        if self.seeds < 1:
            raise InputError("seeds", self.seeds, "a mean needs at least one seed", "Choose 1 or more")
        if self.samples < 1:
            raise InputError("samples", self.samples, "a mean needs at least one sample", "Choose 1 or more")
        for method in self.methods:
            if method not in METHODS:
                raise InputError("methods", method, "the tables have no such method", f"Choose {', '.join(METHODS)}")

    @property
    def models(self) -> Models:
        """The predictors."""
        return MODELS[self.predictor]

    @property
    def settings(self) -> OptimiserSettings:
        """The paper's settings with this number of candidates and steps and this risk aversion."""
        return replace(PAPER, candidates=self.candidates, steps=self.steps, risk_aversion=self.risk_aversion)

    @property
    def file_suffix(self) -> str:
        """End of the names of the output files: empty for the default predictor."""
        return "" if self.predictor == Options.predictor else f"-{self.predictor}"

    def problem(self, base: str, seed: int, **fields: Any) -> DesignProblem:
        """The paper's problem with these predictors; `fields` replace fields of the problem."""
        given: dict[str, Any] = {"settings": self.settings, "device": self.device, **fields}
        return DesignProblem(
            base=base, seed=seed, tc_predictor=self.models.tc,
            formation_energy_predictor=self.models.formation_energy, **given,
        )  # fmt: skip

    def checksums(self) -> dict[str, str]:
        """Name -> SHA-256 of every checkpoint that the figures depend on."""
        names = (self.models.tc, self.models.formation_energy, *self.extra_checkpoints)
        return {name: read_card(name)["sha256"] for name in names}

    def about(self) -> dict:
        """The options and checksums with which the figures were computed, as JSON data."""
        return {
            "candidates": self.candidates, "steps": list(self.steps), "seeds": self.seeds, "bases": list(self.bases),
            "predictor": self.predictor, "risk_aversion": self.risk_aversion, "device": self.device,
            "checkpoints": self.checksums(),
        }  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """The result of a benchmark.

    table : one row per printed line; units in the names of the columns
    sentences : the conclusions, for a reader who knows the paper
    figure : a plotly figure as plain data: {"data": [...], "layout": {...}}
    about : see `Options.about`
    picture : the figure as SVG for the README, or ""
    """

    table: pd.DataFrame
    sentences: tuple[str, ...]
    figure: dict
    about: dict
    picture: str = ""


def finished_run(problem: DesignProblem, options: Options, keep_trajectory: bool = False) -> Run:
    """The finished run of a problem: from the cache, resumed, or carried out now.

    keep_trajectory : whether the values of all candidates at all steps are kept, megabytes that no table needs

    Raises RuntimeError if the run fails, KeyboardInterrupt if it is interrupted.
    """
    from core.executors.in_process import InProcessExecutor

    folder = options.cache / "runs" / run_key(problem, options.checksums())
    run = found_or_created(problem, folder)
    status = run.stored_status()
    if status.phase is not Phase.FINISHED:
        options.log(f"{problem.base}, {problem.method}, seed {problem.seed}")
        executor = InProcessExecutor()
        executor.submit(run)
        status = executor.poll(run)
        if not keep_trajectory:
            (folder / layout.TRAJECTORY).unlink(missing_ok=True)
    if status.phase is Phase.INTERRUPTED:
        raise KeyboardInterrupt
    if status.phase is not Phase.FINISHED:
        raise RuntimeError(f"{problem.base}: {status.message or status.phase}")
    return run


def budget(run: Run) -> dict[str, float]:
    """What a finished run took: "evaluations", candidates times steps, and "seconds" of work."""
    status = run.stored_status()
    return {"evaluations": run.problem().settings.candidates * status.step, "seconds": status.elapsed_s}


class Caching(Protocol):
    """The options that a cached part depends on; see `Options`."""

    @property
    def device(self) -> str: ...
    @property
    def cache(self) -> Path: ...
    @property
    def log(self) -> Callable[[str], None]: ...
    def checksums(self) -> dict[str, str]: ...


def cached(depends_on: Sequence, options: Caching, make: Callable[[], dict]) -> dict:
    """The JSON data that `make` returns, from the cache if possible.

    depends_on : everything that the result depends on besides the device and the checkpoints
    """
    path = options.cache / "parts" / f"{part_key(depends_on, options)}.json"
    if not path.exists():
        options.log(", ".join(str(part) for part in depends_on[:3]))
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, make())
    return json.loads(path.read_text(encoding="utf-8"))


def part_key(depends_on: Sequence, options: Caching) -> str:
    """The key of a cached part, see `cached`.

    It contains the resolved device, because "auto" differs between machines, and rounding between devices.
    """
    return key_of([*depends_on, str(resolve_device(options.device)), options.checksums()])


def mean_and_spread(values: Sequence[float | None]) -> tuple[float, float]:
    """Mean and sample standard deviation (n - 1) of the values that are not None; NaN without enough values."""
    series = pd.Series([v for v in values if v is not None], dtype="float64")
    return float(series.mean()), float(series.std())


def write(outcome: Outcome, name: str, folder: Path) -> list[Path]:
    """Write NAME.csv (table), NAME.json (figure, sentences, about) and, if there is a picture, NAME.svg.

    Returns the paths written.
    """
    from core.evaluation.csv_export import to_csv

    folder.mkdir(parents=True, exist_ok=True)
    table, rest = folder / f"{name}.csv", folder / f"{name}.json"
    write_atomically(table, to_csv(outcome.table.round(4)))
    about = {"about": outcome.about, "sentences": list(outcome.sentences), "figure": outcome.figure}
    write_atomically(rest, json.dumps(about, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    written = [table, rest]
    if outcome.picture:
        written.append(folder / f"{name}.svg")
        write_atomically(written[-1], outcome.picture)
    return written


def text(table: pd.DataFrame) -> str:
    """The table for a terminal: two decimals, a dash for a missing value."""
    return table.to_string(index=False, na_rep="-", float_format=lambda x: f"{x:.2f}")


def read(name: str, folder: Path) -> Outcome | None:
    """The outcome stored by `write`; None if the table or the JSON file is missing."""
    table, rest = folder / f"{name}.csv", folder / f"{name}.json"
    if not (table.exists() and rest.exists()):
        return None
    stored = json.loads(rest.read_text(encoding="utf-8"))
    return Outcome(
        pd.read_csv(table, keep_default_na=False, na_values=[""]),
        tuple(stored["sentences"]),
        stored["figure"],
        stored["about"],
    )


def with_stored(table: pd.DataFrame, name: str, options: Options, about: Mapping[str, Any]) -> pd.DataFrame:
    """The table with the stored lines of the methods that were not carried out, if they have the same conditions.

    table : one line for each base and method
    about : conditions of the table with the lines of a diffusion model; those of its stored lines have to be the same
    """
    stored = read(name + options.file_suffix, STORED)
    left = [method for method in METHODS if method not in options.methods]
    if stored is not None and not _same_samples(stored.about, about):
        left = [method for method in left if method not in DIFFUSION]
    if stored is None or not left or not _same_conditions(stored.about, options.about()):
        return table
    lines = table.set_index(["base", "method"])
    old = stored.table[stored.table["method"].isin(left)].set_index(["base", "method"])
    old = old.loc[old.index.intersection(lines.index), [column for column in old if column in lines]]
    lines.loc[old.index, old.columns] = old
    return lines.reset_index()[list(table.columns)]


def _same_samples(stored: Mapping, now: Mapping) -> bool:
    same = stored.get("diffusion") == now["diffusion"]
    return same and all(stored["checkpoints"].get(name) == value for name, value in now["checkpoints"].items())


def _same_conditions(stored: dict, now: dict) -> bool:
    names = ("candidates", "steps", "seeds", "predictor", "risk_aversion")
    same = all(stored.get(name) == now[name] for name in names)
    return same and all(stored["checkpoints"].get(name) == value for name, value in now["checkpoints"].items())
