"""Time to quality: how soon ours is as good as the plain loop is after 4,096 candidates and 1,000 steps.

Quality is the mean objective, -Tc + alpha Ef of the integer formula, of the best 30 distinct formulas met so far. Ours
works in rounds, each a small run with a seed of its own, and keeps the best of all rounds. Looking costs time that is
not counted, on either side.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import torch

from core.benchmarks import figures
from core.benchmarks.harness import Options, Outcome, kept
from core.benchmarks.paper import TOP
from core.benchmarks.reference_loop import PlainLoop, prepare_plain
from core.errors import InputError
from core.evaluation.design import prepare
from core.generation.gradient.generator import optimise
from core.generation.gradient.optimiser import Report, State, Task
from core.generation.rounding import round_compositions
from core.predictors.interface import predict_in_batches
from core.problem.settings import OptimiserSettings

BASES = ("LaFeAsO", "YBa2Cu3O7")
LOOKS = 20  # at the plain loop, evenly spread; ours is looked at as often in each round
MOST_ROUNDS = 200


@dataclass
class Best:
    """The best distinct formulas so far, and a clock that stands still while they are looked at.

    enough : stop when the quality is no worse than this; None: never
    patience_s : stop after so many seconds
    """

    task: Task
    enough: float | None = None
    patience_s: float = float("inf")
    objectives: dict[bytes, float] = field(default_factory=dict)
    course: list[tuple[float, float]] = field(default_factory=list)
    spent_s: float = 0.0
    resumed: float | None = None

    def start(self) -> None:
        """Let the clock run."""
        self._wait()
        self.resumed = time.perf_counter()

    def look(self, compositions: torch.Tensor) -> bool:
        """Take in compositions (batch, 118); false if it is enough."""
        self._wait()
        self.spent_s += time.perf_counter() - self.resumed
        self._add(compositions)
        self.course.append((self.spent_s, self.quality))
        self.start()
        return not (self.reached or self.spent_s > self.patience_s)

    @property
    def reached(self) -> bool:
        """Whether the quality is enough."""
        return self.enough is not None and self.quality <= self.enough

    @property
    def quality(self) -> float:
        """Mean objective (K) of the best TOP formulas; lower is better; infinite while there are fewer."""
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

    def _wait(self) -> None:
        if self.task.constraints.fixed.is_cuda:
            torch.cuda.synchronize()


def time_to_quality(options: Options) -> Outcome:
    """For each base: seconds and quality of the plain loop, seconds until ours is as good, and the ratio."""
    unknown = [base for base in options.bases if base not in BASES]
    if unknown:
        raise InputError("bases", unknown[0], "this benchmark has no such base", f"Choose from {', '.join(BASES)}")
    options = replace(options, beside=())  # nobody judges here, and there is no hull
    lines, series = [], {}
    for base in options.bases or BASES:
        plain = _plain(base, options)
        ours = _ours(base, plain, options)
        for side, found in (("plain", plain), ("ours", ours)):
            shown = [(t, -q) for t, q in found["course"] if np.isfinite(q)]
            series[f"{base}, {side}"] = ([t for t, _ in shown], [q for _, q in shown])
        lines.append(
            {"base": base, "plain_s": plain["seconds"], "plain_objective_K": plain["quality"],
             "ours_s": ours["seconds"], "ours_objective_K": ours["quality"], "ours_rounds": ours["rounds"],
             "reached": ours["reached"], "ratio": plain["seconds"] / ours["seconds"]}
        )  # fmt: skip
    table = pd.DataFrame(lines)
    sentences = tuple(
        f"{row.base}: as good as the plain loop after {row.ours_s:.0f} s instead of {row.plain_s:.0f} s, "
        f"{row.ratio:.1f} times as fast." if row.reached else
        f"{row.base}: ours was not as good as the plain loop in the same {row.plain_s:.0f} s."
        for row in table.itertuples()
    )  # fmt: skip
    figure = figures.lines(series, "seconds", "mean Tc - αEf of the best 30 (K)")
    figure["layout"]["xaxis"]["type"] = "log"
    about = {name: value for name, value in options.about().items() if name != "seeds"}  # each round has its own
    return Outcome(table, sentences, figure, about | {"threads": torch.get_num_threads()})


def _plain(base: str, options: Options) -> dict:
    """The plain loop to its end."""
    key = ["time to quality", base, "plain", options.settings, torch.get_num_threads(), options.models]

    def make() -> dict:
        task, _ = prepare_plain(options.problem(base, 0))
        best, every = Best(task), max(1, sum(options.steps) // LOOKS)
        best.start()
        loop, total = PlainLoop.begin(task), sum(options.steps)
        loop.run(lambda step, x: best.look(x) if step % every == 0 and step < total else True)
        best.look(task.constraints.compose(loop.x_base.detach(), loop.mask))
        return _found(best, 1)

    return kept(key, options, make)


def _ours(base: str, plain: dict, options: Options) -> dict:
    """Rounds until the quality is that of the plain loop, or its time is over."""
    fixed_by_the_problem = ("formation_energy_weight", "n_unit", "max_elements", "caution")
    same = {name: getattr(options.settings, name) for name in fixed_by_the_problem}
    settings = replace(OptimiserSettings(), **same)
    best, rounds = None, 0
    every = max(1, sum(settings.steps) // LOOKS)
    while rounds < MOST_ROUNDS and (best is None or not (best.reached or best.spent_s > best.patience_s)):
        task = prepare(options.problem(base, rounds, settings=settings)).task
        best = best or Best(task, plain["quality"], plain["seconds"])
        best.start()

        def look(state: State, report: Report, best: Best = best) -> bool:
            return bool(report.step % every) or best.look(report.composition)

        state, _ = optimise(task, on_step=look)
        best.look(task.constraints.compose(state.x_base, state.max_mask))
        rounds += 1
    return _found(best, rounds)


def _found(best: Best, rounds: int) -> dict:
    return {
        "seconds": best.spent_s, "quality": best.quality, "rounds": rounds, "reached": best.reached,
        "course": best.course,
    }  # fmt: skip
