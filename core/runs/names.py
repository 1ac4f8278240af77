"""The names that users give to runs, in one file of the folder of all runs: `names.json`, id -> name.

The runs themselves are never changed. Several processes write the file under a lock; a reader finds the old content or
the new content. A damaged file is kept, and the runs are then shown without names.
"""

from __future__ import annotations

from pathlib import Path

from core import json_text
from core.errors import InputError
from core.files import StorageError, acquire_lock, make_private_folder, read_bounded, storage_errors, write_json
from core.limits import DOCUMENT_BYTES
from core.runs import layout

FILE, LOCK = "names.json", ".names.lock"
CHARACTERS = 100  # of a name
_LOCK_S = 10.0


def names(folder: Path | None = None) -> dict[str, str]:
    """Id -> name of every run that has one; none if the file is damaged. folder : of the runs; None: that of the app"""
    try:
        return _read(_place(folder) / FILE)
    except InputError:
        return {}


def _read(path: Path) -> dict[str, str]:
    """The content of the file; empty without one. Raises InputError if it is damaged."""
    try:
        content = json_text.parse(read_bounded(path, DOCUMENT_BYTES), DOCUMENT_BYTES)
    except FileNotFoundError:
        return {}
    except (OSError, json_text.JsonError) as error:
        raise _damaged(path, str(error)) from None
    if not isinstance(content, dict) or not all(isinstance(text, str) for text in content.values()):
        raise _damaged(path, "is no object of texts")
    return {run_id: text[:CHARACTERS] for run_id, text in content.items()}


def _damaged(path: Path, wrong: str) -> InputError:
    return InputError("names", path, f"the file of the names of runs is damaged: it {wrong}",
                      "Restore it from a copy, or move it away; the runs are not affected")  # fmt: skip


def give_name(run_id: str, name: str, folder: Path | None = None) -> None:
    """Store the name of a run in place of the earlier one; an empty one removes it. Blanks around it are dropped.

    Raises InputError for a name that is too long or has a line break, and for a damaged file, which is kept;
    StorageError if the file cannot be written.
    """
    name = name.strip()
    if len(name) > CHARACTERS or not name.isprintable():
        rule = f"the name of a run is one line of at most {CHARACTERS} characters"
        raise InputError("name", name, rule, "Shorten it")
    place = _place(folder)
    with storage_errors(place):
        make_private_folder(place)
        lock = acquire_lock(place / LOCK, _LOCK_S)
    if lock is None:
        raise StorageError("names", place / LOCK, "another process is writing the names", "Try again")
    try:
        kept = {key: text for key, text in (_read(place / FILE) | {run_id: name}).items() if text}
        with storage_errors(place):
            write_json(place / FILE, kept, private=True)
    finally:
        lock.release()


def _place(folder: Path | None) -> Path:
    return layout.runs_folder() if folder is None else folder
