"""The recorded steps of a run: progress.jsonl (statistics of the batch) and trajectory.f32 (every candidate)."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from core import json_text
from core.files import read_bounded
from core.limits import RECORDS_BYTES
from core.runs.documents import Field, first_wrong, is_count, is_number, is_text, or_none

PROGRESS_RECORDS, TRAJECTORY_RECORDS = 500, 200  # maximum numbers, exceeded by at most one
QUANTITIES = ("tc_K", "formation_energy_eV_per_atom", "integer_loss")
STATISTICS = ("best", "median", "p5", "p95")
PROGRESS_COLUMNS = (
    "step",
    "stage",
    *(f"{quantity}_{statistic}" for quantity in QUANTITIES for statistic in STATISTICS),
    "restarts",
)
# What a record of a diffusion has besides: a share from 0 to 1, and formulas of the same samples in every record.
VALID_SHARE, SAMPLES = "valid_share", "samples"
# What a record of a search has besides: see `core.runs.archive_records`.
ARCHIVE_COLUMNS = ("tested", "objective_K_best", "objective_K_mean")


def recorded_steps(total: int, most: int) -> list[int]:
    """The steps (from 0) of `total` that are recorded: every ceil(total / most)-th, and the last one."""
    every = max(1, math.ceil(total / most))
    return sorted({*range(0, total, every), total - 1})


def read_records(path: Path, last: bool = False) -> list[dict]:
    """The whole records of progress.jsonl, or only the last of them, up to the first line that is no record."""
    return read_whole_records(path, last)[0]


def read_whole_records(path: Path, last: bool = False) -> tuple[list[dict], str]:
    """The whole records of progress.jsonl, and what is wrong with the rest of the file: "" if there is no rest.

    last : only the last record, which is read alone if the file is whole

    A file that does not exist has no records and nothing wrong.
    """
    try:
        lines = read_bounded(path, RECORDS_BYTES).split(b"\n")
    except FileNotFoundError:
        return [], ""
    except OSError as error:
        return [], f"cannot be read ({error.strerror})"
    if last and len(lines) > 1 and not lines[-1]:
        final = _record(lines[-2])
        if final is not None:
            return [final], ""
    records, wrong = [], f"ends within record {len(lines)}" if lines[-1] else ""
    for number, line in enumerate(lines[:-1], 1):
        record = _record(line)
        if record is None:
            wrong = f"holds something else than the record of a step in line {number:,}"
            break
        records.append(record)
    return (records[-1:] if last else records), wrong


def _record(line: bytes) -> dict | None:
    """The record in a line; None if the line is no record."""
    try:
        record = json_text.parse(line, RECORDS_BYTES)
    except json_text.JsonError:
        return None
    if first_wrong(record, _RECORD) is not None:
        return None
    if ARCHIVE_COLUMNS[0] not in record:
        return record
    rows = [first_wrong(record, _SEARCH), *(first_wrong(row, _FOUND) for row in record["top"])]
    return record if all(wrong is None for wrong in rows) else None


def _is_top(value: object) -> bool:
    return isinstance(value, list) and all(first_wrong(entry, _TOP) is None for entry in value)


_NUMBER, _COUNT = Field(or_none(is_number), "a number"), Field(is_count, "a count")
_TOP = {"formula": Field(is_text, "text"), "tc_K": Field(is_number, "a number"),
        "formation_energy_eV_per_atom": Field(is_number, "a number")}  # fmt: skip
_SEARCH = {ARCHIVE_COLUMNS[0]: _COUNT} | dict.fromkeys(ARCHIVE_COLUMNS[1:], _NUMBER)
_FOUND = dict.fromkeys(("tc_std_K", "objective_K", "gain_K"), _NUMBER) | {
    "known": Field(lambda v: isinstance(v, bool), "true or false")
}
_RECORD = dict.fromkeys(PROGRESS_COLUMNS, _NUMBER) | {
    "step": _COUNT,
    "stage": _COUNT,
    "restarts": Field(lambda v: is_count(v, 0, 10**15), "a count"),
    "averaged_steps": Field(lambda v: is_count(v, 1), "a count", required=False),
    VALID_SHARE: Field(
        lambda v: isinstance(v, float | int) and is_number(v) and 0 <= v <= 1, "a share", required=False
    ),
    SAMPLES: Field(lambda v: isinstance(v, list) and all(map(is_text, v)), "formulas", required=False),
    "top": Field(_is_top, "compositions"),
}


def trajectory_record_bytes(candidates: int) -> int:
    """Size in bytes of one record of trajectory.f32."""
    return candidates * len(QUANTITIES) * np.dtype(np.float32).itemsize


def read_trajectory(path: Path, candidates: int) -> np.ndarray:
    """The whole records written so far, (records, candidates, 3) float32, in the order of QUANTITIES."""
    count = path.stat().st_size // trajectory_record_bytes(candidates) if path.is_file() else 0
    shape = (count, candidates, len(QUANTITIES))
    return np.memmap(path, np.float32, "r", shape=shape) if count else np.zeros(shape, np.float32)
