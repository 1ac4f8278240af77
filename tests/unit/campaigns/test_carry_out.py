"""Runs of a campaign through an executor whose runs end as a test says: nothing twice, bounded retries, stop."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from filelock import FileLock

from core.campaigns.campaign import Campaign, read_campaign
from core.campaigns.carry_out import Outcome, carry_out
from core.campaigns.expansion import planned_runs
from core.campaigns.folder import CampaignFolder
from core.executors.interface import Executor
from core.runs import layout
from core.runs.run import Run
from core.runs.status import Phase, write_status

SETTINGS = {"candidates": 8, "steps": [2, 2]}


class ScriptedExecutor(Executor):
    """Ends each run at once, in the phase that `phase_of` gives for its seed and the number of its starts."""

    def __init__(self, phase_of: Callable[[int, int], Phase]):
        self._phase_of = phase_of
        self.starts: list[int] = []  # the seeds, in the order of the submissions
        self.largest_queue = 0
        self.cancelled: list[int] = []

    def submit(self, run: Run) -> None:
        seed = run.problem().seed
        self.starts.append(seed)
        phase = self._phase_of(seed, self.starts.count(seed))
        (run.folder / layout.TRAJECTORY).write_bytes(b"x")
        write_status(run.folder, run.stored_status().in_phase(phase, "no disk" if phase is Phase.FAILED else ""))

    def next_ended(self, runs, timeout_s):
        self.largest_queue = max(self.largest_queue, len(runs))
        return super().next_ended(runs, 0.01)

    def cancel(self, run: Run) -> None:
        self.cancelled.append(run.problem().seed)

    def stop(self, run: Run) -> None:
        raise NotImplementedError

    def capacity(self) -> int:
        return 1


@pytest.fixture
def go(tmp_path, monkeypatch):
    """`go(executor, seeds, ...)`: carry out a campaign of these seeds in one folder; the outcome and the lines said."""
    monkeypatch.setattr("core.runs.run.inspect", lambda folder: [])  # the runs here have a status and no files
    folder = CampaignFolder(tmp_path / "campaign")

    def do(executor: Executor, seeds: list[int], should_stop=lambda: False, **others) -> tuple[Outcome, list[str]]:
        problem = {"base": "MgB2", "seed": seeds, "device": "cpu", "settings": SETTINGS}
        campaign: Campaign = read_campaign(json.dumps({"problem": problem, **others}), tmp_path)
        folder.store(campaign)
        lines: list[str] = []
        runs = planned_runs(campaign)
        return carry_out(folder, campaign, runs, executor, lines.append, should_stop=should_stop), lines

    do.folder = folder
    return do


def finished(seed: int, start: int) -> Phase:
    return Phase.FINISHED


def test_runs_with_a_result_are_not_done_again_and_new_seeds_are_added(go):
    executor = ScriptedExecutor(finished)
    assert go(executor, [0, 1, 2])[0] == Outcome(0, 3, {}, 0) and executor.starts == [0, 1, 2]
    assert executor.largest_queue == 2  # one at work and one that waits
    assert go(executor, [0, 1, 2])[0] == Outcome(3, 0, {}, 0) and executor.starts == [0, 1, 2]
    assert go(executor, [0, 1, 2, 5])[0] == Outcome(3, 1, {}, 0) and executor.starts == [0, 1, 2, 5]


def test_a_run_without_a_result_is_tried_again_and_this_is_said(go):
    phases = {1: Phase.INTERRUPTED, 2: Phase.FAILED, 3: Phase.FINISHED}
    executor = ScriptedExecutor(lambda seed, start: phases[start] if seed else Phase.FINISHED)
    outcome, lines = go(executor, [0, 1])
    assert outcome == Outcome(0, 2, {}, 0) and executor.starts.count(1) == 3
    assert [line.partition(". ")[0] for line in lines] == [
        "seed 1: ended without a result, start 2 of 3", "seed 1: ended without a result, start 3 of 3"
    ]  # fmt: skip
    assert "no disk" in lines[1]


def test_retries_are_bounded_and_the_next_command_tries_again(go):
    executor = ScriptedExecutor(lambda seed, start: Phase.FAILED if seed else Phase.FINISHED)
    outcome, lines = go(executor, [0, 1], limits={"retries": 1})
    assert list(outcome.failed.values()) == ["no disk"] and outcome.done == 1 and executor.starts.count(1) == 2
    assert "no result after 2 starts" in lines[-1]
    assert go(ScriptedExecutor(finished), [0, 1])[0] == Outcome(1, 1, {}, 0)


def test_a_stopped_campaign_cancels_the_runs_at_work(go):
    executor = ScriptedExecutor(lambda seed, start: Phase.QUEUED)
    asked = iter([False, False, True])
    outcome, _ = go(executor, [0, 1, 2, 3], should_stop=lambda: next(asked))
    assert outcome == Outcome(0, 0, {}, 4) and executor.cancelled == executor.starts == [0, 1]


def test_a_run_that_another_command_left_with_a_worker_is_awaited(go):
    executor = ScriptedExecutor(finished)
    go(executor, [0])
    (folder,) = (go.folder.folder / "runs").iterdir()
    run = Run(folder)
    write_status(folder, run.stored_status().in_phase(Phase.RUNNING))
    asked = iter([False] * 3 + [True])
    with FileLock(folder / layout.LOCK):
        assert go(executor, [0], should_stop=lambda: next(asked))[0] == Outcome(0, 0, {}, 1)
    assert executor.starts == [0]


def test_only_what_the_campaign_keeps_stays(go):
    go(ScriptedExecutor(finished), [0], keep=["trajectory"])
    (folder,) = (go.folder.folder / "runs").iterdir()
    assert (folder / layout.TRAJECTORY).exists()
    go(ScriptedExecutor(finished), [0])
    assert not (folder / layout.TRAJECTORY).exists() and (folder / layout.PROBLEM).exists()
