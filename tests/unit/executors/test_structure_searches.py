"""Searches for structures in the background: the folder, its states, the worker, cancelling, results."""

import pytest

from core.errors import InputError
from core.executors import background_work
from core.executors import structure_searches as searches
from core.executors.background_work import CANCEL, CANCELLED, FAILED, FINISHED, INTERRUPTED
from core.executors.structure_search_worker import carry_out
from core.structures import prototypes, search_work
from core.structures.folder import FolderSettings, Work
from core.structures.prototypes import StructureFinder
from core.structures.relaxation import relax
from core.structures.search_work import SearchSettings
from tests import crystals
from tests.pair_potential import PairPotential

SETTINGS = SearchSettings(top=2)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder of a search whose workers are not started."""
    monkeypatch.setenv("TC_STUDIO_RUNS", str(tmp_path))
    monkeypatch.setattr(background_work, "start", lambda folder, arguments, threads: None)
    return searches.folder_of_formula("KCl", SETTINGS)


@pytest.fixture
def by_pairs(monkeypatch):
    """Relaxation by pairs, with the small library; counts the structures."""
    finder = StructureFinder(crystals.prototype_library(), crystals.NearestFirst())
    asked = []

    def relaxer(structure, should_stop):
        asked.append(structure.formula)
        return relax(structure, PairPotential(r0=3.0), should_stop=should_stop)

    monkeypatch.setattr(prototypes, "load_finder", lambda: finder)
    monkeypatch.setattr(
        search_work, "folder_settings", lambda settings, given=None: FolderSettings(settings.top, "a", "b", "pairs")
    )
    monkeypatch.setattr(search_work, "work_of", lambda *_: Work(relaxer))
    monkeypatch.setattr("core.processors.give_way", lambda: None)
    return asked


def test_a_folder_without_a_search_is_empty(folder):
    found = searches.state(folder)
    assert found.formulas == () and not found.work.active and searches.rows(folder, "KCl") == []
    background_work.cancel(folder)
    with pytest.raises(InputError, match="holds no search"):
        carry_out(folder)


def test_formulas_are_added_to_a_search_and_carried_out(folder, by_pairs):
    searches.submit(folder, ["KCl"], SETTINGS)
    assert carry_out(folder) == FINISHED
    first = len(by_pairs)
    searches.submit(folder, ["MgB2", "KCl", "HHeLiBeBCNOFNeNaMgAlSi"], SETTINGS)
    assert (
        searches.state(folder).formulas == ("KCl", "MgB2", "HHeLiBeBCNOFNeNaMgAlSi")
        and searches.state(folder).done == 1
    )
    assert carry_out(folder) == FINISHED
    found = searches.state(folder)
    assert found.done == 3 and found.work.state == FINISHED and not found.work.active
    assert first == 2 and by_pairs[first:] == ["MgB2"]
    assert (
        searches.rows(folder, "KCl")[0]["relaxed"] == "true"
        and searches.rows(folder, "HHeLiBeBCNOFNeNaMgAlSi")[0]["error"]
    )
    assert set(searches.first_structures(folder)) == {"KCl", "MgB2"}


def test_a_search_that_is_asked_to_stop_is_cancelled_and_resumes(folder, by_pairs):
    searches.submit(folder, ["KCl", "MgB2"], SETTINGS)
    (folder / CANCEL).touch()
    assert carry_out(folder) == CANCELLED and searches.state(folder).done == 0 and not by_pairs
    (folder / CANCEL).unlink()
    assert carry_out(folder) == FINISHED and searches.state(folder).done == 2


def test_an_error_of_the_worker_is_told(folder, by_pairs, monkeypatch):
    def fails(*_):
        raise RuntimeError("no memory")

    monkeypatch.setattr(search_work, "work_of", fails)
    searches.submit(folder, ["KCl"], SETTINGS)
    assert carry_out(folder) == FAILED
    assert "no memory" in searches.state(folder).work.message


def test_a_formula_added_while_the_worker_ends_can_be_resumed(folder, by_pairs):
    searches.submit(folder, ["KCl"], SETTINGS)
    assert carry_out(folder) == FINISHED and searches.state(folder).work.state == FINISHED
    searches.submit(folder, ["MgB2"], SETTINGS)  # no worker is started, as by one that has not ended
    assert searches.state(folder).work.state == INTERRUPTED
    assert carry_out(folder) == FINISHED and searches.state(folder).work.state == FINISHED


def test_a_structure_from_a_file_is_relaxed_in_place_of_proposals(folder, by_pairs):
    given = crystals.caesium_chloride("K", "Cl", 3.9)
    own = searches.folder_of_structure(given, SETTINGS)
    assert own not in (folder, searches.folder_of_structure(crystals.rock_salt("K", "Cl", 6.3), SETTINGS))
    searches.submit(own, ["KCl"], SETTINGS, given)
    searches.submit(own, [], SETTINGS)  # as when it is resumed
    assert carry_out(own) == FINISHED and by_pairs == ["KCl"]
    (row,) = searches.rows(own, "KCl")
    assert row["prototype"] == "from a file" and row["relaxed"] == "true" and row["space_group"] == "221"


def test_too_many_formulas_are_refused(folder):
    with pytest.raises(InputError, match="at most"):
        searches.submit(folder, [f"K{i}Cl" for i in range(1, 1100)], SETTINGS)


@pytest.mark.parametrize(
    "wrong",
    [
        {"top": 0},
        {"relax": False, "pressure_GPa": 5.0},
        {"hull": True, "pressure_GPa": 5.0},
        {"samples": -1},
        {"samples": 20, "relax": False},
    ],
)
def test_settings_that_do_not_fit_are_refused(wrong):
    with pytest.raises(InputError):
        SearchSettings(**wrong)
