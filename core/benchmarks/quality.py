"""Time to quality: the time that ours takes to match the reference loop with 4,096 candidates and 1,000 steps.

Quality is the mean objective, -Tc + alpha Ef of the integer formula, of the best 30 distinct formulas found so far.
Ours works in rounds, small runs with different seeds, and keeps the best formulas of all rounds. The time for measuring
the quality is not counted, on either side.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import torch

from core.benchmarks import figures
from core.benchmarks.harness import Options, Outcome, cached
from core.benchmarks.paper import TOP
from core.benchmarks.reference_loop import ReferenceLoop, prepare_reference
from core.errors import InputError
from core.evaluation.design import prepare
from core.generation.gradient.generator import optimise
from core.generation.gradient.optimiser import Report, State, Task
from core.generation.rounding import round_compositions
from core.predictors.interface import predict_in_batches
from core.problem.settings import OptimiserSettings

BASES = ("LaFeAsO", "YBa2Cu3O7")
MEASUREMENTS = 20  # of the quality, evenly spaced, of the reference loop and of each of our rounds
MOST_ROUNDS = 200


@dataclass
class Best:
    """The best distinct formulas so far, and a clock that is stopped during measurements.

    target : quality (K) at which to stop; None: no target
    patience_s : time limit in seconds
    objectives : counts as bytes -> objective (K)
    course : (seconds, quality) at each measurement
    """

    task: Task
    target: float | None = None
    patience_s: float = float("inf")
    objectives: dict[bytes, float] = field(default_factory=dict)
    course: list[tuple[float, float]] = field(default_factory=list)
    spent_s: float = 0.0
    started: float = 0.0

    def start(self) -> None:
        """Start the clock."""
        self._synchronize()
        self.started = time.perf_counter()

    def measure(self, compositions: torch.Tensor) -> bool:
        """Add compositions (batch, 118); false if the target or the time limit is reached. Pauses the clock."""
        self._synchronize()
        self.spent_s += time.perf_counter() - self.started
        self._add(compositions)
        self.course.append((self.spent_s, self.quality))
        self.start()
        return not self.ended

    @property
    def reached(self) -> bool:
        """Whether the quality is as good as the target."""
        return self.target is not None and self.quality <= self.target

    @property
    def ended(self) -> bool:
        """Whether the target or the time limit is reached."""
        return self.reached or self.spent_s > self.patience_s

    @property
    def quality(self) -> float:
        """Mean objective (K) of the best TOP formulas, lower is better; infinite while there are fewer."""
        best = sorted(self.objectives.values())[:TOP]
        return float(np.mean(best)) if len(best) == TOP else float("inf")

    def _add(self, compositions: torch.Tensor) -> None:
        x = compositions.detach().cpu().numpy().astype(np.float64)
        x = x[np.isfinite(x).all(1) & np.isclose(x.sum(1), 1)]
        atoms = self.task.atom_counts.long().tolist()
        counts = np.unique(round_compositions(x, np.zeros(x.shape[1]), atoms).counts, axis=0)
        new = [row for row in counts if row.tobytes() not in self.objectives]
        if not new:
            return
        on_device = torch.from_numpy(np.stack(new) / np.stack(new).sum(1, keepdims=True)).float()
        on_device = on_device.to(compositions.device)
        weight = self.task.settings.formation_energy_weight
        tc, energy = (predict_in_batches(p, on_device) for p in (self.task.tc, self.task.formation_energy))
        self.objectives |= {row.tobytes(): float(v) for row, v in zip(new, -tc + weight * energy, strict=True)}

    def _synchronize(self) -> None:
        if self.task.constraints.fixed.is_cuda:
            torch.cuda.synchronize()


def time_to_quality(options: Options) -> Outcome:
    """For each base: seconds and quality of the reference loop, seconds that ours needs for it, and the ratio.

    Raises InputError for a base that is not in BASES.
    """
    unknown = [base for base in options.bases if base not in BASES]
    if unknown:
        raise InputError("bases", unknown[0], "this benchmark has no such base", f"Choose from {', '.join(BASES)}")
    options = replace(options, extra_checkpoints=())  # neither the control model nor the hull is used
    lines, series = [], {}
    for base in options.bases or BASES:
        reference = _reference(base, options)
        ours = _ours(base, reference, options)
        for side, found in (("reference", reference), ("ours", ours)):
            shown = [(t, -q) for t, q in found["course"] if np.isfinite(q)]
            series[f"{base}, {side}"] = ([t for t, _ in shown], [q for _, q in shown])
        lines.append(
            {"base": base, "plain_s": reference["seconds"], "plain_objective_K": reference["quality"],
             "ours_s": ours["seconds"], "ours_objective_K": ours["quality"], "ours_rounds": ours["rounds"],
             "reached": ours["reached"], "ratio": reference["seconds"] / ours["seconds"]}
        )  # fmt: skip
    table = pd.DataFrame(lines)
    figure = figures.lines(series, "seconds", "mean Tc - αEf of the best 30 (K)")
    figure["layout"]["xaxis"]["type"] = "log"
    about = {name: value for name, value in options.about().items() if name != "seeds"}  # each round has its own
    return Outcome(table, sentences(table), figure, about | {"threads": torch.get_num_threads()})


def sentences(table: pd.DataFrame) -> tuple[str, ...]:
    """The conclusions from the table of `time_to_quality`, one for each base."""
    return tuple(
        f"{row['base']}: as good as the reference loop after {row['ours_s']:.0f} s instead of {row['plain_s']:.0f} s, "
        f"{row['ratio']:.1f} times as fast." if row["reached"] else
        f"{row['base']}: ours was not as good as the reference loop in the same {row['plain_s']:.0f} s."
        for row in table.to_dict("records")
    )  # fmt: skip


def _reference(base: str, options: Options) -> dict:
    """Result of the complete reference loop."""
    key = ["time to quality", base, "plain", options.settings, torch.get_num_threads(), options.models]

    def make() -> dict:
        task = prepare_reference(options.problem(base, 0)).task
        best, every = Best(task), max(1, sum(options.steps) // MEASUREMENTS)
        best.start()
        loop, total = ReferenceLoop.begin(task), sum(options.steps)
        loop.run(lambda step, x: best.measure(x) if step % every == 0 and step < total else True)
        best.measure(task.constraints.compose(loop.x_base.detach(), loop.mask))
        return _found(best, 1)

    return cached(key, options, make)


def _ours(base: str, reference: dict, options: Options) -> dict:
    """Result of our rounds up to the quality or the time of the reference loop."""
    from_the_paper = ("formation_energy_weight", "n_unit", "max_elements", "risk_aversion")
    same = {name: getattr(options.settings, name) for name in from_the_paper}
    settings = replace(OptimiserSettings(), **same)
    every = max(1, sum(settings.steps) // MEASUREMENTS)
    task = prepare(options.problem(base, 0, settings=settings)).task
    best = Best(task, reference["quality"], reference["seconds"])
    rounds = 0
    while rounds < MOST_ROUNDS and not best.ended:
        if rounds:
            task = prepare(options.problem(base, rounds, settings=settings)).task
        best.start()

        def measure(state: State, report: Report) -> bool:
            return bool(report.step % every) or best.measure(report.composition)

        state, _ = optimise(task, on_step=measure)
        best.measure(task.constraints.compose(state.x_base, state.max_mask))
        rounds += 1
    return _found(best, rounds)


def _found(best: Best, rounds: int) -> dict:
    return {
        "seconds": best.spent_s, "quality": best.quality, "rounds": rounds, "reached": best.reached,
        "course": best.course,
    }  # fmt: skip
