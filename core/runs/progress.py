"""The recorded steps of a run: progress.jsonl (statistics of the batch) and trajectory.f32 (every candidate)."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np

PROGRESS_RECORDS, TRAJECTORY_RECORDS = 500, 200  # maximum numbers, exceeded by at most one
QUANTITIES = ("tc_K", "formation_energy_eV_per_atom", "integer_loss")
STATISTICS = ("best", "median", "p5", "p95")
PROGRESS_COLUMNS = (
    "step",
    "stage",
    *(f"{quantity}_{statistic}" for quantity in QUANTITIES for statistic in STATISTICS),
    "restarts",
)
# What a record of a search has besides: see `core.runs.archive_records`.
ARCHIVE_COLUMNS = ("tested", "objective_K_best", "objective_K_mean")


def recorded_steps(total: int, most: int) -> list[int]:
    """The steps (from 0) of `total` that are recorded: every ceil(total / most)-th, and the last one."""
    every = max(1, math.ceil(total / most))
    return sorted({*range(0, total, every), total - 1})


def read_records(path: Path, last: bool = False) -> list[dict]:
    """The records of progress.jsonl, or only the last one; an incomplete last line is left out."""
    try:
        lines = path.read_bytes().split(b"\n")[:-1]
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in (lines[-1:] if last else lines)]


def trajectory_record_bytes(candidates: int) -> int:
    """Size in bytes of one record of trajectory.f32."""
    return candidates * len(QUANTITIES) * np.dtype(np.float32).itemsize


def read_trajectory(path: Path, candidates: int) -> np.ndarray:
    """The records written so far, (records, candidates, 3) float32, in the order of QUANTITIES."""
    count = path.stat().st_size // trajectory_record_bytes(candidates) if path.exists() else 0
    shape = (count, candidates, len(QUANTITIES))
    return np.memmap(path, np.float32, "r", shape=shape) if count else np.zeros(shape, np.float32)
