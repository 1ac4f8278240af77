"""Candidate-steps per second of the reference loop and of ours, in one process on the same weights; screening times."""

from __future__ import annotations

import multiprocessing
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from core.benchmarks import figures
from core.benchmarks.harness import Outcome
from core.benchmarks.reference_loop import ReferenceLoop, prepare_reference
from core.benchmarks.speed_figure import log_log
from core.benchmarks.timing import timed
from core.chemistry import elements
from core.evaluation.design import prepare
from core.generation.gradient import optimiser
from core.generation.gradient.generator import optimise
from core.generation.gradient.optimiser import Task
from core.generation.validation import known_by
from core.predictors.device import resolve_device
from core.predictors.interface import predict_in_batches
from core.predictors.layers.bfloat16 import processor_multiplies_bfloat16
from core.predictors.registry import MODELS
from core.problem.presets import PAPER
from core.problem.problem import DesignProblem
from core.problem.settings import BFLOAT16, FLOAT32
from core.reference_data.references import load_references
from core.screening.charge_neutrality import charge_balance

BASE = "LaFeAsO"
SCREENED, SCREENED_ELEMENTS = 4096, 9
ON_HULL, HULL_ELEMENTS = 500, 7
MB = 1e6
NAMES = {"published": "ResNet18 and ElemNet", "best": "our best models"}
IN_BFLOAT16 = {"published"}  # models that have a bfloat16 form
# The two sides that are compared -> prefix of their columns.
REFERENCE, OURS = "reference", "ours"
COLUMN_PREFIXES = {REFERENCE: "plain", OURS: "ours"}


@dataclass(frozen=True)
class SpeedOptions:
    """Options of the speed benchmark.

    candidates : batch sizes
    steps : of stage 1 and of stage 2, in each repeat
    repeats : of which the fastest counts; both sides alternate, so that other load slows both
    predictor : keys of `MODELS`
    memory : also measure the peak memory of each side, in separate processes
    log : called with one line before each measurement
    """

    candidates: tuple[int, ...] = (256, 1024, 4096)
    steps: tuple[int, int] = (10, 10)
    repeats: int = 3
    device: str = "auto"
    predictor: tuple[str, ...] = ("published", "best")
    memory: bool = True
    log: Callable[[str], None] = lambda line: None

    @property
    def file_suffix(self) -> str:
        """Empty, because one table holds all predictors."""
        return ""


def speed(options: SpeedOptions) -> Outcome:
    """The table of speeds; the sentences also give the times of the screens."""
    lines = []
    for predictor, precision, candidates in product(options.predictor, (FLOAT32, BFLOAT16), options.candidates):
        if precision == BFLOAT16 and not (predictor in IN_BFLOAT16 and processor_multiplies_bfloat16()):
            continue
        options.log(f"{predictor}, {precision}, {candidates:,} candidates")
        problem = _problem(predictor, candidates, options)
        measured = _compared(replace(problem, precision=precision), options)
        lines.append({"models": predictor, "precision": precision, "candidates": candidates, **measured})
    table = pd.DataFrame(lines)
    screens = screening_times()
    figure = speed_figure(table)
    return Outcome(table, (*sentences(table), *screens), figure, about(options), log_log(figure))


def sentences(table: pd.DataFrame) -> tuple[str, ...]:
    """The best rate of our loop for each model and precision."""
    found = []
    for predictor, precision, rows in _by_model(table):
        best = rows.loc[rows["ours_candidate_steps_per_s"].idxmax()]
        found.append(
            f"With {NAMES[predictor]} in {precision}: {best['ours_candidate_steps_per_s']:,.0f} candidate-steps per "
            f"second with {best['candidates']:,.0f} candidates, {best['ratio']:.1f} times the reference loop."
        )
    return tuple(found)


def speed_figure(table: pd.DataFrame) -> dict:
    """Candidate-steps per second against candidates; the reference loop is in float32 only."""
    series = {
        _label(predictor, precision, side): (rows["candidates"], rows[f"{prefix}_candidate_steps_per_s"])
        for predictor, precision, rows in _by_model(table)
        for side, prefix in COLUMN_PREFIXES.items()
        if side == OURS or precision == FLOAT32
    }
    return figures.lines(series, "candidates", "candidate-steps per second", log=True)


def _by_model(table: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Predictor, precision and their rows, in the order of the table."""
    columns = ["models", "precision"]
    for predictor, precision in table[columns].drop_duplicates().itertuples(index=False):
        yield predictor, precision, table[(table["models"] == predictor) & (table["precision"] == precision)]


def _label(predictor: str, precision: str, side: str) -> str:
    return f"{NAMES[predictor]}, {side if precision == FLOAT32 else precision}"


def about(options: SpeedOptions) -> dict:
    """The options and the hardware of the measurement, as JSON data."""
    device = resolve_device(options.device)
    return {
        "steps": list(options.steps), "device": options.device, "threads": torch.get_num_threads(),
        "processor": torch.cuda.get_device_name(device) if device.type == "cuda"
        else torch.backends.cpu.get_cpu_capability(),
        "torch": torch.__version__,
    }  # fmt: skip


def _problem(predictor: str, candidates: int, options: SpeedOptions) -> DesignProblem:
    models = MODELS[predictor]
    return DesignProblem(
        base=BASE, settings=replace(PAPER, candidates=candidates, steps=options.steps), device=options.device,
        tc_predictor=models.tc, formation_energy_predictor=models.formation_energy,
    )  # fmt: skip


def _compared(problem: DesignProblem, options: SpeedOptions) -> dict:
    """One line: rates of both sides, their ratio, largest differences, memory. The reference is always in float32."""
    tasks = {side: prepare_side(problem, side) for side in COLUMN_PREFIXES}
    seconds: dict[str, list[float]] = {side: [] for side in tasks}
    for _ in range(options.repeats):
        for side, (task, device) in tasks.items():
            seconds[side].append(RUNS[side](task, device)[0])
    work = problem.settings.candidates * sum(options.steps)
    rates = {side: work / min(times) for side, times in seconds.items()}
    line = {f"{COLUMN_PREFIXES[side]}_candidate_steps_per_s": rate for side, rate in rates.items()}
    line["ratio"] = rates[OURS] / rates[REFERENCE]
    ours, device = tasks[OURS]
    line |= _differences(tasks[REFERENCE][0], ours, our_run(ours, device)[1])
    if options.memory:
        line |= {f"{prefix}_peak_MB": peak_memory(problem, side) for side, prefix in COLUMN_PREFIXES.items()}
    return line


def prepare_side(problem: DesignProblem, side: str) -> tuple[Task, torch.device]:
    """The task of one side, and the device."""
    design = (prepare_reference if side == REFERENCE else prepare)(problem)
    return design.task, design.predictors.device


def reference_run(task: Task, device: torch.device) -> tuple[float, torch.Tensor]:
    """Seconds of both stages of the reference loop without initialisation, and the final compositions (batch, 118)."""
    return timed(ReferenceLoop.begin(task).run, device)


def our_run(task: Task, device: torch.device) -> tuple[float, torch.Tensor]:
    """Seconds of both stages of our optimiser without initialisation, and the final compositions (batch, 118)."""
    start = optimiser.init(task)
    seconds, (state, _) = timed(lambda: optimise(task, start), device)
    return seconds, optimiser.evaluate(task, state).composition


RUNS = {REFERENCE: reference_run, OURS: our_run}


def _differences(reference: Task, ours: Task, compositions: torch.Tensor) -> dict:
    """Largest difference between the values that the two sides predict for the same compositions, in mK and meV."""
    columns = {"largest_tc_difference_mK": "tc", "largest_energy_difference_meV_per_atom": "formation_energy"}
    found = {}
    for column, part in columns.items():
        first, second = (predict_in_batches(getattr(task, part), compositions) for task in (reference, ours))
        found[column] = 1e3 * float(np.abs(first - second).max())
    return found


def peak_memory(problem: DesignProblem, side: str) -> float:
    """Peak memory (MB) of a process that runs only this side; on a GPU, of the memory allocated by torch."""
    context = multiprocessing.get_context("spawn")
    receive, send = context.Pipe(duplex=False)
    process = context.Process(target=_send_peak_memory, args=(problem.to_json(), side, send))
    process.start()
    send.close()
    try:
        return receive.recv()
    finally:
        process.join()


def _send_peak_memory(problem_json: str, side: str, send: Connection) -> None:
    task, device = prepare_side(DesignProblem.from_json(problem_json), side)
    RUNS[side](task, device)
    peak = torch.cuda.max_memory_allocated(device) if device.type == "cuda" else _peak_bytes()
    send.send(peak / MB)


def _peak_bytes() -> int:
    """Peak memory of this process. On Linux `getrusage` would include the parent's memory at the start."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    import resource  # not on Windows

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


# Screens.


def screening_times(screened: int = SCREENED, on_hull: int = ON_HULL) -> tuple[str, ...]:
    """Sentences on the time of the screens for large compositions, without the time to build the hull."""
    problem = DesignProblem(base=BASE)
    known = set.intersection(*(set(symbols) for symbols in known_by(problem).values()))
    hull = load_references().hull(problem.formation_energy_predictor)
    counts = random_counts(screened, SCREENED_ELEMENTS, known)
    began = time.perf_counter()
    charge_balance(counts)
    screens = time.perf_counter() - began
    x = random_counts(on_hull, HULL_ELEMENTS, known)
    x = x / x.sum(1, keepdims=True)
    began = time.perf_counter()
    hull.distances(x, np.full(on_hull, -1.0))
    distances = time.perf_counter() - began
    return (
        f"Charge balance of {screened:,} compositions of nine elements: {screens:.2f} s.",
        f"Hull distances of {on_hull:,} compositions of seven elements, {len(hull):,} references: {distances:.2f} s.",
    )


def random_counts(n: int, n_elements: int, known: set[str], seed: int = 0) -> np.ndarray:
    """Whole atoms (n, 118): `n_elements` of the known elements in each row, 1 to 10 atoms of each, uniformly drawn."""
    random = np.random.default_rng(seed)
    index = [e.index for e in elements.all_elements() if e.symbol in known and e.oxidation_states]
    counts = np.zeros((n, elements.N_ELEMENTS), dtype=np.int64)
    for row in counts:
        row[random.choice(index, size=n_elements, replace=False)] = random.integers(1, 11, size=n_elements)
    return counts
