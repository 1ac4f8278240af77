"""Rebuilds what can be rebuilt of a damaged run, and says what was done. Nothing calls it without a request."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from core.errors import InputError
from core.files import acquire_lock, remove_partial_files, storage_errors, write_atomically, write_json
from core.problem.problem import DesignProblem
from core.runs import layout
from core.runs.damage import Remedy
from core.runs.documents import PROVENANCE, RESULT, STATUS
from core.runs.inspection import copied_problem, inspect, read_problem, stored_threads
from core.runs.ownership import LOCK_TIMEOUT_S, has_worker, remove_obstacles
from core.runs.results import table_of_csv, write_csv, write_summary, write_table
from core.runs.run import Run
from core.runs.status import Phase, RunStatus, write_status

_ORDER = (layout.PROBLEM, layout.PROVENANCE, layout.TABLE, layout.CSV, layout.STATUS, layout.START, layout.WORKER)


def rebuild(run: Run) -> list[str]:
    """Rebuild every damaged file of a run that the other files determine; one sentence for each, of what was done.

    Raises InputError if the run has a worker, StorageError if the folder cannot be written.
    """
    if has_worker(run.folder):
        raise InputError("folder", run.folder, "a worker is running this run", "Cancel the run first")
    with storage_errors(run.folder):
        done = [f"{name} was no regular file, and was removed." for name in remove_obstacles(run.folder)]
        lock = acquire_lock(run.folder / layout.LOCK, LOCK_TIMEOUT_S)
        if lock is None:
            raise InputError("folder", run.folder, "a worker has just begun this run", "Wait, or cancel the run")
        try:
            remove_partial_files(run.folder)
            return done + _rebuild_files(run)
        finally:
            lock.release()


def _rebuild_files(run: Run) -> list[str]:
    done = []
    for name in _ORDER:
        if any(d.file == name and d.remedy is Remedy.REBUILD for d in inspect(run.folder, thorough=True)):
            done.append(_ACTIONS[name](run))
    return [sentence for sentence in done if sentence]


def _problem(run: Run) -> str:
    text = copied_problem(run.folder)
    if text is None:
        return ""
    write_atomically(run.folder / layout.PROBLEM, text, durable=True, private=True)
    return f"{layout.PROBLEM} was restored from its copy in {layout.PROVENANCE}."


def _provenance(run: Run) -> str:
    """What is still readable, the time of the oldest file, the threads of the resume point, a copy of the problem."""
    kept = _readable_fields(run.folder)
    created = {"created": run.created().isoformat()}
    threads = stored_threads(run.folder)
    known = created | ({} if threads is None else {"threads": threads}) | kept
    if isinstance(read_problem(run.folder), DesignProblem):
        known["problem"] = run.problem_text()
    known["rebuilt"] = datetime.now(UTC).isoformat()
    write_json(run.folder / layout.PROVENANCE, known, durable=True, private=True)
    lost = [name for name in ("created", "threads", "checkpoints") if name not in kept]
    return (
        f"{layout.PROVENANCE} was rebuilt; lost and replaced by what other files say: {', '.join(lost) or 'nothing'}."
    )


def _readable_fields(folder: Path) -> dict:
    try:
        content = json.loads((folder / layout.PROVENANCE).read_bytes()[: 10**6])
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(content, dict):
        return {}
    fields = PROVENANCE.fields
    return {name: value for name, value in content.items() if name in fields and fields[name].test(value)}


def _table(run: Run) -> str:
    try:
        table = table_of_csv(run.csv())
    except (ValueError, KeyError, OSError):
        return ""
    write_table(run.folder, table)
    write_summary(run.folder, RESULT.content(run.folder))
    return f"{layout.TABLE} was rebuilt from {layout.CSV}, with the digits of that file."


def _csv(run: Run) -> str:
    try:
        table = run.candidates()
    except (ValueError, OSError):
        return ""
    recorded = RESULT.content(run.folder).get("files", {}).get(layout.CSV)
    write_csv(run.folder, table)
    summary = RESULT.content(run.folder)
    write_summary(run.folder, summary)
    now = RESULT.content(run.folder)["files"][layout.CSV]
    same = "" if recorded is None else ", byte for byte" if now == recorded else "; it differs in its columns or digits"
    return f"{layout.CSV} was rebuilt from {layout.TABLE}{same}."


def _status(run: Run) -> str:
    """Finished if the results are whole, otherwise interrupted, which resumes."""
    if not isinstance(read_problem(run.folder), DesignProblem):
        return ""  # the number of steps is not known
    schedule = run.schedule()
    lost = any(damage.file in layout.RESULTS for damage in inspect(run.folder, thorough=True))
    result = RESULT.content(run.folder)
    if result and not lost:
        phase = Phase.STOPPED if result["status"] == Phase.STOPPED else Phase.FINISHED
        step = min(result.get("step", schedule.steps), schedule.steps)
    else:
        records = run.progress()["step"]
        phase, step = Phase.INTERRUPTED, min(int(records.iloc[-1]) + 1 if len(records) else 0, schedule.steps)
    status = RunStatus(phase, schedule.stage_at(step), step, schedule.steps)
    write_status(run.folder, status.interrupted() if phase is Phase.INTERRUPTED else status)
    return f"{STATUS.file} was rebuilt from the other files: the run is {phase}."


def _transient(name: str) -> Callable[[Run], str]:
    def remove(run: Run) -> str:
        (run.folder / name).unlink(missing_ok=True)
        return f"{name} was removed: it described a worker that has ended."

    return remove


_ACTIONS: dict[str, Callable[[Run], str]] = {
    layout.PROBLEM: _problem,
    layout.PROVENANCE: _provenance,
    layout.TABLE: _table,
    layout.CSV: _csv,
    layout.STATUS: _status,
    layout.START: _transient(layout.START),
    layout.WORKER: _transient(layout.WORKER),
}
