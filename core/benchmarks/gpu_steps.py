"""Steps per second of the reference loop and of ours on one device, with their kernels, memory and limits."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import cached_property

import torch

from core.benchmarks.gpu_limits import DeviceLimits, Work, counted
from core.benchmarks.reference_loop import ReferenceLoop
from core.benchmarks.timing import timed
from core.evaluation.design import prepare
from core.generation.gradient import optimiser
from core.generation.gradient.batch_parallel import BatchParallel
from core.generation.gradient.device_steps import Buffers, step_in_place
from core.generation.gradient.generator import STEP_BATCH_ON_GPU, optimise
from core.generation.gradient.optimiser import State, Task
from core.generation.loop import ONE_BY_ONE
from core.predictors.device import matmul_precision, resolve_device
from core.predictors.interface import Predictor
from core.predictors.registry import load_as_trained, load_predictor
from core.problem.problem import DesignProblem
from core.problem.settings import FLOAT32

GB = 1e9
NOT_MEASURED = math.nan
CAPTURED = "CUDA graphs"


@dataclass(frozen=True)
class StepCounts:
    """Steps of each stage that are timed: of ours and of the reference loop."""

    ours: int
    reference: int


class Bench:
    """Measures the steps of a problem with one pair of models; they are loaded and the starts are drawn once.

    problem : with the largest number of candidates
    """

    def __init__(self, problem: DesignProblem):
        self.problem, self.device = problem, resolve_device(problem.device)
        self._loaded: dict[tuple[Callable, str], Predictor] = {}

    @cached_property
    def start(self) -> State:
        """The first state of all candidates."""
        return optimiser.init(self.task(self.problem.settings.candidates, 1, self.problem.precision, load_predictor))

    def task(self, candidates: int, steps: int, precision: str, load: Callable[[str], Predictor]) -> Task:
        """The task with `steps` steps in each stage."""
        settings = replace(self.problem.settings, candidates=candidates, steps=(steps, steps))
        problem = replace(self.problem, settings=settings, precision=precision)
        return prepare(problem, lambda name: self._load(load, name)).task

    def line(self, candidates: int, precision: str, counts: StepCounts, limits: DeviceLimits) -> dict:
        """One line of the table: the reference loop in float32, ours in this precision, in the limits of the device."""
        start = State(
            **{f.name: getattr(self.start, f.name)[:candidates] for f in fields(State) if f.name != "step"},
            step=self.start.step,
        )
        reference = self._reference(self.task(candidates, counts.reference, FLOAT32, load_as_trained), start)
        ours = self._ours(self.task(candidates, counts.ours, precision, load_predictor), start)
        return {
            "precision": precision,
            "candidates": candidates,
            "plain_steps_per_s": 1 / reference["step_s"],
            "ours_steps_per_s": 1 / ours["step_s"],
            "ratio": reference["step_s"] / ours["step_s"],
            **_in_limits(ours["work"], ours["step_s"], limits),
            "plain_kernels_per_step": reference["kernels"],
            "ours_kernels_per_step": ours["kernels"],
            "ours_launches_per_step": 1 if ours["execution"] == CAPTURED else ours["kernels"],
            "plain_peak_GB": reference["peak_GB"],
            "ours_peak_GB": ours["peak_GB"],
            "execution": ours["execution"],
        }

    def _load(self, load: Callable[[str], Predictor], name: str) -> Predictor:
        if (load, name) not in self._loaded:
            self._loaded[load, name] = load(name)
        return self._loaded[load, name]

    def _reference(self, task: Task, start: State) -> dict:
        def loop(task: Task = task) -> ReferenceLoop:
            return ReferenceLoop(task, start.x_base.clone().requires_grad_(True))

        self._reset_peak()
        loop().run()
        seconds, _ = timed(loop().run, self.device)
        peak = self._peak_GB()
        one = loop(replace(task, settings=replace(task.settings, steps=(1, 0))))
        return {
            "step_s": seconds / sum(task.settings.steps),
            "peak_GB": peak,
            "kernels": _kernels(one.run, self.device),
        }

    def _ours(self, task: Task, start: State) -> dict:
        self._reset_peak()
        optimise(task, start)  # captures the graphs
        seconds, _ = timed(lambda: optimise(task, start), self.device)
        peak = self._peak_GB()
        step = _one_step(task, start)
        return {
            "step_s": seconds / sum(task.settings.steps),
            "peak_GB": peak,
            "kernels": _kernels(step, self.device),
            "work": counted(step),
            "execution": ONE_BY_ONE if task.device_steps is None else task.device_steps.execution,
        }

    def _reset_peak(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats(self.device)

    def _peak_GB(self) -> float:
        return torch.cuda.max_memory_allocated(self.device) / GB if self.device.type == "cuda" else NOT_MEASURED


def _in_limits(work: Work, step_s: float, limits: DeviceLimits) -> dict[str, float]:
    return {
        "GFLOP_per_step": work.flops / 1e9,
        "GB_per_step": work.bytes / GB,
        "share_of_arithmetic": work.flops / limits.flops_per_s / step_s,
        "share_of_bandwidth": work.bytes / limits.bytes_per_s / step_s,
        "times_the_limit": step_s / limits.seconds(work),
    }


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
    """Number of kernels and copies that `work` launches; not a number where the profiler cannot see them."""
    if device.type != "cuda":
        return NOT_MEASURED
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
        work()
        torch.cuda.synchronize(device)
    count = sum(event.device_type == torch.autograd.DeviceType.CUDA for event in profile.events())
    return count or NOT_MEASURED
