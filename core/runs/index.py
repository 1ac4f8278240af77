"""The index of a runs folder: what a list of many runs shows, without opening every folder.

`.index.json` beside the runs has one row for each run that has ended, with the time at which its folder changed last.
Every file of a run is written under another name and renamed, which changes that time; then, and for runs that have not
ended, the folder itself is read. The folders stay the truth: a missing, damaged or old index is made anew, and one that
cannot be written is done without.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import astuple, dataclass
from pathlib import Path

from core import json_text
from core.files import read_bounded, write_atomically
from core.limits import PROBLEM_BYTES
from core.runs import layout
from core.runs.documents import PROVENANCE, RESULT, STATUS, is_count, is_text, is_time
from core.runs.run import Run
from core.runs.status import ACTIVE, WITH_RESULT, Phase

FILE = ".index.json"
_VERSION = 1
_INDEX_BYTES = 200_000_000
_BASE_CHARACTERS = 200


@dataclass(frozen=True)
class Entry:
    """One run in a list.

    changed_ns : when a name in its folder changed last (ns since 1970)
    created : when the run was created, in ISO 8601 and UTC
    phase : as stored; DAMAGED if a file that the list needs is damaged. `Run.status` knows more
    base : formula of the base as in the problem; "" if it cannot be read
    best_tc_K, n_passing : of a finished run, else None
    """

    id: str
    changed_ns: int
    created: str
    phase: Phase
    base: str
    best_tc_K: float | None
    n_passing: int | None


def entries(folder: Path | None = None) -> list[Entry]:
    """Every run in a runs folder (None: that of the app), newest first."""
    folder = layout.runs_folder() if folder is None else folder
    stored = _stored(folder)
    found = [_entry(folder, name, changed_ns, stored.get(name)) for name, changed_ns in _folders(folder)]
    ended = {entry.id: entry for entry in found if entry is not None and entry.phase not in ACTIVE}
    if ended != stored:
        _store(folder, ended)
    return sorted((e for e in found if e is not None), key=lambda e: (e.created, e.id), reverse=True)


def renew(folder: Path) -> list[Entry]:
    """Make the index of a runs folder anew, and return its entries."""
    with suppress(OSError):
        (folder / FILE).unlink(missing_ok=True)
    return entries(folder)


def _folders(folder: Path) -> list[tuple[str, int]]:
    """Name and time of change of every folder that may be a run."""
    found = []
    with suppress(OSError), os.scandir(folder) as each:
        for one in each:
            with suppress(OSError):  # deleted in the meantime
                if layout.is_run_id(one.name) and one.is_dir():
                    found.append((one.name, one.stat().st_mtime_ns))
    return found


def _entry(folder: Path, name: str, changed_ns: int, stored: Entry | None) -> Entry | None:
    """The stored entry if the folder has not changed since, else a new one; None for a folder that is no run."""
    if stored is not None and stored.changed_ns == changed_ns:
        return stored
    run = Run(folder / name)
    if not layout.is_run(run.folder):
        return None
    status, result, provenance = (document.read(run.folder) for document in (STATUS, RESULT, PROVENANCE))
    base = _base(run.folder)
    phase = run.stored_status().phase
    documents = (status, provenance, result) if phase in WITH_RESULT else (status, provenance)
    if base is None or any(read is not None and not isinstance(read, dict) for read in documents):
        phase = Phase.DAMAGED
    summary = result if isinstance(result, dict) and phase in WITH_RESULT else {}
    best, passing = summary.get("best_tc_K"), summary.get("n_passing")
    return Entry(name, changed_ns, run.created().isoformat(), phase, base or "", best, passing)


def _base(folder: Path) -> str | None:
    """The base in the problem file; None if it cannot be read."""
    try:
        problem = json_text.parse(read_bounded(folder / layout.PROBLEM, PROBLEM_BYTES), PROBLEM_BYTES)
    except (OSError, json_text.JsonError):
        return None
    base = problem.get("base") if isinstance(problem, dict) else None
    return base[:_BASE_CHARACTERS] if isinstance(base, str) else None


def _stored(folder: Path) -> dict[str, Entry]:
    """The rows of the index file; none if it is missing, damaged or of another version."""
    try:
        content = json_text.parse(read_bounded(folder / FILE, _INDEX_BYTES), _INDEX_BYTES)
        if content["version"] != _VERSION:
            return {}
        rows = [Entry(*row) for row in content["runs"]]
        return {row.id: _checked(row) for row in rows}
    except (OSError, ValueError, TypeError, KeyError, IndexError):
        return {}


def _checked(row: Entry) -> Entry:
    """The row with its phase as a Phase. Raises ValueError for values of other types."""
    numbers = row.best_tc_K is None or isinstance(row.best_tc_K, int | float)
    counts = is_count(row.changed_ns, 0, 2**62) and (row.n_passing is None or is_count(row.n_passing))
    if not (numbers and counts and is_text(row.base) and is_time(row.created)):
        raise ValueError(row)
    return Entry(row.id, row.changed_ns, row.created, Phase(row.phase), row.base, row.best_tc_K, row.n_passing)


def _store(folder: Path, ended: dict[str, Entry]) -> None:
    """Write the index; a folder that cannot be written is listed without one."""
    rows = [list(astuple(entry)) for entry in ended.values()]
    text = json.dumps({"version": _VERSION, "runs": rows}, ensure_ascii=False)
    with suppress(OSError):
        write_atomically(folder / FILE, text, private=True)
