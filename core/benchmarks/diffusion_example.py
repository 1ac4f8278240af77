"""An example for teaching: a few samples of SuperDiff from noise to compositions, with and without a base."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import torch

from core.benchmarks import diffusion, figures
from core.benchmarks.harness import Options, Outcome
from core.benchmarks.paper import SUPERDIFF
from core.evaluation.design import prepare
from core.generation.diffusion import formulas, sampler
from core.generation.diffusion.guidance import normalised
from core.generation.diffusion.sampler import State, Task
from core.generation.diffusion.settings import UNCONDITIONED
from core.predictors.interface import predict_in_batches

BASE = "YBa2Cu3O7"
EXAMPLES = {"without a base": UNCONDITIONED, f"conditioned on {BASE}": "3"}  # example -> scale factor
SAMPLES, RECORDED = 4, 16
DIGITS = 2


def example(options: Options) -> Outcome:
    """Amounts, formula, Tc and formation energy of each sample after every few steps."""
    table = pd.concat([_recorded(name, factor, options) for name, factor in EXAMPLES.items()], ignore_index=True)
    medians = {
        str(name): (list(found.index), list(found))
        for name, part in table.groupby("example", sort=False)
        for found in [part.groupby("step")["tc_K"].median()]
    }
    figure = figures.lines(medians, "denoising step", "median predicted Tc (K)")
    return Outcome(table, sentences(table), figure, diffusion.about_alone(options, [BASE], SAMPLES) | {"bases": [BASE]})


def sentences(table: pd.DataFrame) -> tuple[str, ...]:
    """What the samples become."""
    last = table[table["step"] == table["step"].max()]
    return tuple(f"{name}: {', '.join(part['formula'])}." for name, part in last.groupby("example", sort=False))


def _recorded(name: str, factor: str, options: Options) -> pd.DataFrame:
    posed = diffusion.problem(BASE, SUPERDIFF, 0, options)
    posed = replace(
        posed, settings=replace(posed.settings, candidates=SAMPLES),
        method_settings={**posed.method_settings, "scale_factors": factor},
    )  # fmt: skip
    task: Task = prepare(posed).task
    state, steps, rows = sampler.init(task), len(task.schedule), []
    recorded = set(np.linspace(0, steps, RECORDED + 1).round().astype(int).tolist())
    for step in range(steps + 1):
        if step in recorded:
            rows += [{"example": name, "step": step, **row} for row in _rows(task, state.amounts, steps - step)]
        if step < steps:
            state = State(state.step + 1, sampler.moves(task, state).conditioned)
    return pd.DataFrame(rows)


def _rows(task: Task, amounts: torch.Tensor, left: int) -> list[dict]:
    """One row for each sample with amounts (batch, 96), `left` steps before the end."""
    fractions = normalised(amounts, task.guidance.known)
    tc, energy = (predict_in_batches(predictor, fractions) for predictor in (task.tc, task.formation_energy))
    noise = float(np.sqrt(1 - task.schedule.signal[left - 1])) if left else 0.0
    texts = formulas.at_any_step(amounts.cpu().numpy())
    return [
        {
            "noise": noise, "sample": k + 1, "formula": texts[k], "tc_K": tc[k],
            "formation_energy_eV_per_atom": energy[k],
            "amounts": json.dumps([round(amount, DIGITS) + 0.0 for amount in amounts[k].tolist()]),
        }
        for k in range(len(amounts))
    ]  # fmt: skip
