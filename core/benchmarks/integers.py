"""KIAGO's table 1: what whole numbers of atoms cost in Tc, by the integer loss and by rounding."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch

from core import optimiser
from core.benchmarks import figures
from core.benchmarks.bench import Options, Outcome, kept, mean_and_spread
from core.benchmarks.paper import integer_materials, rows
from core.design import optimise, prepare
from core.judge import load_judge
from core.optimiser import State, Task
from core.predictors.interface import predict_in_batches
from core.rounding import round_compositions

WAYS = {
    "integer_loss": "drawn to the grid by the integer loss, stage 2",
    "rule": "the paper's rule: times the largest number of atoms, each rounded",
    "nearest": "rounded to the nearest formula of any number of atoms up to it",
}


def table1(options: Options) -> Outcome:
    """Mean change in Tc from the compositions of stage 1 to integer formulas, over all materials and seeds."""
    sizes = [row["max_atoms"] for row in rows("table1")]
    materials = integer_materials(options.bases)
    parts = [[_changes(base, seed, sizes, options) for base in materials] for seed in range(options.seeds)]
    lines = []
    for row in rows("table1"):
        size = str(row["max_atoms"])
        line = {"max_atoms": row["max_atoms"]}
        for way in WAYS:
            for view in ("tc", "judge"):
                of_seeds = [float(np.mean([part[size][way][view] for part in seed])) for seed in parts]
                ending = "_K" if view == "tc" else "_judge_K"
                line[f"{way}{ending}"], spread = mean_and_spread(of_seeds)
                if view == "tc":
                    line[f"{way}_spread_K"] = spread
        lines.append({**line, "paper_integer_loss_K": row["integer_loss_K"], "paper_rule_K": row["rule_K"]})
    table = pd.DataFrame(lines)
    ahead = int((table["integer_loss_K"] > table["rule_K"]).sum())
    ahead_nearest = int((table["integer_loss_K"] > table["nearest_K"]).sum())
    sentences = (
        f"The integer loss costs less Tc than the paper's rounding at {ahead} of {len(table)} sizes here, and at "
        f"{len(table)} of {len(table)} in the paper.",
        f"Rounding to the best of all smaller numbers of atoms as well is a harder rival: ahead at {ahead_nearest} of "
        f"{len(table)}.",
    )
    return Outcome(table, sentences, _figure(table), {**options.about(), "materials": list(materials)})


@dataclass(frozen=True)
class _Border:
    """The border between the stages: the state, its compositions (n, 118), their Tc (K) and the judge's."""

    task: Task
    state: State
    compositions: np.ndarray
    tc_K: np.ndarray
    judge_K: np.ndarray


def _changes(base: str, seed: int, sizes: list[int], options: Options) -> dict:
    """Size -> way -> mean change in Tc by the model ("tc") and by the judge ("judge"), in K."""
    key = ["table1", base, seed, sizes, options.settings, options.models]

    def make() -> dict:
        border = _stage_1(base, seed, max(sizes), options)
        return {str(size): _at_size(border, size) for size in sizes}

    return kept(key, options, make)


def _stage_1(base: str, seed: int, largest: int, options: Options) -> _Border:
    settings = replace(options.settings, n_unit=(1, largest))
    task, _ = prepare(options.problem(base, seed, settings=settings))
    state, _ = optimise(task, on_step=lambda state, report: int(state.step) < settings.steps[0])
    everything = replace(state, max_mask=torch.ones_like(state.max_mask))
    compositions = optimiser.evaluate(task, everything).composition.cpu().numpy().astype(np.float64)
    return _Border(task, state, compositions, *_tc(task, compositions))


def _at_size(border: _Border, size: int) -> dict:
    atoms = np.arange(1, size + 1)
    numbers = torch.as_tensor(atoms, dtype=torch.float32, device=border.state.x_base.device)
    task = replace(border.task, atom_counts=numbers)
    state, _ = optimise(task, border.state)
    drawn = optimiser.evaluate(task, state).composition.cpu().numpy().astype(np.float64)
    alive = (task.constraints.alive(state.x_base, state.max_mask) & (state.restarts == border.state.restarts)).cpu()
    none_kept = np.zeros(drawn.shape[1])
    ways = {
        "integer_loss": (round_compositions(drawn[alive], none_kept, atoms).counts, alive.numpy()),
        "rule": by_rule(border.compositions, size),
        "nearest": (round_compositions(border.compositions, none_kept, atoms).counts, slice(None)),
    }
    return {way: _mean_change(border, *found) for way, found in ways.items()}


def by_rule(compositions: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """The rule of KIAGO 3.3: x N, each rounded to whole atoms. Returns counts of what is left, and which are left."""
    counts = np.round(compositions * size).astype(np.int64)
    left = counts.sum(1) > 0
    return counts[left], left


def _mean_change(border: _Border, counts: np.ndarray, which: np.ndarray | slice) -> dict:
    """Mean change from the border; which: the candidates that the counts are of."""
    tc, judge = _tc(border.task, counts / counts.sum(1, keepdims=True))
    return {
        "tc": float((tc - border.tc_K[which]).mean()),
        "judge": float((judge - border.judge_K[which]).mean()),
        "candidates": len(counts),
    }


def _tc(task: Task, compositions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    x = torch.from_numpy(compositions).float().to(task.constraints.fixed.device)
    return predict_in_batches(task.tc, x), load_judge().tc_K(compositions)


def _figure(table: pd.DataFrame) -> dict:
    named = {
        "integer loss, here": "integer_loss_K", "rule, here": "rule_K", "nearest, here": "nearest_K",
        "integer loss, paper": "paper_integer_loss_K", "rule, paper": "paper_rule_K",
    }  # fmt: skip
    series = {name: (table["max_atoms"], table[column]) for name, column in named.items()}
    return figures.lines(series, "largest number of atoms", "mean change in Tc (K)")
