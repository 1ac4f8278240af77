"""Searches for crystal structures in the background: a folder with the formulas, carried out by a worker process.

search.json     the formulas and the settings, or a structure from a file and the settings
structures.csv and the other files are those of `core.structures.folder`, and of `core.executors.background_work`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from core.chemistry.structure import Structure
from core.errors import InputError
from core.executors import background_work
from core.executors.background_work import FINISHED, INTERRUPTED, WorkState
from core.files import make_private_folder, read_json, storage_errors, write_json
from core.runs import layout
from core.structures.folder import FINISHED as FINISHED_FOLDER
from core.structures.folder import file_name
from core.structures.packed_structure import packed, unpacked
from core.structures.search_work import SearchSettings, folder_settings

SEARCH = "search.json"
MOST_FORMULAS = 1000  # of a search
_OF_A_RUN = "structures"  # folder of the searches in the folder of a run
_SHARED = ".structures"  # folder beside the runs: searches of single formulas, reference energies, the slot


@dataclass(frozen=True)
class SearchState:
    """How far a search is.

    work : state of its worker, FINISHED where there was none
    done : number of finished formulas
    formulas : all of the search, in their order
    """

    work: WorkState
    done: int
    formulas: tuple[str, ...]


def shared_folder() -> Path:
    """The folder beside the runs that all searches share."""
    return layout.runs_folder() / _SHARED


def references_folder() -> Path:
    """The folder of the energies of references by the potential, made if it is missing.

    Raises StorageError if it cannot be written.
    """
    folder = shared_folder() / "references"
    with storage_errors(folder):
        make_private_folder(shared_folder())
        folder.mkdir(exist_ok=True)
    return folder


def folder_of_run(run_folder: Path, settings: SearchSettings) -> Path:
    """The folder of the searches for the candidates of a run; other settings, or another library, have another."""
    return run_folder / _OF_A_RUN / _key(settings)


def folder_of_formula(formula: str, settings: SearchSettings) -> Path:
    """The folder of the search for a single formula."""
    return shared_folder() / "searches" / f"{file_name(formula)}-{_key(settings)}"


def folder_of_structure(structure: Structure, settings: SearchSettings) -> Path:
    """The folder of the search for a structure from a file."""
    return shared_folder() / "searches" / f"{file_name(structure.formula)}-{_key(settings, structure)}"


def _key(settings: SearchSettings, given: Structure | None = None) -> str:
    content = json.dumps(asdict(folder_settings(settings, given)), sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:10]


def submit(folder: Path, formulas: Sequence[str], settings: SearchSettings, given: Structure | None = None) -> None:
    """Search for the structures of these formulas too, by a new worker if there is none; returns at once.

    given : a structure from a file, that is relaxed in place of proposals for its formula, the only one

    Raises InputError for too many formulas, StorageError if the folder cannot be written.
    """
    before = read_json(folder / SEARCH) or {}
    stored = packed(given) if given is not None else before.get("structure")
    every = list(dict.fromkeys([*before.get("formulas", []), *formulas]))
    if len(every) > MOST_FORMULAS:
        rule = f"a search has at most {MOST_FORMULAS} formulas"
        raise InputError("formulas", len(every), rule, "Use the command: python -m core structures")
    with storage_errors(folder):
        make_private_folder(shared_folder())
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / SEARCH, {"formulas": every, "settings": asdict(settings), "structure": stored})
        background_work.start(folder, ["structures", "--search", str(folder)], threads=1)


def given_structure(folder: Path) -> Structure | None:
    """The structure from a file that a search is for; None: it is for formulas."""
    stored = (read_json(folder / SEARCH) or {}).get("structure")
    return unpacked(stored) if stored else None


def state(folder: Path) -> SearchState:
    """How far a search is; without formulas, and finished, if there is none in this folder."""
    formulas = tuple((read_json(folder / SEARCH) or {}).get("formulas", ()))
    done = sum(_is_finished(folder, formula) for formula in formulas)
    found = background_work.state(folder)
    if found.state in ("", FINISHED):  # a formula may be added while the worker ends
        found = WorkState(INTERRUPTED if done < len(formulas) else FINISHED)
    return SearchState(found, done, formulas)


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
