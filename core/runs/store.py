"""A run is a folder: the problem goes in, a worker process of its own writes all the rest.

Whoever starts a run only reads from then on, so a page never blocks, and a reload, a restart of the server or a
crash of one run harms no other. What lies in the folder:

    problem.json         what was asked
    status.json          where it stands, several times a second
    progress.jsonl       one record per line, about 500 at most
    trajectory.f32       Tc, formation energy, integer loss of all: (records, candidates, 3) float32
    resume.safetensors   the optimiser's state, every 2 s, until the run has finished
    candidates.csv       the result, .parquet the same with types
    result.json          its summary
    provenance.json      versions, checksums of the checkpoints, seed, device
    start.json           when a worker was started, and as which process
    worker.json          the worker's process id, written by itself once it has the lock
    worker.lock          locked as long as the worker lives; the system frees it however the worker ends
    worker.log           what the worker said
    cancel               asks the worker to stop
"""

from __future__ import annotations

import json
import math
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np
import pandas as pd
from filelock import FileLock, Timeout

from core.errors import InputError
from core.generation.interface import stage_at, total_steps
from core.generation.registry import generator_of
from core.paths import PROJECT
from core.problem.problem import DesignProblem

if TYPE_CHECKING:
    from core.executors.warm_worker import StandBy

MAX_AT_ONCE = 1  # workers that optimise at once; one already uses every core
PROGRESS_RECORDS, TRAJECTORY_RECORDS = 500, 200
PROGRESS_QUANTITIES = ("tc_K", "formation_energy_eV_per_atom", "integer_loss")
PROGRESS_STATISTICS = ("best", "median", "p5", "p95")
PROGRESS_COLUMNS = (
    "step",
    "stage",
    *(f"{quantity}_{statistic}" for quantity in PROGRESS_QUANTITIES for statistic in PROGRESS_STATISTICS),
    "restarts",
)

PROBLEM, STATUS, PROGRESS, TRAJECTORY = "problem.json", "status.json", "progress.jsonl", "trajectory.f32"
RESUME, CSV, TABLE, RESULT = "resume.safetensors", "candidates.csv", "candidates.parquet", "result.json"
PROVENANCE, START, WORKER, LOCK = "provenance.json", "start.json", "worker.json", "worker.lock"
LOG, CANCEL = "worker.log", "cancel"

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_STARTING_S = 20.0  # a worker that was just started has this long to import and take its lock
_POLITE_S = 1.5  # how long a worker may take to obey a cancel before its process is ended
_PROBE_S = 0.02  # another reader may hold the lock for an instant while it looks; a worker holds it for good


class Phase(StrEnum):
    """Where a run stands. INTERRUPTED: the worker is gone before the end; the run can be started again."""

    QUEUED = "queued"
    RUNNING = "running"
    SCREENING = "screening"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


ACTIVE = frozenset({Phase.QUEUED, Phase.RUNNING, Phase.SCREENING})


@dataclass(frozen=True)
class RunStatus:
    """Where a run stands.

    stage : 1 or 2
    step, total_steps : steps done, and to do, over both stages
    elapsed_s : time spent at work, over all resumes; waiting is not counted
    remaining_s : estimate for the rest of the optimisation; None when there is none
    restarts : candidates that died and were restarted so far
    message : why a run failed, or what can be done about an interrupted one; else empty
    """

    phase: Phase
    stage: int
    step: int
    total_steps: int
    elapsed_s: float = 0.0
    remaining_s: float | None = None
    restarts: int = 0
    message: str = ""


@dataclass(frozen=True)
class Run:
    """One run: a folder and what can be read from it. Reads never wait for the worker."""

    folder: Path

    @property
    def id(self) -> str:
        """The folder's name."""
        return self.folder.name

    def problem(self) -> DesignProblem:
        """What was asked. Raises InputError if the file is no problem, FileNotFoundError if it is missing."""
        return DesignProblem.from_json((self.folder / PROBLEM).read_text(encoding="utf-8"))

    def created(self) -> datetime:
        """When the run was created (aware, UTC)."""
        written = self.provenance().get("created")
        if written:
            return datetime.fromisoformat(written)
        return datetime.fromtimestamp((self.folder / PROBLEM).stat().st_mtime, UTC)

    def status(self) -> RunStatus:
        """Where the run stands; a run whose worker is gone is INTERRUPTED."""
        status = self.stored_status()
        if status.phase not in ACTIVE or _may_be_at_work(self.folder):
            return status
        status = self.stored_status()  # it may have ended properly between the two looks
        if status.phase not in ACTIVE or not _was_started(self.folder):
            return status
        return interrupted(status)

    def stored_status(self) -> RunStatus:
        """The status as last written, whether or not its writer still lives."""
        stored = read_json(self.folder / STATUS)
        if stored is None:
            return queued(self.problem())
        names = {f.name for f in fields(RunStatus)}
        kept = {name: value for name, value in stored.items() if name in names}
        return RunStatus(**{**kept, "phase": Phase(kept["phase"])})

    def progress(self) -> pd.DataFrame:
        """The recorded steps, columns PROGRESS_COLUMNS: best, median, 5th and 95th percentile of the batch.

        "best" is the highest Tc (K), the lowest formation energy (eV/atom), the lowest integer loss.
        """
        records = read_records(self.folder / PROGRESS)
        rows = [[record[name] for name in PROGRESS_COLUMNS] for record in records]
        return pd.DataFrame(rows, columns=list(PROGRESS_COLUMNS))

    def top(self) -> list[dict]:
        """The five best distinct compositions of the last record.

        Each has formula, tc_K, formation_energy_eV_per_atom.
        """
        records = read_records(self.folder / PROGRESS, last=True)
        return records[-1]["top"] if records else []

    def candidates(self) -> pd.DataFrame:
        """The candidates, the columns of `core.evaluation.table.COLUMNS`. Raises FileNotFoundError before the end."""
        from core.evaluation.table import read

        return read(pd.read_parquet(self.folder / TABLE))

    def csv(self) -> str:
        """The candidates as CSV text. Raises FileNotFoundError before the end."""
        return (self.folder / CSV).read_bytes().decode("utf-8")

    def summary(self) -> dict:
        """base, funnel, restarts, device, status, best_tc_K, best_formula, n_passing of a finished run.

        "best" is of the candidates that pass every screen, None if none does. Raises FileNotFoundError before
        the end.
        """
        return json.loads((self.folder / RESULT).read_text(encoding="utf-8"))

    def trajectory(self, candidate: int) -> pd.DataFrame:
        """One candidate along the run, about 200 rows at most.

        Columns step, tc_K, formation_energy_eV_per_atom, integer_loss.

        Raises IndexError for a candidate that there is not.
        """
        problem = self.problem()
        settings, stages = problem.settings, generator_of(problem).stages(problem)
        if not 0 <= candidate < settings.candidates:
            raise IndexError(f"candidate {candidate} of {settings.candidates}")
        values = _read_trajectory(self.folder / TRAJECTORY, settings.candidates)[:, candidate]
        steps = recorded_steps(total_steps(stages), TRAJECTORY_RECORDS)[: len(values)]
        table = pd.DataFrame(values.astype(np.float64), columns=list(PROGRESS_QUANTITIES))
        table.insert(0, "step", np.array(steps, dtype=np.int64))
        return table

    def provenance(self) -> dict:
        """Versions, checksums of the checkpoints, seed, device, threads; before the start only `created`."""
        return read_json(self.folder / PROVENANCE) or {}


def runs_folder() -> Path:
    """Where runs are kept: TC_STUDIO_RUNS, or runs/ in the project."""
    return Path(os.environ.get("TC_STUDIO_RUNS") or PROJECT / "runs").absolute()


def max_at_once() -> int:
    """How many workers may optimise at once: TC_STUDIO_WORKERS, or MAX_AT_ONCE."""
    given = os.environ.get("TC_STUDIO_WORKERS", "")
    return max(1, int(given)) if given.isdigit() else MAX_AT_ONCE


def create(problem: DesignProblem) -> Run:
    """A new run in the runs folder, not started. Raises InputError for the first thing that is wrong."""
    now = datetime.now(UTC)
    base = re.sub(r"[^A-Za-z0-9.]+", "-", problem.base)[:40].strip("-.")
    name = f"{now:%Y%m%d-%H%M%S}-{base or 'run'}-{secrets.token_hex(2)}"
    return create_in(problem, runs_folder() / name)


def create_in(problem: DesignProblem, folder: Path) -> Run:
    """A new run in a folder that is empty or not there yet. Raises InputError for a bad problem or folder."""
    from core.generation.validation import check
    from core.predictors.device import resolve_device

    for error in check(problem):
        raise error
    resolve_device(problem.device)
    folder = Path(folder).absolute()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError("out", folder, "there is something in this folder", "Name a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    run = Run(folder)
    write_json(folder / PROVENANCE, {"created": datetime.now(UTC).isoformat()})
    write_status(folder, queued(problem))
    write_atomically(folder / PROBLEM, problem.to_json())  # last: a folder with a problem is a run
    return run


def start(run: Run, waiting: StandBy | None = None) -> None:
    """Start the worker of a new, interrupted, cancelled or failed run; a busy or finished one is left alone.

    waiting : may have a worker that is ready
    """
    status = run.status()
    if status.phase is Phase.FINISHED or _may_be_at_work(run.folder):
        return
    (run.folder / CANCEL).unlink(missing_ok=True)
    write_status(run.folder, replace(status, phase=Phase.QUEUED, remaining_s=None, message=""))
    (run.folder / WORKER).unlink(missing_ok=True)
    began = time.time()
    process = waiting and waiting.take()
    # Noted before it is sent: from then on the folder is the worker's.
    write_json(run.folder / START, {"time": began, "pid": process.pid if process else None})
    if not process or not waiting.send(process, run.folder):
        with (run.folder / LOG).open("ab") as log:
            process = new_worker(str(run.folder), stdin=subprocess.DEVNULL, output=log)
        write_json(run.folder / START, {"time": began, "pid": process.pid})
    # A process that ended stays in the process table, looking alive, until its parent has waited for it.
    threading.Thread(target=process.wait, daemon=True).start()


def new_worker(folder: str, stdin: int, output: int | IO) -> subprocess.Popen:
    """The process `python -m core run FOLDER`; it outlives the server, and Ctrl-C there does not reach it."""
    return subprocess.Popen(
        [sys.executable, "-m", "core", "run", folder],
        cwd=PROJECT,
        stdin=stdin,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )


def cancel(run: Run) -> None:
    """Stop a run: within 2 s its status is CANCELLED and nobody works on it. An ended run stays as it is."""
    if run.status().phase not in ACTIVE | {Phase.INTERRUPTED}:
        return
    (run.folder / CANCEL).touch()
    deadline = time.monotonic() + _POLITE_S
    while time.monotonic() < deadline and _may_be_at_work(run.folder):
        time.sleep(0.02)
    if _may_be_at_work(run.folder):
        _end_worker(run.folder)
    status = run.stored_status()
    if status.phase in ACTIVE | {Phase.INTERRUPTED}:
        write_status(run.folder, replace(status, phase=Phase.CANCELLED, remaining_s=None, message=""))
    (run.folder / CANCEL).unlink(missing_ok=True)


def delete(run: Run) -> None:
    """Remove a run and all its files; it is cancelled first."""
    cancel(run)
    shutil.rmtree(run.folder)


def list_runs() -> list[Run]:
    """Every run in the runs folder, newest first."""
    folder = runs_folder()
    found = [Run(f) for f in folder.iterdir() if _is_run(f)] if folder.is_dir() else []
    return sorted(found, key=lambda run: (run.created(), run.id), reverse=True)


def get(run_id: str) -> Run | None:
    """The run of this name in the runs folder; None if there is none, or the name is no plain folder name."""
    if not isinstance(run_id, str) or not _ID.fullmatch(run_id):
        return None
    folder = runs_folder() / run_id
    return Run(folder) if _is_run(folder) else None


def _is_run(folder: Path) -> bool:
    return _ID.fullmatch(folder.name) is not None and (folder / PROBLEM).is_file()


# Is somebody at work?


def is_locked(path: Path) -> bool:
    """Whether somebody holds this lock file."""
    try:
        with FileLock(path).acquire(timeout=_PROBE_S, poll_interval=_PROBE_S / 4):
            return False
    except Timeout:
        return True
    except OSError:  # a folder that cannot be written to: nobody can work in it
        return False


def _may_be_at_work(folder: Path) -> bool:
    """Whether the run's worker lives, or was started a moment ago and has not taken its lock yet."""
    return is_locked(folder / LOCK) or _is_starting(folder)


def _was_started(folder: Path) -> bool:
    return (folder / START).exists() or (folder / WORKER).exists()


def _is_starting(folder: Path) -> bool:
    note = read_json(folder / START)
    if note is None or (folder / WORKER).exists() or not 0 <= time.time() - note["time"] < _STARTING_S:
        return False
    return note["pid"] is None or _process_exists(note["pid"])


def _process_exists(pid: int) -> bool:
    if os.name != "posix":  # asking with signal 0 would end the process there
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _end_worker(folder: Path) -> None:
    """End the process at work in this folder, and wait until the system has freed its lock."""
    pid = (read_json(folder / WORKER) or read_json(folder / START) or {}).get("pid")
    if pid is None or pid == os.getpid():
        return
    try:
        os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    except (ProcessLookupError, PermissionError):
        return
    deadline = time.monotonic() + 0.4
    while time.monotonic() < deadline and _may_be_at_work(folder):
        time.sleep(0.01)


# Files. Whoever reads may come at any moment, so everything is written beside its place and moved there.


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a file so that a reader finds the old content or the new, never a part."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    partial.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    for attempt in range(20):
        try:
            return os.replace(partial, path)
        except PermissionError:  # Windows, while somebody reads the old file
            if attempt == 19:
                raise
            time.sleep(0.01)


def write_json(path: Path, content: dict) -> None:
    """Write JSON atomically."""
    write_atomically(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def read_json(path: Path) -> dict | None:
    """The JSON object in a file, or None if there is no such file or nothing readable in it."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def write_status(folder: Path, status: RunStatus) -> None:
    """Write status.json."""
    write_json(folder / STATUS, asdict(status))


def queued(problem: DesignProblem) -> RunStatus:
    """The status of a run that was not started."""
    stages = generator_of(problem).stages(problem)
    return RunStatus(Phase.QUEUED, stage_at(stages, 0), 0, total_steps(stages))


def interrupted(status: RunStatus) -> RunStatus:
    """The same status, as INTERRUPTED."""
    where = f"at step {status.step:,} of {status.total_steps:,}"
    message = f"Interrupted {where}. Start it again to go on from there."
    return replace(status, phase=Phase.INTERRUPTED, remaining_s=None, message=message)


def recorded_steps(total: int, most: int) -> list[int]:
    """The steps (from 0) that are recorded: every ceil(total / most)-th and the last one."""
    every = max(1, math.ceil(total / most))
    return sorted({*range(0, total, every), total - 1})


def read_records(path: Path, last: bool = False) -> list[dict]:
    """The records of progress.jsonl, or only the last; a line that is still being written is left out."""
    try:
        lines = path.read_bytes().split(b"\n")[:-1]
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in (lines[-1:] if last else lines)]


def _read_trajectory(path: Path, candidates: int) -> np.ndarray:
    """The records written so far, (records, candidates, 3) float32."""
    record = candidates * len(PROGRESS_QUANTITIES) * 4
    count = path.stat().st_size // record if path.exists() else 0
    shape = (count, candidates, len(PROGRESS_QUANTITIES))
    return np.memmap(path, np.float32, "r", shape=shape) if count else np.zeros(shape, np.float32)
