"""A campaign whose worker is killed twice and whose scheduler is killed once, compared with an undisturbed one.

Both are carried out by the command, on a local cluster, whose scheduler lives in the process of the command. The worker
of one run is killed by SIGKILL, and again when the run has been resumed by another worker; then the command itself. The
same command once more does what is missing. Both tables of candidates must be equal, row by row.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pyarrow as pa

from core.benchmarks.harness import Outcome
from core.campaigns.bases import known_bases
from core.campaigns.candidates import candidates_of
from core.campaigns.folder import OVERVIEW, CampaignFolder
from core.paths import PROJECT
from core.runs import layout
from core.runs.ownership import has_worker, worker_pid
from core.runs.run import Run
from core.runs.status import WITH_RESULT, Phase

FAMILY, TC_K, BASES = "iron-based", [20, 60], 24
WORKER_KILLS = 2
WORKERS_AT, COMMAND_AT = 0.25, 0.6  # share of the runs with a result when the worker, and the command, are killed
DEADLINE_S = 7_200.0
_POLL_S = 0.02


@dataclass(frozen=True)
class CampaignKillsOptions:
    """Options of this benchmark.

    bases : base materials; empty: BASES known superconductors of FAMILY with a Tc in TC_K
    seeds : number of seeds of each base
    candidates, steps : of each run
    workers : local worker processes
    log : called with one line for each interruption
    """

    bases: tuple[str, ...] = ()
    seeds: int = 3
    candidates: int = 16
    steps: tuple[int, int] = (100, 100)  # long enough to be killed between two steps
    workers: int = 2
    log: Callable[[str], None] = field(default=lambda line: None, compare=False)

    @property
    def file_suffix(self) -> str:
        """Empty: there is one table."""
        return ""


def kills(options: CampaignKillsOptions) -> Outcome:
    """Carry out both campaigns; one row each, and the number of rows in which their tables differ."""
    bases = options.bases or known_bases(FAMILY, TC_K, BASES)
    problem = {"base": list(bases), "seed": list(range(options.seeds)), "device": "cpu",
               "settings": {"candidates": options.candidates, "steps": list(options.steps)}}  # fmt: skip
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        file = place / "campaign.json"
        file.write_text(json.dumps({"problem": problem, "threads": 1}), encoding="utf-8")
        whole, broken = (CampaignFolder(place / name) for name in ("undisturbed", "interrupted"))
        runs = len(bases) * options.seeds
        rows = [_row("undisturbed", whole, file, options, _undisturbed),
                _row("interrupted", broken, file, options, lambda *given: _interrupted(*given, runs))]  # fmt: skip
        tables = [candidates_of([folder.folder]).drop_columns(["campaign"]) for folder in (whole, broken)]
        different = rows_that_differ(*tables)
        overviews = [pd.read_csv(folder.folder / OVERVIEW).drop(columns="elapsed_s") for folder in (whole, broken)]
        same_overview = overviews[0].equals(overviews[1])
    table = pd.DataFrame(rows).assign(different_rows=[0, different])
    sentence = (
        f"{runs} runs, a worker killed {WORKER_KILLS} times and the scheduler once: {different} of "
        f"{tables[0].num_rows:,} rows of candidates differ from those of the undisturbed campaign; the overviews of "
        f"the runs {'agree' if same_overview else 'differ'}."
    )
    about = {"bases": len(bases), "seeds": options.seeds, "candidates": options.candidates,
             "steps": list(options.steps), "workers": options.workers, "threads": 1,
             "same_overview": same_overview}  # fmt: skip
    return Outcome(table, (sentence,), {"data": [], "layout": {}}, about)


def rows_that_differ(one: pa.Table, other: pa.Table) -> int:
    """Number of rows that are not equal in every column, at the same place; missing rows count."""
    if one.equals(other):
        return 0
    rows, others = one.to_pylist(), other.to_pylist()
    return sum(a != b for a, b in zip(rows, others, strict=False)) + abs(len(rows) - len(others))


def _row(name: str, folder: CampaignFolder, file: Path, options: CampaignKillsOptions,
         carry_out: Callable[[CampaignFolder, list[str], CampaignKillsOptions], str]) -> dict:  # fmt: skip
    command = [sys.executable, "-m", "core", "campaign", str(file), "--out", str(folder.folder),
               "--workers", str(options.workers)]  # fmt: skip
    began = time.perf_counter()
    said = carry_out(folder, command, options)
    seconds = time.perf_counter() - began
    retries = said.count("ended without a result")
    return {"campaign": name, "runs": len(_runs(folder)), "runs_with_result": _with_result(folder),
            "retries": retries, "seconds": seconds}  # fmt: skip


def _undisturbed(folder: CampaignFolder, command: list[str], options: CampaignKillsOptions) -> str:
    return _completed(command, folder)


def _interrupted(folder: CampaignFolder, command: list[str], options: CampaignKillsOptions, runs: int) -> str:
    process = _start(command, folder)
    _until(lambda: _with_result(folder) >= WORKERS_AT * runs, process)
    run = _at_work(folder, process)
    for number in range(WORKER_KILLS):
        pid = _until(lambda: worker_pid(run.folder) if _works(run) else None, process)
        options.log(f"kill {number + 1} of the worker of {run.id} at step {run.stored_status().step}")
        os.kill(pid, signal.SIGKILL)
        _until(lambda killed=pid: worker_pid(run.folder) != killed, process)
    _until(lambda: _with_result(folder) >= COMMAND_AT * runs, process)
    _at_work(folder, process)
    options.log(f"kill of the command with the scheduler, {_with_result(folder)} of {runs} runs have a result")
    process.kill()
    process.wait()
    said = _log(folder).read_text(encoding="utf-8")
    _until(lambda: not any(has_worker(each.folder) for each in _runs(folder)))  # they end with their scheduler
    return said + _completed(command, folder)


def _log(folder: CampaignFolder) -> Path:
    return folder.folder.with_suffix(".log")


def _start(command: list[str], folder: CampaignFolder) -> subprocess.Popen:
    with _log(folder).open("wb") as log:
        return subprocess.Popen(command, cwd=PROJECT, stdout=log, stderr=subprocess.STDOUT)


def _completed(command: list[str], folder: CampaignFolder) -> str:
    """What the command says until it ends. Raises RuntimeError if a run has no result."""
    code = _start(command, folder).wait(DEADLINE_S)
    said = _log(folder).read_text(encoding="utf-8")
    if code:
        raise RuntimeError(f"the campaign is not complete: {said[-2000:]}")
    return said


def _until(condition: Callable[[], object], process: subprocess.Popen | None = None):
    """The first true value of the condition. Raises RuntimeError if the process ends before, or after DEADLINE_S."""
    deadline = time.monotonic() + DEADLINE_S
    while not (found := condition()):
        if time.monotonic() > deadline or (process is not None and process.poll() is not None):
            raise RuntimeError("the campaign ended before it was interrupted: give more bases, seeds or steps")
        time.sleep(_POLL_S)
    return found


def _at_work(folder: CampaignFolder, process: subprocess.Popen) -> Run:
    """A run that is being optimised."""
    return _until(lambda: next((run for run in _runs(folder) if _works(run)), None), process)


def _works(run: Run) -> bool:
    status = run.stored_status()
    return status.phase is Phase.RUNNING and status.step > 0 and worker_pid(run.folder) is not None


def _runs(folder: CampaignFolder) -> list[Run]:
    place = folder.folder / "runs"
    return [Run(path) for path in sorted(place.iterdir()) if layout.is_run(path)] if place.is_dir() else []


def _with_result(folder: CampaignFolder) -> int:
    return sum(run.stored_status().phase in WITH_RESULT for run in _runs(folder))
