"""The finished example run of the page Learn, and the compositions of a few of its candidates step by step."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from core.benchmarks import figures
from core.benchmarks.harness import Options, Outcome, finished_run
from core.chemistry import elements
from core.evaluation.design import generate, prepare
from core.generation.interface import Report
from core.paths import ASSETS
from core.predictors.control_model import load_control_model
from core.predictors.interface import predict_in_batches
from core.problem.problem import DesignProblem
from core.problem.settings import FLOAT32
from core.runs.example import STORED, store_example
from core.runs.progress import recorded_steps

PROBLEM = ASSETS / "examples" / "1-raise-tc-of-LaFeAsO.json"
FOLLOWED, RECORDED = 4, 50
DIGITS = 4


@dataclass(frozen=True)
class ExampleRunOptions(Options):
    """The size of the example. stored : folder of the run in the project"""

    candidates: int = 48
    device: str = "cpu"
    stored: Path = STORED


def example_run(options: ExampleRunOptions) -> Outcome:
    """Carry out the run, store it in the project, and follow its best candidates; each has one row per step."""
    problem = example_problem(options)
    run = finished_run(problem, options, keep_trajectory=True)
    stored = store_example(run, options.stored)
    options.log(f"{stored}: {sum(path.stat().st_size for path in stored.iterdir()) / 1000:.0f} kB")
    found = run.candidates()
    passing = found[found["passes"]].drop_duplicates("candidate")[:FOLLOWED]
    table = followed(problem, [int(number) for number in passing["candidate"]], list(passing["formula"]))
    courses = {
        str(name): (list(part["step"]), list(part["tc_K"])) for name, part in table.groupby("formula", sort=False)
    }
    about = options.about() | {"candidates": options.candidates, "steps": list(problem.settings.steps)}
    return Outcome(table, sentences(table), figures.lines(courses, "step", "predicted Tc (K)"), about)


def example_problem(options: Options) -> DesignProblem:
    """The first example of the design page, small and in full precision, so that every machine gives the same run."""
    problem = DesignProblem.from_json(PROBLEM.read_text(encoding="utf-8"))
    return replace(
        problem, settings=replace(problem.settings, candidates=options.candidates), device=options.device,
        precision=FLOAT32, tc_predictor=options.models.tc, formation_energy_predictor=options.models.formation_energy,
    )  # fmt: skip


def followed(problem: DesignProblem, candidates: list[int], formulas: list[str]) -> pd.DataFrame:
    """The compositions of some candidates at the recorded steps of their run, with predictions of the whole models.

    formulas : of the candidates, after rounding
    """
    design, moments = prepare(problem), []
    wanted = set(recorded_steps(design.steps, RECORDED)) | {problem.settings.steps[0] - 1, problem.settings.steps[0]}

    def record(_: object, report: Report) -> bool:
        if report.step in wanted:
            moments.append((report.step, report.stage, report.composition[candidates], report.integer_loss[candidates]))
        return True

    torch.set_num_threads(1)
    generate(design, on_step=record)
    rows = []
    for step, stage, compositions, losses in moments:
        x = compositions.float().cpu()
        tc, energy = (
            predict_in_batches(model, x) for model in (design.predictors.tc, design.predictors.formation_energy)
        )
        control = load_control_model().tc_K(x.double().numpy())
        rows += [
            {
                "formula": formulas[k], "candidate": candidates[k], "step": step, "stage": stage, "tc_K": tc[k],
                "tc_control_K": control[k], "formation_energy_eV_per_atom": energy[k],
                "integer_loss": float(losses[k]), "fractions": fractions_text(x[k].double().numpy()),
            }
            for k in range(len(candidates))
        ]  # fmt: skip
    return pd.DataFrame(rows).sort_values(["candidate", "step"], kind="stable", ignore_index=True)


def fractions_text(composition: np.ndarray) -> str:
    """A composition (118,) as JSON: symbol -> fraction, of those that do not round to 0."""
    rounded = {elements.symbols()[i]: round(float(composition[i]), DIGITS) for i in np.flatnonzero(composition)}
    return json.dumps({symbol: x for symbol, x in rounded.items() if x})


def sentences(table: pd.DataFrame) -> tuple[str, ...]:
    """Where the candidates begin and end."""
    ends = table.groupby("formula", sort=False)["tc_K"].agg(["first", "last"])
    return tuple(f"{formula}: {row['first']:.0f} to {row['last']:.0f} K." for formula, row in ends.iterrows())
