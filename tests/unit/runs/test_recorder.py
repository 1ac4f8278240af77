"""The recorder writes status, records and resume points of any generator."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from core.generation.interface import Report
from core.generation.schedule import Schedule, Stage
from core.problem.settings import OptimiserSettings
from core.runs import layout
from core.runs.progress import PROGRESS_COLUMNS
from core.runs.recorder import Recorder
from core.runs.records import best_compositions, quantities, statistics
from core.runs.resume import Known, load_resume_point
from core.runs.run import Run
from core.runs.status import Phase, RunStatus
from tests.unit.runs.sample import SMALL, unchecked_run

MINE = Known("mine")
SCHEDULE = Schedule((Stage("first", 2), Stage("second", 3)), candidates=3)


@dataclass(frozen=True)
class Walkers:
    """The state of a generator for tests."""

    step: torch.Tensor
    positions: torch.Tensor


def report(step: int, tc=(10.0, 30.0, 20.0)) -> Report:
    composition = torch.zeros(3, 118)
    composition[:, 25] = torch.tensor([0.5, 0.25, 0.5])  # Fe
    composition[:, 33] = 1 - composition[:, 25]  # Se
    return Report(step, 1 if step < 2 else 2, composition, torch.tensor(tc) + step, -torch.ones(3), torch.rand(3), step)


def walk(recorder: Recorder, first: int = 0) -> int:
    """Steps of the generator for tests until the recorder stops it or the end; returns the steps done."""
    for step in range(first, SCHEDULE.steps):
        if not recorder(Walkers(torch.tensor(step + 1), torch.full((3,), float(step))), report(step)):
            return step + 1
    return SCHEDULE.steps


@pytest.fixture
def run(tmp_path) -> Run:
    return unchecked_run(tmp_path / "run", replace(SMALL, settings=OptimiserSettings(candidates=3, steps=(2, 3))))


def test_steps_of_another_generator_are_recorded_and_read(run):
    shown: list[RunStatus] = []
    recorder = Recorder(run.folder, SCHEDULE, MINE, lambda: None, shown.append)
    recorder.begin(0)
    assert walk(recorder) == 5 and recorder.stopped is None
    progress = run.progress()
    assert list(progress.columns) == list(PROGRESS_COLUMNS)
    assert progress["step"].tolist() == [0, 1, 2, 3, 4] and progress["stage"].tolist() == [1, 1, 2, 2, 2]
    assert progress["tc_K_best"].tolist() == [30, 31, 32, 33, 34] and progress["restarts"].tolist() == [0, 1, 2, 3, 4]
    assert run.trajectory(2)["tc_K"].tolist() == [20, 21, 22, 23, 24]
    assert [entry["formula"] for entry in run.top()] == ["Fe0.25Se0.75", "Fe0.5Se0.5"]
    assert shown[0].phase is Phase.RUNNING and shown[0].step == 0 and shown[0].remaining_s is None
    assert (shown[-1].step, shown[-1].stage, shown[-1].restarts) == (5, 2, 4)
    assert run.stored_status() == shown[-1]


def test_a_stopped_run_continues_from_its_resume_point_with_the_same_records(run):
    whole = Recorder(run.folder, SCHEDULE, MINE, lambda: None)
    torch.manual_seed(0)
    whole.begin(0)
    walk(whole)
    expected = [(run.folder / name).read_bytes() for name in (layout.PROGRESS, layout.TRAJECTORY)]
    phases = iter([None, None, Phase.CANCELLED])
    recorder = Recorder(run.folder, SCHEDULE, MINE, lambda: next(phases))
    torch.manual_seed(0)
    recorder.begin(0)
    assert walk(recorder) == 3 and recorder.stopped is Phase.CANCELLED
    walk(Recorder(run.folder, SCHEDULE, MINE, lambda: None), first=3)  # as by a worker killed after more steps
    point = load_resume_point(run.folder, Walkers, "mine", torch.device("cpu"))
    assert point is not None
    state = point.state
    assert int(state.step) == 5 and state.positions.tolist() == [4.0] * 3
    torch.manual_seed(0)
    for _ in range(3):
        torch.rand(3)  # the generator for tests repeats its random numbers
    again = Recorder(run.folder, SCHEDULE, MINE, lambda: None)
    again.begin(3)
    assert again.restarts == 2
    assert len((run.folder / layout.PROGRESS).read_bytes().splitlines()) == 3
    walk(again, first=3)
    assert [(run.folder / name).read_bytes() for name in (layout.PROGRESS, layout.TRAJECTORY)] == expected


def test_statistics_ignore_values_that_are_not_finite():
    values = np.array([[10.0, -1.0, np.nan], [np.inf, -3.0, np.nan], [30.0, -2.0, np.nan]], dtype=np.float32)
    found = statistics(values)
    assert (found["tc_K_best"], found["tc_K_median"]) == (30, 20)
    assert (found["formation_energy_eV_per_atom_best"], found["integer_loss_best"]) == (-3, None)
    assert json.loads(json.dumps(found)) == found


def test_the_best_compositions_are_distinct_and_finite():
    seen = report(0, tc=(10.0, float("nan"), 20.0))
    assert best_compositions(seen, quantities(seen)) == [
        {"formula": "Fe0.5Se0.5", "tc_K": 20.0, "formation_energy_eV_per_atom": -1.0}
    ]


def test_lost_records_stay_missing_and_are_told(run, capsys):
    recorder = Recorder(run.folder, SCHEDULE, MINE, lambda: None)
    recorder.begin(0)
    walk(recorder)
    with (run.folder / layout.PROGRESS).open("r+b") as file:
        lines = file.read().splitlines(keepends=True)
        file.seek(0)
        file.write(b"".join([*lines[:2], b"\0\0\0\0\n", *lines[3:]]))
        file.truncate()
    with (run.folder / layout.TRAJECTORY).open("r+b") as file:
        file.truncate(40)  # one record and four bytes
    again = Recorder(run.folder, SCHEDULE, MINE, lambda: None)
    again.begin(4)
    walk(again, first=4)
    assert run.progress()["step"].tolist() == [0, 1, 4]
    tc = run.trajectory(0)["tc_K"]
    assert tc.isna().tolist() == [False, True, True, True, False] and tc[4] == 14
    told = capsys.readouterr().err
    assert "line 3" in told and "last whole record" in told and "has lost 3 records" in told
