"""The worker of a search for crystal structures: it carries out the formulas of the folder, when it is its turn.

Modules that load slowly are imported after the wait.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import InputError
from core.executors import background_work
from core.executors import structure_searches as searches
from core.executors.background_work import Told
from core.files import read_json

if TYPE_CHECKING:
    from core.structures.folder import Finder, Request, Work


def carry_out(folder: Path) -> str:
    """Carry out the search in a folder; returns its last state.

    Raises InputError if the folder holds no search, or another worker carries it out.
    """
    folder = folder.absolute()
    if read_json(folder / searches.SEARCH) is None:
        raise InputError("search", folder, "this folder holds no search", "Begin one on the page Structures")
    slot = searches.shared_folder() / "slot.lock"

    def work(should_stop: Callable[[], bool], told: Told) -> bool:
        return _all_formulas(folder, should_stop, told)

    return background_work.carry_out(folder, slot, "another search", work)


def _all_formulas(folder: Path, should_stop: Callable[[], bool], told: Told) -> bool:
    """Carry out the formulas, also those that are added meanwhile; whether all are finished."""
    told("loading the potential")
    from core.structures.folder import find_all
    from core.structures.given_structure import GivenStructure
    from core.structures.prototypes import load_finder
    from core.structures.relaxing_processes import RelaxingProcesses
    from core.structures.search_work import SearchSettings, finder_of, folder_settings, work_of

    settings = SearchSettings(**(read_json(folder / searches.SEARCH) or {})["settings"])
    finder = load_finder()
    structure = searches.given_structure(folder)
    given = GivenStructure(structure, finder) if structure is not None else None
    proposing: Finder = given if given is not None else finder_of(settings, finder, should_stop)
    done: list[str] = []
    with RelaxingProcesses() as processes:
        work = work_of(settings, finder, searches.references_folder(), should_stop, told, processes)
        work = _telling(work, told)
        while not should_stop():
            formulas = (read_json(folder / searches.SEARCH) or {}).get("formulas", [])
            if formulas == done:
                return True
            requests = [given.request] if given is not None else [_request(text) for text in formulas]
            depends_on = folder_settings(settings, structure)
            find_all(folder, requests, proposing, depends_on, should_stop=should_stop, work=work)
            done = formulas
    return False


def _telling(work: Work, told: Told) -> Work:
    """The same work, which tells the structures that it relaxes."""
    relaxer = work.relaxer
    if relaxer is None:
        return work

    def relaxed(structure, should_stop):
        told(f"relaxing {structure.formula}, {len(structure.symbols)} atoms")
        return relaxer(structure, should_stop)

    return replace(work, relaxer=relaxed)


def _request(text: str) -> Request:
    from core.chemistry.formula_reader import parse_formula
    from core.structures.folder import Request

    try:
        return Request(text, parse_formula(text))
    except InputError as error:
        return Request(text, None, error.message)
