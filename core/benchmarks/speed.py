"""How fast: candidate-steps per second of the plain loop and of ours, in one process on the same weights; screens."""

from __future__ import annotations

import multiprocessing
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from core.benchmarks import figures
from core.benchmarks.harness import Outcome
from core.benchmarks.reference_loop import PlainLoop, prepare_plain
from core.benchmarks.speed_figure import log_log
from core.chemistry import elements
from core.evaluation.design import prepare
from core.generation.gradient import optimiser
from core.generation.gradient.generator import optimise
from core.generation.gradient.optimiser import Task
from core.generation.validation import known_by
from core.predictors.device import resolve_device
from core.predictors.interface import predict_in_batches
from core.predictors.layers.bfloat16 import processor_multiplies_bfloat16
from core.problem.problem import MODELS, DesignProblem
from core.problem.settings import BFLOAT16, FLOAT32, PAPER
from core.reference_data.references import load_references
from core.screening.charge_neutrality import charge_balance

BASE = "LaFeAsO"
SCREENED, SCREENED_ELEMENTS = 4096, 9
ON_HULL, HULL_ELEMENTS = 500, 7
MB = 1e6
NAMES = {"published": "ResNet18 and ElemNet", "best": "our best models"}
IN_BFLOAT16 = {"published"}  # models that have such a form


@dataclass(frozen=True)
class SpeedOptions:
    """What is measured.

    candidates : sizes of a batch
    steps : of the two stages, in each repeat
    repeats : the fastest counts; both sides take turns, so that a busy moment harms both
    predictors : keys of `MODELS`
    memory : also measure the peak memory, each in a process of its own
    """

    candidates: tuple[int, ...] = (256, 1024, 4096)
    steps: tuple[int, int] = (10, 10)
    repeats: int = 3
    device: str = "auto"
    predictors: tuple[str, ...] = ("published", "best")
    memory: bool = True
    say: Callable[[str], None] = lambda line: None


def speed(options: SpeedOptions) -> Outcome:
    """The table of speeds, with the times of the screens in the sentences."""
    lines = []
    for predictor, precision, candidates in product(options.predictors, (FLOAT32, BFLOAT16), options.candidates):
        if precision == BFLOAT16 and not (predictor in IN_BFLOAT16 and processor_multiplies_bfloat16()):
            continue
        options.say(f"{predictor}, {precision}, {candidates:,} candidates")
        problem = _problem(predictor, candidates, options)
        measured = _compared(replace(problem, precision=precision), options)
        lines.append({"models": predictor, "precision": precision, "candidates": candidates, **measured})
    table = pd.DataFrame(lines)
    screens = screening_times()
    series = {
        _title(predictor, precision, side): (rows["candidates"], rows[f"{side}_candidate_steps_per_s"])
        for (predictor, precision), rows in table.groupby(["models", "precision"], sort=False)
        for side in (("plain", "ours") if precision == FLOAT32 else ("ours",))
    }
    figure = figures.lines(series, "candidates", "candidate-steps per second", log=True)
    return Outcome(table, (*_sentences(table), *screens), figure, about(options), log_log(figure))


def _title(predictor: str, precision: str, side: str) -> str:
    return f"{NAMES[predictor]}, {side if precision == FLOAT32 else precision}"


def about(options: SpeedOptions) -> dict:
    """What the figures were measured on."""
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
    """Both sides of one line: rates, their ratio, largest differences, memory. Plain is in float32 in any case."""
    plain, ours = prepare_plain(problem), prepare(problem).task
    device = plain.constraints.fixed.device
    seconds: dict[str, list[float]] = {"plain": [], "ours": []}
    for _ in range(options.repeats):
        for side, run in (("plain", plain_run), ("ours", our_run)):
            seconds[side].append(run(plain if side == "plain" else ours, device)[0])
    work = problem.settings.candidates * sum(options.steps)
    rates = {side: work / min(times) for side, times in seconds.items()}
    line = {f"{side}_candidate_steps_per_s": rate for side, rate in rates.items()}
    line["ratio"] = rates["ours"] / rates["plain"]
    line |= _differences(plain, ours, our_run(ours, device)[1])
    if options.memory:
        line |= {f"{side}_peak_MB": peak_memory(problem, side) for side in seconds}
    return line


def plain_run(task: Task, device: torch.device) -> tuple[float, torch.Tensor]:
    """Seconds of both stages of the plain loop, first guesses not counted, and the compositions reached."""
    loop = PlainLoop.begin(task)
    return _timed(loop.run, device)


def our_run(task: Task, device: torch.device) -> tuple[float, torch.Tensor]:
    """The same by our optimiser."""
    start = optimiser.init(task)
    seconds, (state, _) = _timed(lambda: optimise(task, start), device)
    return seconds, optimiser.evaluate(task, state).composition


def _timed(work: Callable[[], object], device: torch.device) -> tuple[float, object]:
    _wait(device)
    began = time.perf_counter()
    result = work()
    _wait(device)
    return time.perf_counter() - began, result


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _differences(plain: Task, ours: Task, compositions: torch.Tensor) -> dict:
    """Largest difference between the values that the two sides report of the same compositions, in thousandths."""
    columns = {"largest_tc_difference_mK": "tc", "largest_energy_difference_meV_per_atom": "formation_energy"}
    found = {}
    for column, part in columns.items():
        sides = [predict_in_batches(getattr(task, part), compositions) for task in (plain, ours)]
        found[column] = 1e3 * float(np.abs(sides[0] - sides[1]).max())
    return found


def peak_memory(problem: DesignProblem, side: str) -> float:
    """Peak memory in MB of a process that does nothing else; on a GPU, of what torch allocated there."""
    context = multiprocessing.get_context("spawn")
    receive, send = context.Pipe(duplex=False)
    process = context.Process(target=_report_memory, args=(problem.to_json(), side, send))
    process.start()
    send.close()
    try:
        return receive.recv()
    finally:
        process.join()


def _report_memory(problem_json: str, side: str, send) -> None:
    problem = DesignProblem.from_json(problem_json)
    task = prepare_plain(problem) if side == "plain" else prepare(problem).task
    device = task.constraints.fixed.device
    (plain_run if side == "plain" else our_run)(task, device)
    if device.type == "cuda":
        send.send(torch.cuda.max_memory_allocated(device) / MB)
        return
    send.send(_peak_bytes() / MB)


def _peak_bytes() -> int:
    """Peak memory of this process. What `getrusage` says on Linux includes the parent's before the start."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    import resource  # not on Windows

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


# Screens.


def screening_times(screened: int = SCREENED, on_hull: int = ON_HULL) -> tuple[str, ...]:
    """Sentences on how long the screens of large compositions take; the hull is built before."""
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
    """Whole atoms (n, 118): so many elements in each row, 1 to 10 atoms of each, all equally likely."""
    random = np.random.default_rng(seed)
    index = [e.index for e in elements.all_elements() if e.symbol in known and e.oxidation_states]
    counts = np.zeros((n, elements.N_ELEMENTS), dtype=np.int64)
    for row in counts:
        row[random.choice(index, size=n_elements, replace=False)] = random.integers(1, 11, size=n_elements)
    return counts


def _sentences(table: pd.DataFrame) -> tuple[str, ...]:
    found = []
    for (predictor, precision), rows in table.groupby(["models", "precision"], sort=False):
        best = rows.loc[rows["ours_candidate_steps_per_s"].idxmax()]
        found.append(
            f"With {NAMES[predictor]} in {precision}: {best['ours_candidate_steps_per_s']:,.0f} candidate-steps per "
            f"second with {best['candidates']:,.0f} candidates, {best['ratio']:.1f} times the plain loop."
        )
    return tuple(found)
