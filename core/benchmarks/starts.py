"""KIAGO's figure 3: stage 1 from a known superconductor, and from random mixtures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from core.benchmarks import figures
from core.benchmarks.harness import Options, Outcome, cached, mean_and_spread
from core.evaluation.design import prepare
from core.generation.gradient.generator import optimise
from core.generation.gradient.optimiser import Report, State
from core.problem.settings import BASE, RANDOM

MATERIAL, LEARNING_RATE = "LaNiAsO", 0.001
RECORDS = 20  # recorded steps of stage 1, besides the first
# A random start has four elements, as LaNiAsO and in the text of KIAGO 3.2; the caption of the figure gives seven.
FROM_KNOWN, FROM_RANDOM = "from LaNiAsO", "from random mixtures"
STARTS = {FROM_KNOWN: BASE, FROM_RANDOM: RANDOM}
STATISTICS = ("mean", "low", "median", "high")


def figure3(options: Options) -> Outcome:
    """Tc of all candidates against the step of stage 1, for both kinds of start, averaged over the seeds."""
    lines = []
    for start in STARTS:
        histories = [_tc_history(start, seed, options) for seed in range(options.seeds)]
        for place, step in enumerate(map(int, histories[0]["step"])):
            line = {"start": start, "step": step}
            for name in STATISTICS:
                line[f"tc_{name}_K"], spread = mean_and_spread([history[name][place] for history in histories])
                if name == "mean":
                    line["tc_mean_spread_K"] = spread
            lines.append(line)
    table = pd.DataFrame(lines)
    columns = {f"tc_{name}_K": name for name in STATISTICS}
    courses = {start: table[table["start"] == start].rename(columns=columns) for start in STARTS}
    figure = figures.bands(courses, "step of stage 1", "Tc (K)")
    return Outcome(table, sentences(table), figure, options.about())


def sentences(table: pd.DataFrame) -> tuple[str, ...]:
    """The conclusion from the table of `figure3`."""
    last = table[table["step"] == table["step"].max()].set_index("start")["tc_mean_K"]
    return (
        f"After stage 1 the mean Tc is {last[FROM_KNOWN]:.1f} K {FROM_KNOWN} and {last[FROM_RANDOM]:.1f} K "
        f"{FROM_RANDOM}; the paper shows the same two distributions and finds the first higher.",
    )


def _tc_history(start: str, seed: int, options: Options) -> dict[str, list[float]]:
    """Mean, 5th percentile, median and 95th percentile of Tc over the candidates, at RECORDS + 1 steps."""
    settings = replace(options.settings, learning_rate=LEARNING_RATE, steps=(options.steps[0], 0), start=STARTS[start])

    def make() -> dict:
        task = prepare(options.problem(MATERIAL, seed, settings=settings)).task
        recorder = _Recorder(settings.steps[0])
        optimise(task, on_step=recorder)
        return recorder.history

    return cached(["figure3", start, seed, settings, options.models], options, make)


class _Recorder:
    """Records the statistics of Tc at evenly spaced steps; called by `optimise`."""

    def __init__(self, steps: int):
        self.at = set(np.unique(np.linspace(0, steps - 1, RECORDS + 1).round().astype(int)).tolist())
        self.history: dict[str, list[float]] = {name: [] for name in ("step", *STATISTICS)}

    def __call__(self, state: State, report: Report) -> bool:
        """Record one step; always true, so that the optimisation continues."""
        if report.step in self.at:
            tc = report.tc_K.cpu().double().numpy()
            low, median, high = np.percentile(tc, (5, 50, 95))
            for name, value in zip(self.history, (report.step, tc.mean(), low, median, high), strict=True):
                self.history[name].append(float(value))
        return True
