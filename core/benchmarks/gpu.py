"""What a GPU brings: speed against the reference loop and against the limits of the card, memory, agreement, training.

With `--device cpu` the benchmark runs on the processor, to try it.
"""

from __future__ import annotations

import math
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product

import pandas as pd
import torch

from core.benchmarks import figures
from core.benchmarks.gpu_agreement import AgreementSize, agreement
from core.benchmarks.gpu_limits import DeviceLimits, Work, counted, device_limits
from core.benchmarks.harness import Outcome
from core.benchmarks.reference_loop import ReferenceLoop
from core.benchmarks.speed import BASE, NAMES, OURS, REFERENCE, prepare_side
from core.benchmarks.speed_figure import log_log
from core.benchmarks.timing import timed
from core.generation.gradient import optimiser
from core.generation.gradient.batch_parallel import BatchParallel
from core.generation.gradient.device_steps import Buffers, step_in_place
from core.generation.gradient.generator import STEP_BATCH_ON_GPU, optimise
from core.generation.gradient.optimiser import State, Task
from core.predictors.device import matmul_precision, resolve_device
from core.predictors.registry import MODELS
from core.problem.presets import PAPER
from core.problem.problem import DesignProblem
from core.problem.settings import FLOAT32, TFLOAT32

GB = 1e9
NOT_MEASURED = math.nan
CLOCKS = "name,driver_version,clocks.sm,clocks.mem,clocks.max.sm,clocks.max.mem,memory.total,power.limit"


@dataclass(frozen=True)
class GpuOptions:
    """Options of the GPU benchmark.

    candidates : batch sizes
    steps : of stage 1 and of stage 2 in the whole run with WHOLE_CANDIDATES candidates
    device : auto, cuda or cpu
    predictor : keys of `MODELS`
    log : called with one line before each measurement
    """

    candidates: tuple[int, ...] = (1024, 4096, 16_384)
    steps: tuple[int, int] = (500, 500)
    device: str = "auto"
    predictor: tuple[str, ...] = ("published", "best")
    log: Callable[[str], None] = lambda line: None

    @property
    def file_suffix(self) -> str:
        """Empty, because one table holds all predictors."""
        return ""

    @property
    def small(self) -> bool:
        """Whether this is a trial on the processor, with few steps."""
        return resolve_device(self.device).type == "cpu"


def gpu(options: GpuOptions) -> Outcome:
    """The table of speeds; agreement, the whole run and the trainings in the sentences and under `about`."""
    device = resolve_device(options.device)
    precisions = (FLOAT32, TFLOAT32) if device.type == "cuda" else (FLOAT32,)
    limits = {precision: device_limits(device, precision == TFLOAT32) for precision in precisions}
    lines = [
        _line(options, predictor, precision, candidates, limits[precision])
        for predictor, candidates in product(options.predictor, options.candidates)
        for precision in precisions
    ]
    table = pd.DataFrame(lines)
    runs = pd.DataFrame([_whole_run(options, predictor) for predictor in options.predictor])
    agreements = pd.DataFrame(_agreements(options, device))
    trainings = _trainings(options, device)
    figure = _figure(table)
    about = {
        "device": str(device),
        "card": _card(device),
        "torch": torch.__version__,
        "limits": {
            precision: {"matrix_product_TFLOP_per_s": each.flops_per_s / 1e12, "copy_GB_per_s": each.bytes_per_s / GB}
            for precision, each in limits.items()
        },
        "whole_runs": runs.to_dict("records"),
        "agreement_with_cpu": agreements.to_dict("records"),
        "trainings": trainings.to_dict("records"),
    }
    sentences = (*_sentences(table, runs), *_printed("Agreement with the CPU", agreements))
    return Outcome(table, (*sentences, *_printed("Trainings", trainings)), figure, about, log_log(figure))


def _printed(title: str, table: pd.DataFrame) -> tuple[str, ...]:
    """A table as sentences: one line for each row."""
    rows = table.to_dict("records")
    return tuple(f"{title}: " + ", ".join(f"{key} {_text(value)}" for key, value in row.items()) for row in rows)


def _text(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


# Speed.


def _line(options: GpuOptions, predictor: str, precision: str, candidates: int, limits: DeviceLimits) -> dict:
    """One line of the table: the reference loop in float32, ours in this precision."""
    options.log(f"{predictor}, {precision}, {candidates:,} candidates")
    steps = {OURS: (2, 2) if options.small else (100, 100), REFERENCE: (1, 1) if options.small else (5, 5)}
    sides = {}
    for side, each in steps.items():
        problem = _problem(options, predictor, precision, candidates, each)
        sides[side] = _measured(prepare_side(problem, side)[0], side, sum(each), resolve_device(options.device))
    ours, reference = sides[OURS], sides[REFERENCE]
    work: Work = ours["work"]
    limit_s = limits.seconds(work)
    return {
        "models": predictor,
        "precision": precision,
        "candidates": candidates,
        "plain_steps_per_s": 1 / reference["step_s"],
        "ours_steps_per_s": 1 / ours["step_s"],
        "ratio": reference["step_s"] / ours["step_s"],
        "GFLOP_per_step": work.flops / 1e9,
        "GB_per_step": work.bytes / GB,
        "share_of_arithmetic": work.flops / limits.flops_per_s / ours["step_s"],
        "share_of_bandwidth": work.bytes / limits.bytes_per_s / ours["step_s"],
        "times_the_limit": ours["step_s"] / limit_s,
        "plain_kernels_per_step": reference["kernels"],
        "ours_kernels_per_step": ours["kernels"],
        "ours_launches_per_step": 1 if ours["execution"] == "CUDA graphs" else ours["kernels"],
        "plain_peak_GB": reference["peak_GB"],
        "ours_peak_GB": ours["peak_GB"],
        "execution": ours["execution"],
    }


def _problem(
    options: GpuOptions, predictor: str, precision: str, candidates: int, steps: tuple[int, int]
) -> DesignProblem:
    models = MODELS[predictor]
    return DesignProblem(
        base=BASE, settings=replace(PAPER, candidates=candidates, steps=steps), device=options.device,
        precision=precision, tc_predictor=models.tc, formation_energy_predictor=models.formation_energy,
    )  # fmt: skip


def _measured(task: Task, side: str, steps: int, device: torch.device) -> dict:
    """Seconds per step after a first run that captures graphs, kernels per step, peak memory, cost of a step."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
    if side == REFERENCE:
        ReferenceLoop.begin(task).run()
        loop = ReferenceLoop.begin(task)
        seconds, _ = timed(loop.run, device)
        one = ReferenceLoop.begin(replace(task, settings=replace(task.settings, steps=(1, 0))))
        found = {"kernels": _kernels(one.run, device), "execution": "", "work": None}
    else:
        start = optimiser.init(task)
        optimise(task, start)
        seconds, _ = timed(lambda: optimise(task, start), device)
        execution = "one step at a time" if task.device_steps is None else task.device_steps.execution
        step = _one_step(task, start)
        found = {"kernels": _kernels(step, device), "execution": execution, "work": counted(step)}
    peak = torch.cuda.max_memory_allocated(device) / GB if device.type == "cuda" else NOT_MEASURED
    return {"step_s": seconds / steps, "peak_GB": peak, **found}


def _one_step(task: Task, start: State) -> Callable[[], None]:
    """One step of stage 2 with fixed shapes, launched operation by operation, as it is captured."""
    state = replace(optimiser.enter_stage_2(task, start), step=torch.tensor(task.settings.steps[0]))
    buffers = Buffers.like(task, state)
    most = task.settings.max_elements
    tc, energy = (member.capturable(most) for member in optimiser.step_members(task, 0))
    tf32 = task.device_steps is not None and task.device_steps.tf32
    task = replace(task, cores=BatchParallel(max_rows=STEP_BATCH_ON_GPU))  # in this thread, where it is counted

    def step() -> None:
        buffers.load(state)
        with matmul_precision(tf32, buffers.x_base.device):
            step_in_place(task, buffers, 2, (tc, energy), most)

    step()
    return step


def _kernels(work: Callable[[], object], device: torch.device) -> float:
    """Number of kernels that `work` launches; not a number where the profiler cannot see them."""
    if device.type != "cuda":
        return NOT_MEASURED
    activities = [torch.profiler.ProfilerActivity.CPU, torch.profiler.ProfilerActivity.CUDA]
    with torch.profiler.profile(activities=activities) as profile:
        work()
        torch.cuda.synchronize(device)
    kernels = sum(event.device_type == torch.autograd.DeviceType.CUDA for event in profile.events())
    return kernels or NOT_MEASURED


# A whole run.


def _whole_run(options: GpuOptions, predictor: str) -> dict:
    """Seconds of a whole run, with starts and capture, in the default precision of the device."""
    candidates = options.candidates[0] if options.small else PAPER.candidates
    steps = (2, 2) if options.small else options.steps
    options.log(f"{predictor}, {candidates:,} candidates, {sum(steps):,} steps")
    device = resolve_device(options.device)
    task, _ = prepare_side(_problem(options, predictor, "auto", candidates, steps), OURS)
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


def _agreements(options: GpuOptions, device: torch.device) -> Iterator[dict]:
    size = AgreementSize(4, 4, 4, 4) if options.small else AgreementSize()
    for predictor in options.predictor:
        options.log(f"{predictor}, agreement with the CPU")
        problem = _problem(options, predictor, FLOAT32, size.candidates, (1, 1))
        for row in agreement(problem, device, size):
            yield {"models": predictor, **row}


def _trainings(options: GpuOptions, device: torch.device) -> pd.DataFrame:
    return pd.DataFrame()


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
