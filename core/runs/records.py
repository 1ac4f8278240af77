"""One record of progress.jsonl: statistics of the batch at one step, and its best compositions."""

from __future__ import annotations

import json

import numpy as np
import torch

from core.chemistry import elements
from core.chemistry.composition import formula_of
from core.generation.interface import Report
from core.runs.progress import QUANTITIES, SAMPLES, STATISTICS, VALID_SHARE

TOP, TOP_SEARCHED, TOP_DIGITS = 5, 100, 2
_SIGNIFICANT_DIGITS = 6


def quantities(report: Report) -> np.ndarray:
    """Tc (K), formation energy (eV/atom) and integer loss of every candidate, (batch, 3) float32."""
    columns = [getattr(report, name) for name in QUANTITIES]
    return np.ascontiguousarray(torch.stack(columns, dim=1).float().cpu().numpy())


def progress_record(report: Report, values: np.ndarray, averaged_steps: int = 1) -> dict:
    """The record of a step.

    values (batch, 3) : see `quantities`
    averaged_steps : the number of steps that Tc and formation energy are the mean of, recorded if it is not 1
    """
    position = {"step": report.step, "stage": report.stage}
    if averaged_steps > 1:
        position["averaged_steps"] = averaged_steps
    if report.valid_share is not None:
        position[VALID_SHARE] = _rounded(report.valid_share)
    if report.samples:
        position[SAMPLES] = list(report.samples)
    return position | statistics(values) | {"restarts": report.restarts, "top": best_compositions(report, values)}


def json_line(record: dict) -> str:
    """A record as one line of JSON, with its line break."""
    return json.dumps(record, ensure_ascii=False) + "\n"


def statistics(values: np.ndarray) -> dict[str, float | None]:
    """Best, median, 5th and 95th percentile of each column of (batch, 3); None where no value is finite."""
    found: dict[str, float | None] = {}
    for column, name in enumerate(QUANTITIES):
        finite = values[np.isfinite(values[:, column]), column].astype(np.float64)
        if not len(finite):
            found |= {f"{name}_{statistic}": None for statistic in STATISTICS}
            continue
        best = finite.max() if name == "tc_K" else finite.min()
        numbers = (best, *np.percentile(finite, (50, 5, 95)))
        for statistic, number in zip(STATISTICS, numbers, strict=True):
            found[f"{name}_{statistic}"] = _rounded(number)
    return found


def best_compositions(report: Report, values: np.ndarray) -> list[dict]:
    """The TOP distinct compositions with the highest Tc, as formulas of fractions."""
    tc = np.where(np.isfinite(values).all(1), values[:, 0], -np.inf)
    order = np.argsort(-tc, kind="stable")[:TOP_SEARCHED]
    compositions = report.composition[torch.from_numpy(order).to(report.composition.device)].cpu().numpy()
    symbols = elements.symbols()
    best: dict[str, dict] = {}
    for candidate, composition in zip(order, compositions, strict=True):
        amounts = {symbols[i]: float(composition[i]) for i in np.flatnonzero(composition)}
        formula = formula_of(amounts, TOP_DIGITS)
        if np.isfinite(tc[candidate]) and formula not in best:
            numbers = {name: _rounded(v) for name, v in zip(QUANTITIES, values[candidate], strict=True)}
            del numbers["integer_loss"]
            best[formula] = {"formula": formula, **numbers}
        if len(best) == TOP:
            break
    return list(best.values())


def _rounded(value: float) -> float:
    return float(f"{value:.{_SIGNIFICANT_DIGITS}g}")
