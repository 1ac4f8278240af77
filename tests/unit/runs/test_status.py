"""The status of a run and its file."""

from __future__ import annotations

import json

from core.generation.schedule import Schedule, Stage
from core.runs import layout
from core.runs.status import ACTIVE, NOT_STARTED, Phase, RunStatus, new_status, read_status, write_status


def test_a_status_survives_writing_and_reading(tmp_path):
    assert read_status(tmp_path) is None
    status = RunStatus(Phase.RUNNING, 2, 5, 9, elapsed_s=1.5, remaining_s=2.5, restarts=3)
    write_status(tmp_path, status)
    assert read_status(tmp_path) == status
    stored = json.loads((tmp_path / layout.STATUS).read_text())
    assert list(stored) == [
        "phase", "stage", "step", "total_steps", "elapsed_s", "remaining_s", "restarts", "message"
    ]  # fmt: skip


def test_unknown_keys_of_other_versions_are_ignored(tmp_path):
    text = '{"phase": "queued", "stage": 1, "step": 0, "total_steps": 4, "colour": "green"}'
    (tmp_path / layout.STATUS).write_text(text)
    assert read_status(tmp_path) == new_status(Schedule((Stage("only", 4),), 1)) != NOT_STARTED


def test_another_phase_keeps_the_step_and_drops_the_estimate():
    status = RunStatus(Phase.RUNNING, 1, 1234, 5678, elapsed_s=1.0, remaining_s=9.0, restarts=2, message="old")
    failed = status.in_phase(Phase.FAILED, "the disk is full")
    assert failed == RunStatus(Phase.FAILED, 1, 1234, 5678, 1.0, None, 2, "the disk is full")
    interrupted = status.interrupted()
    assert interrupted.phase is Phase.INTERRUPTED and interrupted.phase not in ACTIVE
    assert "step 1,234 of 5,678. Start the run again" in interrupted.message
