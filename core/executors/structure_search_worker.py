"""The worker of a search for crystal structures: it waits for its turn, and carries out the formulas of the folder.

One search at a time works on a machine, at low priority; modules that load slowly are imported after the wait.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import InputError, shown
from core.executors import structure_searches as searches
from core.files import acquire_lock, make_private_folder, read_json

if TYPE_CHECKING:
    from core.structures.folder import Request, Work

_NICENESS = 10  # pages and runs come first on the same cores
_POLL_S = 0.3
_TOLD_EVERY_S = 0.3  # between two writes of the progress


def carry_out(folder: Path) -> str:
    """Carry out the search in a folder; returns its last state.

    Raises InputError if the folder holds no search, or another worker carries it out.
    """
    folder = folder.absolute()
    if read_json(folder / searches.SEARCH) is None:
        raise InputError("search", folder, "this folder holds no search", "Begin one on the page Structures")
    held = searches.lock(folder)
    if held is None:
        raise InputError("search", folder, "another worker carries out this search", "Wait, or cancel it")
    interrupted = threading.Event()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: interrupted.set())
    try:
        found, message = _carry_out(folder, lambda: interrupted.is_set() or (folder / searches.CANCEL).exists())
        if found == searches.CANCELLED and not (folder / searches.CANCEL).exists():
            found = searches.INTERRUPTED
        searches.write_progress(folder, found, message=message)
        return found
    finally:
        held.release()


def _carry_out(folder: Path, should_stop: Callable[[], bool]) -> tuple[str, str]:
    """State and error message at the end."""
    if hasattr(os, "nice"):
        os.nice(_NICENESS)
    searches.write_progress(folder, searches.QUEUED)
    make_private_folder(searches.shared_folder())
    path, waits = searches.shared_folder() / "slot.lock", False
    slot = None
    try:
        while not should_stop() and (slot := acquire_lock(path)) is None:
            if not waits:
                searches.write_progress(folder, searches.QUEUED, "waits for another search")
                waits = True
            time.sleep(_POLL_S)
        if slot is None:
            return searches.CANCELLED, ""
        searches.write_progress(folder, searches.RUNNING, "loading the potential")
        return _all_formulas(folder, should_stop), ""
    except InputError as error:
        return searches.FAILED, error.message
    except Exception as error:  # of any kind: the page must show it
        return searches.FAILED, f"Unexpected error: {type(error).__name__}: {shown(error)}"
    finally:
        if slot is not None:
            slot.release()


def _all_formulas(folder: Path, should_stop: Callable[[], bool]) -> str:
    """Carry out the formulas, also those that are added meanwhile."""
    from core.structures.folder import find_all
    from core.structures.prototypes import load_finder
    from core.structures.search_work import SearchSettings, folder_settings, work_of

    settings = SearchSettings(**(read_json(folder / searches.SEARCH) or {})["settings"])
    teller = _Teller(folder)
    finder = load_finder()
    work = work_of(settings, finder, searches.shared_folder() / "references", should_stop, teller)
    work = _telling(work, teller)
    done: list[str] = []
    while not should_stop():
        formulas = (read_json(folder / searches.SEARCH) or {}).get("formulas", [])
        if formulas == done:
            return searches.FINISHED
        requests = [_request(text) for text in formulas]
        find_all(folder, requests, finder, folder_settings(settings), should_stop=should_stop, work=work)
        done = formulas
    return searches.CANCELLED


class _Teller:
    """Writes what is being done into the progress of a search, not too often."""

    def __init__(self, folder: Path):
        self._folder, self._written = folder, 0.0

    def __call__(self, text: str) -> None:
        if time.monotonic() - self._written >= _TOLD_EVERY_S:
            searches.write_progress(self._folder, searches.RUNNING, text)
            self._written = time.monotonic()


def _telling(work: Work, teller: Callable[[str], None]) -> Work:
    """The same work, which tells the structures that it relaxes."""
    relaxer = work.relaxer
    if relaxer is None:
        return work

    def relaxed(structure, should_stop):
        teller(f"relaxing {structure.formula}, {len(structure.symbols)} atoms")
        return relaxer(structure, should_stop)

    return replace(work, relaxer=relaxed)


def _request(text: str) -> Request:
    from core.chemistry.formula_reader import parse_formula
    from core.structures.folder import Request

    try:
        return Request(text, parse_formula(text))
    except InputError as error:
        return Request(text, None, error.message)
