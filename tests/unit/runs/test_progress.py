"""Which steps are recorded, and reading the records while they are written."""

from __future__ import annotations

import json

import numpy as np
import pytest

from core.runs.progress import (
    PROGRESS_COLUMNS,
    read_records,
    read_trajectory,
    read_whole_records,
    recorded_steps,
    trajectory_record_bytes,
)


@pytest.mark.parametrize(("total", "most", "count"), [(1, 500, 1), (500, 500, 500), (501, 500, 251), (1000, 200, 201)])
def test_recorded_steps_are_few_and_include_the_first_and_the_last(total, most, count):
    steps = recorded_steps(total, most)
    assert steps[0] == 0 and steps[-1] == total - 1
    assert len(steps) == len(set(steps)) == count


def record(step: int) -> dict:
    """A whole record, without compositions."""
    return dict.fromkeys(PROGRESS_COLUMNS, 1.5) | {"step": step, "stage": 1, "restarts": 0, "top": []}


WHOLE = [record(0), record(1)]
LINES = "".join(json.dumps(each) + "\n" for each in WHOLE).encode()


def test_a_missing_or_empty_file_has_no_records(tmp_path):
    path = tmp_path / "progress.jsonl"
    assert read_records(path) == read_records(path, last=True) == []
    path.touch()
    assert read_whole_records(path) == read_whole_records(path, last=True) == ([], "")


def test_an_incomplete_last_line_is_left_out(tmp_path):
    path = tmp_path / "progress.jsonl"
    path.write_bytes(LINES + b'{"st')
    assert read_records(path) == WHOLE and read_records(path, last=True) == WHOLE[1:]
    assert read_whole_records(path)[1] == "ends within record 3"


@pytest.mark.parametrize(
    "line",
    [b"\0\0\0\0", b"", b"3", b"[]", b"{}", b"\xff", b"[" * 1100, json.dumps({**record(2), "top": 5}).encode(),
     json.dumps({**record(2), "step": "2"}).encode(), b'{"step": ' + b"9" * 400 + b"}"],
)  # fmt: skip
def test_reading_stops_at_the_first_line_that_is_no_record(tmp_path, line):
    path = tmp_path / "progress.jsonl"
    path.write_bytes(LINES + line + b"\n" + LINES + line + b"\n")
    assert read_whole_records(path) == (WHOLE, "holds something else than the record of a step in line 3")
    assert read_records(path, last=True) == WHOLE[1:]


def test_a_trajectory_is_read_up_to_its_last_complete_record(tmp_path):
    path = tmp_path / "trajectory.f32"
    assert read_trajectory(path, 5).shape == (0, 5, 3)
    values = np.arange(30, dtype=np.float32).reshape(2, 5, 3)
    assert trajectory_record_bytes(5) * 2 == values.nbytes
    path.write_bytes(values.tobytes() + b"\x00" * 7)
    np.testing.assert_array_equal(read_trajectory(path, 5), values)
