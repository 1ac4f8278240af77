"""Runs killed at random and at every write, and with a disk that is full, then resumed: nothing may be lost.

A small run is carried out once without interruption. Then its copies are killed by SIGKILL, after a random time or at
the n-th write to the disk, or every write from the n-th on fails for lack of space, or because the disk is read-only.
Each is looked at as the app would, carried out again to the end, and compared byte for byte.
"""

from __future__ import annotations

import errno
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from core.benchmarks.harness import Outcome
from core.paths import PROJECT
from core.problem.problem import DesignProblem
from core.problem.settings import OptimiserSettings
from core.runs import layout, store
from core.runs.run import Run
from core.runs.status import Phase

COMPARED = (layout.CSV, layout.PROGRESS, layout.TRAJECTORY, layout.RESULT)
KNOWN_FILES = {layout.PROBLEM, *layout.FILES} - {layout.RESUME, layout.CANCEL}  # of a finished run
DEADLINE_S = 300.0
KINDS = ("kill after a time", "kill at a write", "full disk", "read-only disk")
_ERRORS = {"full disk": errno.ENOSPC, "read-only disk": errno.EROFS}


@dataclass(frozen=True)
class DurabilityOptions:
    """Options of the attack.

    kills : number of interrupted runs, in turn of each kind
    seed : of the random times
    log : called with one line for every run that is not as it should be
    """

    kills: int = 100
    seed: int = 0
    log: Callable[[str], None] = lambda line: None

    @property
    def file_suffix(self) -> str:
        """Empty."""
        return ""


@dataclass(frozen=True)
class Blow:
    """One interruption. number : of the write at which it happens; seconds : after which a kill happens"""

    kind: str
    number: int = 0
    seconds: float = 0.0


def durability(options: DurabilityOptions) -> Outcome:
    """Interrupt the runs: how many were lost, ended differently, left something over, or gave no reason."""
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        began = time.monotonic()
        whole = _new_run(folder / "whole")
        writes = _worker(whole.folder, Blow("count"))
        lasts_s = time.monotonic() - began
        found = []
        for i in range(options.kills):
            kind = KINDS[i % len(KINDS)]
            number = 1 + (i // len(KINDS)) % writes if kind == "kill at a write" else chance.randint(1, writes)
            blow = Blow(kind, number, chance.uniform(0.3, 1.0) * lasts_s)
            found.append(interrupted(folder / f"run-{i}", whole, blow, options.log))
    table = pd.DataFrame(found).groupby("kind", sort=False).sum().reset_index()
    sums = {name: int(table[name].sum()) for name in ("runs", "lost", "different", "leftover", "no_reason")}
    sentence = (
        f"{sums['runs']} interrupted runs of {writes} writes each: {sums['lost']} lost, {sums['different']} "
        f"different, {sums['leftover']} with something left over, {sums['no_reason']} without a reason."
    )
    about = {"kills": options.kills, "seed": options.seed, "writes": writes}
    return Outcome(table, (sentence,), {"data": [], "layout": {}}, about)


def interrupted(folder: Path, whole: Run, blow: Blow, log: Callable[[str], None]) -> dict:
    """Interrupt one run, resume it, and compare it with the whole one; one line of the table."""
    run = _new_run(folder)
    _worker(run.folder, blow)
    status = run.status()
    damaged = status.phase is Phase.DAMAGED
    told = status.phase in (Phase.FINISHED, Phase.QUEUED) or "the disk is full" in status.message
    no_reason = blow.kind == "full disk" and not told
    _worker(run.folder, Blow("none"))
    end = run.status()
    lost = damaged or end.phase is not Phase.FINISHED
    different = not lost and any(_bytes(run, name) != _bytes(whole, name) for name in COMPARED)
    left = sorted({path.name for path in run.folder.iterdir()} - KNOWN_FILES)
    if lost or different or left or no_reason:
        log(f"{blow}: {status.phase} ({status.message}), then {end.phase} ({end.message}); left over: {left}")
    return {"kind": blow.kind, "runs": 1, "lost": lost, "different": different, "leftover": bool(left),
            "no_reason": no_reason}  # fmt: skip


def _new_run(folder: Path) -> Run:
    settings = OptimiserSettings(candidates=4, steps=(20, 20))
    return store.create_in(DesignProblem(base="LaFeAsO", settings=settings, seed=7, device="cpu"), folder)


def _bytes(run: Run, name: str) -> bytes:
    return (run.folder / name).read_bytes()


def _worker(folder: Path, blow: Blow) -> int:
    """Carry out the run in a process of its own, which the blow hits; returns the number of its writes."""
    command = [sys.executable, "-m", "core.benchmarks.interrupted_worker", str(folder)]
    given = json.dumps({"kind": blow.kind, "number": blow.number, "errno": _ERRORS.get(blow.kind, 0)})
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [*command, given], cwd=PROJECT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        limit = blow.seconds if blow.kind == "kill after a time" else DEADLINE_S
        output, _ = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        process.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))
        output, _ = process.communicate()
    words = output.split()
    return int(words[-1]) if words and words[-1].isdecimal() else 0
