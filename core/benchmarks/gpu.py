"""What a GPU brings: speed against the reference loop and against the limits of the card, memory, agreement, training.

With `--device cpu` the benchmark runs on the processor, to try it.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import astuple, dataclass, field, replace
from itertools import product
from pathlib import Path

import pandas as pd
import torch

from core.benchmarks import figures
from core.benchmarks.gpu_agreement import AgreementSize, agreement
from core.benchmarks.gpu_limits import DeviceLimits, device_limits
from core.benchmarks.gpu_steps import GB, Bench, StepCounts
from core.benchmarks.harness import CACHE, Outcome, cached
from core.benchmarks.speed import BASE, NAMES
from core.benchmarks.speed_figure import log_log
from core.benchmarks.timing import timed
from core.errors import InputError
from core.evaluation.design import prepare
from core.generation.gradient import optimiser
from core.generation.gradient.generator import optimise
from core.predictors.checkpoint import read_card
from core.predictors.device import resolve_device
from core.predictors.registry import MODELS
from core.problem.presets import PAPER
from core.problem.problem import DesignProblem
from core.problem.settings import FLOAT32, TFLOAT32
from core.training.speed import training_speed

STEPS = {"published": StepCounts(ours=100, reference=5), "best": StepCounts(ours=40, reference=2)}
STEPS_ON_CPU = StepCounts(ours=2, reference=1)
EVERY_PRECISION = {"published"}

Part = Callable[..., list[dict]]  # (depends on, ..., make=() -> rows) -> rows, from the cache if possible
CLOCKS = "name,driver_version,clocks.sm,clocks.mem,clocks.max.sm,clocks.max.mem,memory.total,power.limit"


@dataclass(frozen=True)
class GpuOptions:
    """Options of the GPU benchmark.

    candidates : batch sizes
    steps : of stage 1 and of stage 2 in the whole run with WHOLE_CANDIDATES candidates
    device : auto, cuda or cpu
    predictor : keys of `MODELS`
    cache : folder of the cached parts
    log : called with one line before each measurement
    """

    candidates: tuple[int, ...] = (1024, 4096, 16_384)
    steps: tuple[int, int] = (500, 500)
    device: str = "auto"
    predictor: tuple[str, ...] = ("published", "best")
    cache: Path = field(default_factory=lambda: CACHE)
    log: Callable[[str], None] = field(default=lambda line: None, compare=False)

    def checksums(self) -> dict[str, str]:
        """Name -> SHA-256 of every checkpoint that is measured."""
        names = [name for key in self.predictor for name in astuple(MODELS[key])]
        return {name: read_card(name)["sha256"] for name in names}

    @property
    def file_suffix(self) -> str:
        """Empty, because one table holds all predictors."""
        return ""

    @property
    def small(self) -> bool:
        """Whether this is a trial on the processor, with few steps."""
        return resolve_device(self.device).type == "cpu"


@dataclass(frozen=True)
class Parts:
    """What is measured: limits of the device by precision, and rows as JSON data.

    card : name, driver, clocks, memory and power; lines : of the table; whole_runs, agreements, trainings : rows
    """

    card: dict[str, str]
    limits: dict[str, DeviceLimits]
    lines: list[dict]
    whole_runs: list[dict]
    agreements: list[dict]
    trainings: list[dict]


def gpu(options: GpuOptions) -> Outcome:
    """The table of speeds; agreement, the whole run and the trainings in the sentences and under `about`.

    Every part is cached, so that an interrupted benchmark resumes on the same card.
    """
    device = resolve_device(options.device)
    card = _card(device)
    precisions = (FLOAT32, TFLOAT32) if device.type == "cuda" else (FLOAT32,)
    limits = {precision: device_limits(device, precision == TFLOAT32) for precision in precisions}

    def part(*depends_on: object, make: Callable[[], list[dict]]) -> list[dict]:
        key = ["gpu", *depends_on, card["name"], torch.__version__]
        return cached(key, options, lambda: {"rows": make()})["rows"]

    lines = [row for predictor in options.predictor for row in _lines(options, predictor, limits, part)]
    parts = Parts(
        card,
        limits,
        lines,
        [
            row
            for predictor in options.predictor
            for row in part(
                "whole run", predictor, options.steps, make=lambda predictor=predictor: [_whole_run(options, predictor)]
            )
        ],
        [
            row
            for predictor in options.predictor
            for row in part(
                "agreement", predictor, make=lambda predictor=predictor: _agreements(options, device, predictor)
            )
        ],
        part("trainings", make=lambda: _trainings(options)),
    )
    return outcome(parts, device)


def outcome(parts: Parts, device: torch.device) -> Outcome:
    """Table, sentences and figure of what was measured on a device."""
    table, runs = pd.DataFrame(parts.lines), pd.DataFrame(parts.whole_runs)
    figure = _figure(table)
    about = {
        "device": str(device),
        "card": parts.card,
        "torch": torch.__version__,
        "limits": {
            precision: {"matrix_product_TFLOP_per_s": each.flops_per_s / 1e12, "copy_GB_per_s": each.bytes_per_s / GB}
            for precision, each in parts.limits.items()
        },
        "whole_runs": parts.whole_runs,
        "agreement_with_cpu": parts.agreements,
        "trainings": parts.trainings,
    }
    sentences = (
        *_sentences(table, runs),
        *_printed("Agreement with the CPU", parts.agreements),
        *_printed("Trainings", parts.trainings),
    )
    return Outcome(table, sentences, figure, about, log_log(figure))


def _printed(title: str, rows: list[dict]) -> tuple[str, ...]:
    """One line for each row."""
    return tuple(f"{title}: " + ", ".join(f"{key} {_text(value)}" for key, value in row.items()) for row in rows)


def _text(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


# Speed.


def _lines(options: GpuOptions, predictor: str, limits: dict[str, DeviceLimits], part: Part) -> Iterator[dict]:
    """The lines of one pair of models; those that have many members in the default precision only."""
    counts = STEPS_ON_CPU if options.small else STEPS[predictor]
    bench = Bench(_problem(options, predictor, FLOAT32, max(options.candidates), (1, 1)))
    precisions = tuple(limits) if predictor in EVERY_PRECISION else tuple(limits)[-1:]
    for candidates, precision in product(options.candidates, precisions):

        def line(candidates: int = candidates, precision: str = precision) -> list[dict]:
            return [{"models": predictor, **bench.line(candidates, precision, counts, limits[precision])}]

        found = part("line", predictor, precision, candidates, counts.ours, counts.reference, make=line)
        options.log(_printed("Steps", found)[0])
        yield from found


def _problem(
    options: GpuOptions, predictor: str, precision: str, candidates: int, steps: tuple[int, int]
) -> DesignProblem:
    models = MODELS[predictor]
    return DesignProblem(
        base=BASE, settings=replace(PAPER, candidates=candidates, steps=steps), device=options.device,
        precision=precision, tc_predictor=models.tc, formation_energy_predictor=models.formation_energy,
    )  # fmt: skip


# A whole run.


def _whole_run(options: GpuOptions, predictor: str) -> dict:
    """Seconds of a whole run, with starts and capture, in the default precision of the device."""
    candidates = options.candidates[0] if options.small else PAPER.candidates
    steps = (2, 2) if options.small else options.steps
    device = resolve_device(options.device)
    task = prepare(_problem(options, predictor, "auto", candidates, steps)).task
    of_starts, start = timed(lambda: optimiser.init(task), device)
    of_steps, (state, _) = timed(lambda: optimise(task, start), device)
    report = optimiser.evaluate(task, state)
    return {
        "models": predictor,
        "candidates": candidates,
        "steps": sum(steps),
        "starts_s": of_starts,
        "steps_s": of_steps,
        "run_s": of_starts + of_steps,
        "restarts": report.restarts,
        "median_tc_K": float(report.tc_K.median()),
    }


# Agreement and trainings.


def _agreements(options: GpuOptions, device: torch.device, predictor: str) -> list[dict]:
    size = AgreementSize(4, 4, 4, 4) if options.small else AgreementSize()
    problem = _problem(options, predictor, FLOAT32, size.candidates, (1, 1))
    return [{"models": predictor, **row} for row in agreement(problem, device, size)]


def _trainings(options: GpuOptions) -> list[dict]:
    """One epoch of each training of networks; empty without the raw data."""
    try:
        with redirect_stdout(sys.stderr):  # a training prints the figures of every epoch
            return training_speed(steps=1 if options.small else None, log=options.log).to_dict("records")
    except InputError as error:
        options.log(str(error))
        return []


# Texts.


def _card(device: torch.device) -> dict[str, str]:
    """Name, driver, clocks, memory and power of the card."""
    if device.type != "cuda":
        return {"name": torch.backends.cpu.get_cpu_capability()}
    try:
        line = subprocess.run(
            ["nvidia-smi", f"--query-gpu={CLOCKS}", "--format=csv,noheader"],
            capture_output=True, text=True, timeout=20, check=True,
        ).stdout.splitlines()[0]  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return {"name": torch.cuda.get_device_name(device)}
    return dict(zip(CLOCKS.split(","), (value.strip() for value in line.split(",")), strict=True))


def _sentences(table: pd.DataFrame, runs: pd.DataFrame) -> tuple[str, ...]:
    found = []
    for predictor, rows in table.groupby("models", sort=False):
        best = rows.loc[(rows["candidates"] * rows["ours_steps_per_s"]).idxmax()]
        found.append(
            f"With {NAMES[str(predictor)]} in {best['precision']}: {best['ours_steps_per_s']:,.0f} steps per second "
            f"with {best['candidates']:,.0f} candidates, {best['ratio']:.1f} times the reference loop, "
            f"{best['times_the_limit']:.1f} times the limit of arithmetic and bandwidth."
        )
    for run in runs.to_dict("records"):
        found.append(
            f"With {NAMES[run['models']]}, {run['candidates']:,} candidates and {run['steps']:,} steps: "
            f"{run['run_s']:.2f} s, of which {run['starts_s']:.2f} s for the starts."
        )
    return tuple(found)


def _figure(table: pd.DataFrame) -> dict:
    """Candidate-steps per second against candidates."""
    series = {}
    kinds = table[["models", "precision"]].drop_duplicates()
    for predictor, precision in kinds.itertuples(index=False):
        rows = table[(table["models"] == predictor) & (table["precision"] == precision)]
        label = f"{NAMES[predictor]}, ours" if precision == FLOAT32 else f"{NAMES[predictor]} in {precision}, ours"
        series[label] = rows["candidates"], rows["candidates"] * rows["ours_steps_per_s"]
        if precision == FLOAT32:
            reference = rows["candidates"] * rows["plain_steps_per_s"]
            series[f"{NAMES[predictor]}, reference"] = rows["candidates"], reference
    return figures.lines(series, "candidates", "candidate-steps per second", log=True)
