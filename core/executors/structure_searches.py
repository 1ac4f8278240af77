"""Searches for crystal structures in the background: a folder with the formulas, carried out by a worker process.

search.json     the formulas and the settings
progress.json   state, finished formulas, and what the worker does
search.lock     locked while the worker exists; the system frees it however the worker ends
cancel          empty; asks the worker to stop
search.log      output of the worker
structures.csv and the other files are those of `core.structures.folder`.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import InputError
from core.files import (
    acquire_lock,
    is_locked,
    make_private_folder,
    open_private,
    read_json,
    storage_errors,
    write_json,
)
from core.paths import PROJECT
from core.process_identity import ProcessIdentity, identity_of
from core.runs import layout
from core.structures.folder import FINISHED as FINISHED_FOLDER
from core.structures.folder import file_name
from core.structures.search_work import SearchSettings, folder_settings

if TYPE_CHECKING:
    from filelock import FileLock

SEARCH, PROGRESS, LOCK, CANCEL, LOG = "search.json", "progress.json", "search.lock", "cancel", "search.log"
QUEUED, RUNNING, FINISHED, CANCELLED, FAILED, INTERRUPTED = (
    "queued", "running", "finished", "cancelled", "failed", "interrupted",
)  # fmt: skip
ACTIVE = (QUEUED, RUNNING)
MOST_FORMULAS = 1000  # of a search
_OF_A_RUN = "structures"  # folder of the searches in the folder of a run
_SHARED = ".structures"  # folder beside the runs: searches of single formulas, reference energies, the slot
_GRACE_S, _KILL_S, _POLL_S = 1.2, 0.6, 0.02


@dataclass(frozen=True)
class SearchState:
    """How far a search is.

    state : QUEUED and so on; doing : what the worker does, in words; message : the error of a failed search
    done : number of finished formulas
    formulas : all of the search, in their order
    """

    state: str
    done: int
    formulas: tuple[str, ...]
    doing: str = ""
    message: str = ""

    @property
    def active(self) -> bool:
        """Whether a worker exists or is being started."""
        return self.state in ACTIVE


def shared_folder() -> Path:
    """The folder beside the runs that all searches share."""
    return layout.runs_folder() / _SHARED


def folder_of_run(run_folder: Path, settings: SearchSettings) -> Path:
    """The folder of the searches for the candidates of a run; other settings, or another library, have another."""
    return run_folder / _OF_A_RUN / _key(settings)


def folder_of_formula(formula: str, settings: SearchSettings) -> Path:
    """The folder of the search for a single formula."""
    return shared_folder() / "searches" / f"{file_name(formula)}-{_key(settings)}"


def _key(settings: SearchSettings) -> str:
    content = json.dumps(asdict(folder_settings(settings)), sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:10]


def submit(folder: Path, formulas: Sequence[str], settings: SearchSettings) -> None:
    """Search for the structures of these formulas too, by a new worker if there is none; returns at once.

    Raises InputError for too many formulas, StorageError if the folder cannot be written.
    """
    before = read_json(folder / SEARCH) or {}
    every = list(dict.fromkeys([*before.get("formulas", []), *formulas]))
    if len(every) > MOST_FORMULAS:
        rule = f"a search has at most {MOST_FORMULAS} formulas"
        raise InputError("formulas", len(every), rule, "Use the command: python -m core structures")
    with storage_errors(folder):
        make_private_folder(shared_folder())
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / SEARCH, {"formulas": every, "settings": asdict(settings)})
        if state(folder).active:
            return
        (folder / CANCEL).unlink(missing_ok=True)
        _start(folder)


def _start(folder: Path) -> None:
    with open_private(folder / LOG, "ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "core", "structures", "--search", str(folder)],
            cwd=PROJECT, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            env={**os.environ, "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")},
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )  # fmt: skip
    write_progress(folder, QUEUED, pid=process.pid)
    threading.Thread(target=process.wait, daemon=True).start()  # otherwise the ended process remains in the table


def write_progress(folder: Path, state: str, doing: str = "", message: str = "", pid: int | None = None) -> None:
    """Write the state of a search. pid : of the worker; None: this process"""
    process = identity_of(os.getpid() if pid is None else pid).to_json()
    note = {"state": state, "doing": doing, "message": message, "process": process, "time": time.time()}
    write_json(folder / PROGRESS, note)


def state(folder: Path) -> SearchState:
    """How far a search is; without formulas, and finished, if there is none in this folder."""
    asked, note = read_json(folder / SEARCH) or {}, read_json(folder / PROGRESS) or {}
    formulas = tuple(asked.get("formulas", ()))
    done = sum(_is_finished(folder, formula) for formula in formulas)
    found = note.get("state", FINISHED)
    if found in ACTIVE and not _has_worker(folder, note):
        found = INTERRUPTED
    if found == FINISHED and done < len(formulas) and formulas and not note:
        found = INTERRUPTED
    return SearchState(found, done, formulas, note.get("doing", ""), note.get("message", ""))


def _has_worker(folder: Path, note: Mapping) -> bool:
    if is_locked(folder / LOCK):
        return True
    process = ProcessIdentity.from_json(note.get("process"))
    return note.get("state") == QUEUED and process is not None and process.exists()  # it imports its modules


def cancel(folder: Path) -> None:
    """Stop a search: within 2 s it has no worker; what is finished stays. Raises InputError if it goes on for now."""
    if not state(folder).active:
        return
    with storage_errors(folder):
        (folder / CANCEL).touch()
        if not _gone(folder, _GRACE_S):
            process = ProcessIdentity.from_json((read_json(folder / PROGRESS) or {}).get("process"))
            if process is None or not process.kill() or not _gone(folder, _KILL_S):
                raise InputError("folder", folder, "its worker has been asked to stop, and has not stopped yet",
                                 "Wait a few seconds")  # fmt: skip
        write_progress(folder, CANCELLED)
        (folder / CANCEL).unlink(missing_ok=True)


def _gone(folder: Path, timeout_s: float) -> bool:
    """Wait until a search has no worker; false if it still has one after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while _has_worker(folder, read_json(folder / PROGRESS) or {}):
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_S)
    return True


def rows(folder: Path, formula: str) -> list[dict[str, str]]:
    """The rows of a formula as in structures.csv, by rank; empty if it has none yet."""
    stored = _stored(folder, formula)
    return stored["rows"] if stored else []


def first_structures(folder: Path) -> dict[str, dict[str, str]]:
    """Formula -> the row of its first structure, for the formulas of a search that have one."""
    found = {formula: rows(folder, formula) for formula in state(folder).formulas}
    return {formula: own[0] for formula, own in found.items() if own and not own[0]["error"]}


def _stored(folder: Path, formula: str) -> dict | None:
    stored = read_json(folder / FINISHED_FOLDER / f"{file_name(formula)}.json")
    return stored if stored is not None and stored.get("formula") == formula else None


def _is_finished(folder: Path, formula: str) -> bool:
    stored = _stored(folder, formula)
    return stored is not None and stored.get("placed", True)


def lock(folder: Path) -> FileLock | None:
    """The lock of a search, acquired by its worker; None if it has another worker."""
    return acquire_lock(folder / LOCK, 2.0)
