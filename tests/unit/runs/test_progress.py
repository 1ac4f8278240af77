"""Which steps are recorded, and reading the records while they are written."""

from __future__ import annotations

import numpy as np
import pytest

from core.runs.progress import read_records, read_trajectory, recorded_steps, trajectory_record_bytes


@pytest.mark.parametrize(("total", "most", "count"), [(1, 500, 1), (500, 500, 500), (501, 500, 251), (1000, 200, 201)])
def test_recorded_steps_are_few_and_include_the_first_and_the_last(total, most, count):
    steps = recorded_steps(total, most)
    assert steps[0] == 0 and steps[-1] == total - 1
    assert len(steps) == len(set(steps)) == count


def test_an_incomplete_last_line_is_left_out(tmp_path):
    path = tmp_path / "progress.jsonl"
    assert read_records(path) == read_records(path, last=True) == []
    path.write_text('{"step": 0}\n{"step": 1}\n{"st')
    assert read_records(path) == [{"step": 0}, {"step": 1}]
    assert read_records(path, last=True) == [{"step": 1}]


def test_a_trajectory_is_read_up_to_its_last_complete_record(tmp_path):
    path = tmp_path / "trajectory.f32"
    assert read_trajectory(path, 5).shape == (0, 5, 3)
    values = np.arange(30, dtype=np.float32).reshape(2, 5, 3)
    assert trajectory_record_bytes(5) * 2 == values.nbytes
    path.write_bytes(values.tobytes() + b"\x00" * 7)
    np.testing.assert_array_equal(read_trajectory(path, 5), values)
