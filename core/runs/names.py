"""The names that users give to runs, in one file of the folder of all runs: `names.json`, id -> name.

A damaged file is kept, and the runs are then shown without names.
"""

from __future__ import annotations

from pathlib import Path

from core.errors import InputError
from core.runs.shared_json import SharedJson

CHARACTERS = 100  # of a name
NAMES = SharedJson("names", "the names of runs")


def names(folder: Path | None = None) -> dict[str, str]:
    """Id -> name of every run that has one; none if the file is damaged. folder : of the runs; None: that of the app"""
    try:
        return _read(folder)
    except InputError:
        return {}


def _read(folder: Path | None) -> dict[str, str]:
    """The content of the file; empty without one. Raises InputError if it is damaged."""
    content = NAMES.read(folder)
    if content is None:
        return {}
    if not isinstance(content, dict) or not all(isinstance(text, str) for text in content.values()):
        raise NAMES.damaged(folder, "is no object of texts")
    return {run_id: text[:CHARACTERS] for run_id, text in content.items()}


def give_name(run_id: str, name: str, folder: Path | None = None) -> None:
    """Store the name of a run in place of the earlier one; an empty one removes it. Blanks around it are dropped.

    Raises InputError for a name that is too long or has a line break, and for a damaged file, which is kept;
    StorageError if the file cannot be written.
    """
    name = name.strip()
    if len(name) > CHARACTERS or not name.isprintable():
        rule = f"the name of a run is one line of at most {CHARACTERS} characters"
        raise InputError("name", name, rule, "Shorten it")
    NAMES.change(folder, lambda: {key: text for key, text in (_read(folder) | {run_id: name}).items() if text})
