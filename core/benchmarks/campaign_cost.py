"""What a campaign costs beside the work of its runs, by runs that sleep; the time of 10,000 runs on more cores."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from core.benchmarks import figures
from core.benchmarks.harness import CACHE, Options, Outcome, finished_run
from core.campaigns.axes import Axis
from core.campaigns.campaign import Campaign
from core.campaigns.candidates import candidates_of
from core.campaigns.expansion import planned_runs
from core.campaigns.query import CandidateQueries
from core.executors.clusters import LOCAL, connected
from core.executors.dask_cluster import sleep_task
from core.problem.problem import DesignProblem
from core.problem.settings import OptimiserSettings
from core.runs.keyed_runs import found_or_created
from core.runs.run import Run

BASE, RUNS, CORES = "LaFeAsO", 10_000, (2, 64, 1000)
CREATED, READ, COPIED = 200, 100, 20  # runs that are created, whose end is read, whose tables are collected
LIBRARY_RUNS, BASES = 1_000, 24
LIBRARY_COLUMNS = ("formula", "tc_K", "tc_std_K", "tc_judge_K", "energy_above_hull_eV_per_atom", "family",
                   "nearest_known")  # fmt: skip
WHERE = "tc_K > 20 and energy_above_hull_eV_per_atom < 0.2 and new and list_contains(elements, 'As')"


@dataclass(frozen=True)
class CampaignCostOptions:
    """Options of this benchmark.

    seeds : number of runs that are planned, and of tasks that sleep
    seconds : that each task sleeps
    candidates, steps : of the one real run, which gives seconds, files and bytes of a run
    workers : local worker processes
    device : of the real run
    cache : folder of the real run
    log : called with one line before each slow part
    """

    seeds: int = RUNS
    seconds: float = 0.0
    candidates: int = OptimiserSettings.candidates
    steps: tuple[int, int] = OptimiserSettings.steps
    workers: int = 2
    device: str = "auto"
    cache: Path = field(default_factory=lambda: CACHE)
    log: Callable[[str], None] = field(default=lambda line: None, compare=False)

    @property
    def file_suffix(self) -> str:
        """Empty: there is one table."""
        return ""


def cost(options: CampaignCostOptions) -> Outcome:
    """Seconds per run of each part of a campaign, and the time of RUNS runs on CORES cores."""
    problem = DesignProblem(
        BASE, settings=OptimiserSettings(candidates=options.candidates, steps=options.steps), device=options.device
    )
    run = finished_run(problem, Options(device=options.device, cache=options.cache, log=options.log))
    with tempfile.TemporaryDirectory() as place:
        parts = _parts(options, problem, run, Path(place))
    table = pd.DataFrame([{"part": name, "ms_per_run": 1000 * seconds} for name, seconds in parts.items()])
    files = [path.stat().st_size for path in run.folder.iterdir() if path.is_file()]
    about = {
        "threads": run.provenance().get("threads"),
        "runs": options.seeds, "sleep_s": options.seconds, "workers": options.workers, "candidates": options.candidates,
        "steps": list(options.steps), "files_per_run": len(files), "bytes_per_run": sum(files),
    }  # fmt: skip
    figure = figures.bars(table.assign(unit="ms"), "part", "ms_per_run", "unit", "ms per run")
    return Outcome(table, sentences(table, about), figure, about)


WORK, PLANNED, CREATED_PART, TASK, ENDED, COLLECTED, ANSWER = (
    "work of a run", "plan: combination, check, content key", "create the folder",
    "distribute: a task that sleeps, less its sleep", "read the end", "collect the candidates",
    f"answer a filter on the candidates of {LIBRARY_RUNS:,} runs",
)  # fmt: skip
_BY_COMMAND = (CREATED_PART, TASK, ENDED)  # what the one command does for each run while the workers are at work


def _parts(options: CampaignCostOptions, problem: DesignProblem, run: Run, place: Path) -> dict[str, float]:
    """Part -> seconds per run. place : an empty folder"""
    seeds = Axis("seed", tuple(range(options.seeds)))
    settings = (Axis("settings.candidates", (options.candidates,)), Axis("settings.steps", (list(options.steps),)))
    options.log("plan and create runs")
    began = time.perf_counter()
    planned = planned_runs(Campaign((Axis("base", (BASE,)), *settings, seeds)))
    parts = {WORK: run.stored_status().elapsed_s, PLANNED: (time.perf_counter() - began) / len(planned)}
    few = planned[:CREATED]
    parts[CREATED_PART] = _seconds(lambda: [found_or_created(p.problem, place / p.key, 1) for p in few]) / len(few)
    options.log(f"{options.seeds:,} tasks that sleep {options.seconds:g} s on {options.workers} workers")
    parts[TASK] = _task_s(options)
    parts[ENDED] = _seconds(lambda: [run.status() for _ in range(READ)]) / READ
    copies = place / "copies"
    for number in range(COPIED):
        shutil.copytree(run.folder, copies / f"copy-{number}")
    options.log("candidates of many runs")
    parts[COLLECTED] = _seconds(lambda: candidates_of([copies])) / COPIED
    with CandidateQueries(many_runs(candidates_of([copies]), LIBRARY_RUNS)) as queries:
        parts[ANSWER] = max(_answer_s(queries, where) for where in ("passes and new", WHERE))
    return parts


def many_runs(table: pa.Table, runs: int) -> pa.Table:
    """The candidates of one run of each seed and of bases by the dozen, made from those of a few runs: for timing only.

    The amounts are drawn anew from 1 to 3, so that most compositions are found by some of the runs, and none by all.
    """
    generator = np.random.default_rng(0)
    rows = table.num_rows // COPIED
    inside = table["elements"].slice(0, rows).to_pylist()
    parts = []
    for run in range(runs):
        formulas = ["".join(f"{symbol}{generator.integers(1, 4)}" for symbol in found) for found in inside]
        new = {"run": [f"run-{run}"] * rows, "base": [f"base {run % BASES}"] * rows, "formula": formulas}
        part = table.slice(0, rows)
        for name, values in new.items():
            part = part.set_column(part.column_names.index(name), name, pa.array(values, pa.string()))
        parts.append(part)
    return pa.concat_tables(parts)


def _answer_s(queries: CandidateQueries, where: str) -> float:
    """Seconds of what the page Library asks when a filter changes: rows, number of compositions, their elements."""

    def ask() -> None:
        queries.occurrence(where)
        queries.select(where, most=1_000, each_composition_once=True, columns=LIBRARY_COLUMNS)

    return min(_seconds(ask) for _ in range(3))


def _task_s(options: CampaignCostOptions) -> float:
    """Seconds per task beside its sleep, on all workers together."""
    with connected(LOCAL, options.workers, 1, None) as client:
        client.gather(client.map(sleep_task, [0.0] * options.workers, range(-options.workers, 0)))  # all have started
        numbers = range(options.seeds)
        spent = _seconds(lambda: client.gather(client.map(sleep_task, [options.seconds] * len(numbers), numbers)))
    return spent / options.seeds - options.seconds / options.workers


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def sentences(table: pd.DataFrame, about: dict) -> tuple[str, ...]:
    """The conclusions, from the table and the sizes in `about`."""
    parts = table.set_index("part")["ms_per_run"] / 1000
    work_s, command_s = parts[WORK], sum(parts[name] for name in _BY_COMMAND)
    times = ", ".join(f"{_time(RUNS * max(work_s / cores, command_s))} on {cores:,}" for cores in CORES)
    size = about["bytes_per_run"]
    return (
        f"{RUNS:,} such runs take {times} cores: each of {work_s:.1f} s, and {1000 * command_s:.1f} ms of the command.",
        f"The command keeps up to {work_s / command_s:,.0f} cores busy; more cores need several campaigns.",
        f"A run has {about['files_per_run']} files and {size / 1e3:,.0f} kB; {RUNS:,} runs have "
        f"{RUNS * about['files_per_run']:,} files and {RUNS * size / 1e9:.1f} GB.",
        f"A filter on the candidates of {LIBRARY_RUNS:,} runs answers in {parts[ANSWER]:.2f} s.",
    )


def _time(seconds: float) -> str:
    return f"{seconds / 3600:.1f} h" if seconds >= 3600 else f"{seconds / 60:.0f} min"
