"""Stars and notes on compositions, in one file of the folder of all runs: `annotations.json`, by formula."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError
from core.limits import FORMULA_CHARACTERS
from core.runs.documents import Field, first_wrong, is_text
from core.runs.shared_json import SharedJson

NOTE_CHARACTERS = 2_000
ANNOTATIONS = SharedJson("annotations", "the stars and notes")
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
    content = ANNOTATIONS.read(folder)
    if content is None:
        return {}
    found = content.get("compositions") if isinstance(content, dict) else None
    if not isinstance(found, dict):
        raise ANNOTATIONS.damaged(folder, "has no “compositions”")
    for each in found.values():
        if wrong := first_wrong(each, _ANNOTATION):
            raise ANNOTATIONS.damaged(folder, wrong)
    return {formula: Annotation(each["starred"], each["note"][:NOTE_CHARACTERS]) for formula, each in found.items()}


def annotate(formula: str, annotation: Annotation, folder: Path | None = None) -> None:
    """Store the annotation of a composition in place of the earlier one; an empty one removes it.

    formula : as in the tables of candidates

    Raises InputError for a formula that is too long, a damaged file, which is kept, or too many annotations;
    StorageError if the file cannot be written.
    """
    if not 0 < len(formula) <= FORMULA_CHARACTERS:
        raise InputError("formula", formula, "this is no formula", "Choose a candidate")

    def content() -> dict:
        kept = annotations(folder) | {formula: annotation}
        return {"compositions": {
            name: {"starred": each.starred, "note": each.note} for name, each in kept.items() if each != Annotation()
        }}  # fmt: skip

    ANNOTATIONS.change(folder, content)
