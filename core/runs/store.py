"""The folder of all runs: create, list, get and delete a run."""

from __future__ import annotations

import re
import secrets
import shutil
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from core.errors import InputError
from core.files import (
    StorageError,
    flush_folder,
    make_private_folder,
    storage_errors,
    write_atomically,
    write_json,
)
from core.generation.registry import generator_of
from core.generation.validation import check
from core.predictors.device import resolve_device
from core.problem.problem import DesignProblem
from core.runs import layout
from core.runs.ownership import has_worker
from core.runs.run import Run
from core.runs.status import new_status, write_status

_BASE_CHARACTERS = 40  # maximum length of the base formula in a run id


def create(problem: DesignProblem) -> Run:
    """A new run in the runs folder, not started. Raises InputError with the first error of the problem."""
    now = datetime.now(UTC)
    base = re.sub(r"[^A-Za-z0-9.]+", "-", problem.base)[:_BASE_CHARACTERS].strip("-.")
    name = f"{now:%Y%m%d-%H%M%S}-{base or 'run'}-{secrets.token_hex(2)}"
    return create_in(problem, layout.runs_folder() / name)


def create_in(problem: DesignProblem, folder: Path, threads: int | None = None) -> Run:
    """A new run in a folder that is empty or does not exist yet, not started.

    threads : number of threads of the run, wherever it is carried out; None: that of the process of its first start

    Raises InputError for a problem with errors, a device that this machine does not have, or a folder with
    files in it, StorageError if the folder cannot be written; nothing is then left of the run.
    """
    for error in check(problem):
        raise error
    resolve_device(problem.device)
    folder = Path(folder).absolute()
    with storage_errors(folder, "out"):
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise InputError("out", folder, "it exists and is not an empty folder", "Name a new folder")
        existed = folder.exists()
        make_private_folder(folder)
    try:
        with storage_errors(folder, "out"):
            _write_new(problem, folder, threads)
    except StorageError:
        _remove_new(folder, existed)
        raise
    return Run(folder)


def _write_new(problem: DesignProblem, folder: Path, threads: int | None) -> None:
    """The files of a new run; when the function returns, a power failure does not undo it."""
    text = problem.to_json()
    created: dict = {"created": datetime.now(UTC).isoformat(), "problem": text}
    created |= {} if threads is None else {"threads": threads}
    write_json(folder / layout.PROVENANCE, created, private=True)
    write_status(folder, new_status(generator_of(problem).schedule(problem)))
    # Last: a folder with a problem is a run.
    write_atomically(folder / layout.PROBLEM, text, durable=True, private=True)
    flush_folder(folder.parent)


def _remove_new(folder: Path, existed: bool) -> None:
    """Remove what was written of a run that could not be created."""
    with suppress(OSError):
        for name in (layout.PROVENANCE, layout.STATUS, layout.PROBLEM):
            (folder / name).unlink(missing_ok=True)
        if not existed:
            folder.rmdir()


def list_runs() -> list[Run]:
    """Every run in the runs folder, newest first, damaged ones too. `core.runs.index` lists many runs fast."""
    folder = layout.runs_folder()
    found = [Run(f) for f in folder.iterdir() if layout.is_run(f)] if folder.is_dir() else []
    return sorted(found, key=lambda run: (run.created(), run.id), reverse=True)


def get(run_id: str) -> Run | None:
    """The run of this id in the runs folder; None if there is none, or if the id is not valid."""
    if not layout.is_run_id(run_id):
        return None
    folder = layout.runs_folder() / run_id
    return Run(folder) if layout.is_run(folder) else None


def delete(run: Run) -> None:
    """Remove a run and all its files.

    Raises InputError if the run has a worker, StorageError if a file cannot be removed.
    """
    if has_worker(run.folder):
        raise InputError("folder", run.folder, "a worker is running this run", "Cancel the run first")
    with storage_errors(run.folder):
        if run.folder.is_symlink():  # the link was put here; what it points to is elsewhere
            run.folder.unlink()
        else:
            shutil.rmtree(run.folder)
