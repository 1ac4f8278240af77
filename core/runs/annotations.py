"""Stars and notes on compositions, in one file of the folder of all runs.

`annotations.json`: formula -> star and note. The runs themselves are never changed. Several processes write the file
under a lock; a reader finds the old content or the new content.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core import json_text
from core.errors import InputError
from core.files import acquire_lock, json_content, make_private_folder, read_bounded, storage_errors, write_json
from core.limits import DOCUMENT_BYTES, FORMULA_CHARACTERS
from core.runs import layout
from core.runs.documents import Field, first_wrong, is_text

FILE, LOCK = "annotations.json", ".annotations.lock"
NOTE_CHARACTERS = 2_000
_LOCK_S = 10.0
_ANNOTATION = {
    "starred": Field(lambda value: isinstance(value, bool), "true or false"),
    "note": Field(is_text, "text"),
}


@dataclass(frozen=True)
class Annotation:
    """What a user has recorded about a composition. Raises InputError for a note above NOTE_CHARACTERS."""

    starred: bool = False
    note: str = ""

    def __post_init__(self):
        if len(self.note) > NOTE_CHARACTERS:
            raise InputError("note", self.note, f"a note has at most {NOTE_CHARACTERS:,} characters, and this one has "
                             f"{len(self.note):,}", "Shorten it")  # fmt: skip


def annotations(folder: Path | None = None) -> dict[str, Annotation]:
    """Formula -> annotation; empty without the file.

    folder : of the runs; None: that of the app

    Raises InputError if the file is damaged.
    """
    path = _place(folder) / FILE
    try:
        content = json_text.parse(read_bounded(path, DOCUMENT_BYTES), DOCUMENT_BYTES)
    except FileNotFoundError:
        return {}
    except (OSError, json_text.JsonError) as error:
        raise _damaged(path, str(error)) from None
    found = content.get("compositions") if isinstance(content, dict) else None
    if not isinstance(found, dict):
        raise _damaged(path, "has no “compositions”")
    for each in found.values():
        if wrong := first_wrong(each, _ANNOTATION):
            raise _damaged(path, wrong)
    return {formula: Annotation(each["starred"], each["note"][:NOTE_CHARACTERS]) for formula, each in found.items()}


def annotate(formula: str, annotation: Annotation, folder: Path | None = None) -> None:
    """Store the annotation of a composition in place of the earlier one; an empty one removes it.

    formula : as in the tables of candidates

    Raises InputError for a formula that is too long, a damaged file, which is kept, or too many annotations;
    StorageError if the file cannot be written.
    """
    if not 0 < len(formula) <= FORMULA_CHARACTERS:
        raise InputError("formula", formula, "this is no formula", "Choose a candidate")
    place = _place(folder)
    with storage_errors(place):
        make_private_folder(place)
        lock = acquire_lock(place / LOCK, _LOCK_S)
    if lock is None:
        raise InputError("annotations", place / LOCK, "another process is writing the annotations", "Try again")
    try:
        kept = annotations(place) | {formula: annotation}
        _store(place / FILE, {name: each for name, each in kept.items() if each != Annotation()})
    finally:
        lock.release()


def _store(path: Path, kept: dict[str, Annotation]) -> None:
    content = {"compositions": {name: {"starred": each.starred, "note": each.note} for name, each in kept.items()}}
    if len(json_content(content).encode()) > DOCUMENT_BYTES:
        raise InputError("annotations", path, f"the annotations would need more than {DOCUMENT_BYTES / 1e6:g} MB",
                         "Shorten or remove some")  # fmt: skip
    with storage_errors(path):
        write_json(path, content, durable=True, private=True)


def _place(folder: Path | None) -> Path:
    return layout.runs_folder() if folder is None else folder


def _damaged(path: Path, wrong: str) -> InputError:
    return InputError("annotations", path, f"the file of stars and notes is damaged: it {wrong}",
                      "Restore it from a copy, or move it away; the runs are not affected")  # fmt: skip
