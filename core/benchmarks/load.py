"""Many users of one server while runs are at work: how long each page takes, and how much memory a session costs.

The server is the app itself, started in a process of its own with a folder of runs of its own. The users are sessions
over its protocol (`app.load_client`): no browser, which would take more processor time than the server.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from unittest import mock
from urllib.error import URLError
from urllib.request import urlopen

import pandas as pd

from core.benchmarks.harness import Outcome
from core.benchmarks.hostile import finished_run
from core.errors import InputError
from core.executors.local_process import LocalProcessExecutor
from core.paths import PROJECT
from core.problem.problem import DesignProblem
from core.problem.settings import MAX_STEPS, OptimiserSettings
from core.runs import store
from core.runs.run import Run

START_S = 180.0
RELOADS_BETWEEN = 100  # two measurements of the memory


@dataclass(frozen=True)
class LoadOptions:
    """Options of the measurement.

    users : sessions at the same time
    seconds : of the measurement
    working : runs at work meanwhile
    reloads : of pages by one more user afterwards, each in a new session, without a pause
    log : called with one line before each part
    """

    users: int = 20
    seconds: float = 120.0
    working: int = 2
    reloads: int = 500
    log: Callable[[str], None] = lambda line: None

    @property
    def file_suffix(self) -> str:
        """Empty."""
        return ""


def load(options: LoadOptions) -> Outcome:
    """Median and 99th percentile of each page in seconds, after its first visit, and the memory of the server.

    Raises InputError if the server does not answer within START_S.
    """
    port = _free_port()
    with tempfile.TemporaryDirectory() as temporary:
        runs = Path(temporary) / "runs"
        changed = {"TC_STUDIO_RUNS": str(runs), "TC_STUDIO_WORKERS": str(options.working), "OMP_WAIT_POLICY": "PASSIVE"}
        with mock.patch.dict(os.environ, changed):
            finished = finished_run(runs / "finished")
            server = _server(port)
            try:
                _wait_for(port, server)
                working = [_endless_run(seed) for seed in range(options.working)]
                options.log("every page once")
                _reload(port, finished, working)
                before_MB = _memory_MB(server.pid)
                options.log(f"{options.users} users, {options.working} runs at work, {options.seconds:g} s")
                answers = _answers(port, options, finished, working)
                after_MB = _memory_MB(server.pid)
                memory_MB, failed = _memory_over_reloads(port, server, options, finished, working)
                for run in working:
                    LocalProcessExecutor().cancel(run)
            finally:
                server.terminate()
                server.wait()
    outcome = _outcome(answers, before_MB, after_MB, options)
    return _with_reloads(outcome, memory_MB, failed) if options.reloads else outcome


def _memory_over_reloads(
    port: int, server: subprocess.Popen, options: LoadOptions, finished: Run, working: list[Run]
) -> tuple[dict[int, float], int]:
    """Reloads so far -> memory of the server in MB; and how many answers failed."""
    memory_MB, failed, done = {0: _memory_MB(server.pid)}, 0, 0
    while done < options.reloads:
        times = min(RELOADS_BETWEEN, options.reloads - done)
        failed += int(_reload(port, finished, working, times)["failed"].sum())
        done += times
        memory_MB[done] = _memory_MB(server.pid)
        options.log(f"{done} reloads: {memory_MB[done]:.0f} MB")
    return memory_MB, failed


def _with_reloads(outcome: Outcome, memory_MB: dict[int, float], failed: int) -> Outcome:
    """The outcome with the memory over the reloads."""
    told = ", ".join(f"{megabytes:.0f} MB after {reloads}" for reloads, megabytes in memory_MB.items())
    sentence = f"Reloads of a page in a new session: the server took {told}; {failed} failed."
    about = {**outcome.about, "memory_MB_after_reloads": {str(n): each for n, each in memory_MB.items()}}
    return replace(outcome, sentences=(*outcome.sentences, sentence), about=about)


def _outcome(answers: pd.DataFrame, before_MB: float, after_MB: float, options: LoadOptions) -> Outcome:
    pages = answers.groupby("page")
    table = pd.DataFrame(
        {
            "answers": pages["seconds"].size(),
            "median_s": pages["seconds"].median(),
            "percentile_99_s": pages["seconds"].quantile(0.99),
            "failed": pages["failed"].sum(),
        }
    ).reset_index()
    sentence = (
        f"{options.users} users for {options.seconds:g} s, {options.working} runs at work, "
        f"{os.cpu_count()} processor cores: the server took {before_MB:.0f} MB before and {after_MB:.0f} MB after, "
        f"{(after_MB - before_MB) / options.users:.1f} MB for each user."
    )
    about = {"users": options.users, "seconds": options.seconds, "working": options.working}
    return Outcome(table, (sentence,), {"data": [], "layout": {}}, about)


def _free_port() -> int:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def _server(port: int) -> subprocess.Popen:
    command = [sys.executable, "-m", "streamlit", "run", "app/main.py", "--server.port", str(port),
               "--server.headless", "true"]  # fmt: skip
    return subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _wait_for(port: int, server: subprocess.Popen) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2):
                return
        except (URLError, OSError):
            time.sleep(0.3)
    raise InputError("server", port, f"the server did not answer within {START_S:g} s", "Look at its output")


def _endless_run(seed: int) -> Run:
    settings = OptimiserSettings(candidates=256, steps=(MAX_STEPS - 1, 1))
    run = store.create(replace(DesignProblem(base="LaFeAsO", settings=settings, device="cpu"), seed=seed))
    LocalProcessExecutor().submit(run)
    return run


def _answers(port: int, options: LoadOptions, finished: Run, working: list[Run]) -> pd.DataFrame:
    """page, seconds and failed of every answer to the users."""
    return _client(port, options.users, options.seconds, *_shown(finished, working))


def _reload(port: int, finished: Run, working: list[Run], *times: int) -> pd.DataFrame:
    """page, seconds and failed of every reload. times : how many reloads; if it is not given, each page once"""
    return _client(port, 0, 0, *_shown(finished, working), *times)


def _shown(finished: Run, working: list[Run]) -> tuple[str, str]:
    """The ids of the runs on the pages Results and Run."""
    return finished.id, (working[0] if working else finished).id


def _client(*given: object) -> pd.DataFrame:
    command = [sys.executable, "-m", "app.load_client", *map(str, given)]
    done = subprocess.run(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True, check=True)
    return pd.DataFrame([json.loads(line) for line in done.stdout.splitlines()])


def _memory_MB(pid: int) -> float:
    """Resident memory of a process; NaN where the system has no /proc."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return float("nan")
    return next((float(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")), float("nan"))
