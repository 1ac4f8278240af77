"""Carries out the runs of a campaign that have no result yet, through any executor, with bounded retries."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from core.campaigns.campaign import Campaign
from core.campaigns.expansion import PlannedRun, described
from core.campaigns.folder import CampaignFolder, remove_parts
from core.executors.interface import Executor
from core.runs.keyed_runs import found_or_created
from core.runs.ownership import has_worker
from core.runs.run import Run
from core.runs.status import WITH_RESULT, Phase

POLL_S = 0.2


@dataclass(frozen=True)
class Outcome:
    """What one command did.

    found : runs that had a result before
    done : runs that got one
    failed : key -> message, of the runs without a result after all retries
    left : runs that were not carried out, because the campaign was stopped
    """

    found: int
    done: int
    failed: dict[str, str]
    left: int


@dataclass
class _Work:
    """The runs that are still to be done."""

    waiting: deque[PlannedRun]
    active: dict[str, PlannedRun] = field(default_factory=dict)
    starts: Counter = field(default_factory=Counter)
    done: int = 0
    failed: dict[str, str] = field(default_factory=dict)


def has_result(folder: CampaignFolder, key: str) -> bool:
    """Whether the run of this key is finished, or stopped with its candidates, and undamaged."""
    run = folder.run(key)
    return run.stored_status().phase in WITH_RESULT and run.status().phase in WITH_RESULT


def carry_out(
    folder: CampaignFolder,
    campaign: Campaign,
    runs: tuple[PlannedRun, ...],
    executor: Executor,
    log: Callable[[str], None] = lambda line: None,
    on_done: Callable[[int], None] = lambda done: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Carry out the runs without a result, and return when each has ended.

    A run that ends without a result, because it failed or its worker died, is submitted again, at most
    `limits.retries` times; it continues from its resume point. A run with a worker that another command started is
    awaited.

    log : called with one line for each retry and failure
    on_done : called with the number of runs that have ended, those with a result before included
    should_stop : asked several times a second; the runs at work are then cancelled, and can be resumed

    Raises what the executor raises if it loses its workers for good.
    """
    work = _Work(deque(run for run in runs if not has_result(folder, run.key)))
    found = len(runs) - len(work.waiting)
    waiting = {run.key for run in work.waiting}
    for run in runs:
        if run.key not in waiting:
            remove_parts(folder.run(run.key), campaign.keep)
    on_done(found)
    while (work.waiting or work.active) and not should_stop():
        _submit(work, folder, campaign, executor)
        ended = executor.next_ended([folder.run(key) for key in work.active], POLL_S)
        if ended is not None:
            _conclude(work, ended, campaign, log)
            on_done(found + work.done + len(work.failed))
    for key in work.active:
        executor.cancel(folder.run(key))
    return Outcome(found, work.done, work.failed, len(work.waiting) + len(work.active))


def _submit(work: _Work, folder: CampaignFolder, campaign: Campaign, executor: Executor) -> None:
    """Submit waiting runs, as many as keep all workers busy while the next are submitted."""
    for _ in range(min(len(work.waiting), 2 * max(1, executor.capacity()) - len(work.active))):
        planned = work.waiting.popleft()
        run = folder.run(planned.key)
        if run.folder.exists() and has_worker(run.folder):  # of an earlier command, which has lost it
            work.waiting.append(planned)
            continue
        run = found_or_created(planned.problem, run.folder, campaign.threads)
        if has_result(folder, planned.key):
            work.done += 1
            continue
        work.active[planned.key] = planned
        executor.submit(run)


def _conclude(work: _Work, run: Run, campaign: Campaign, log: Callable[[str], None]) -> None:
    """Record how a run ended; put it back if it may be tried again."""
    planned = work.active.pop(run.id)
    status = run.status()
    if status.phase in WITH_RESULT:
        remove_parts(run, campaign.keep)
        work.done += 1
        return
    work.starts[run.id] += 1
    why = status.message or f"the run is {status.phase}"
    name = described(planned.values, campaign)
    if work.starts[run.id] > campaign.limits.retries or status.phase is Phase.CANCELLED:
        work.failed[run.id] = why
        log(f"{name}: no result after {work.starts[run.id]} starts. {why}")
        return
    log(f"{name}: ended without a result, start {work.starts[run.id] + 1} of {campaign.limits.retries + 1}. {why}")
    work.waiting.append(planned)
