"""The archive of a search in the records of a run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.chemistry.composition import composition_vector
from core.chemistry.formula_reader import parse_formula
from core.generation.interface import ArchiveReport
from core.runs import execute, store
from core.runs.archive_records import TOP, ArchiveRecords
from core.runs.progress import ARCHIVE_COLUMNS
from core.runs.status import Phase
from tests.unit.generation.search.test_formula_space import cells
from tests.unit.runs.sample import SMALL, assert_same_files

SEARCH = replace(SMALL, method="memetic", method_settings={"kept": 32, "rounds": 3})
RECORDS = ArchiveRecords(20.0, np.stack([composition_vector(parse_formula(f)) for f in ("MgB2", "La2CuO4")]))


def archive(*formulas: str, tc_K: float = 30.0) -> ArchiveReport:
    n = len(formulas)
    amounts = cells(*formulas) if formulas else np.zeros((0, 118))
    return ArchiveReport(amounts, np.arange(n, 0.0, -1), np.full(n, tc_K), np.full(n, 4.0), np.full(n, -1.5), 123)


def test_best_and_mean_objective_and_the_formulas_marked_known_or_new():
    record = RECORDS(archive("MgB2", "CuLa2O4", "LaFeAsO"))
    assert {name: record[name] for name in ARCHIVE_COLUMNS} == {
        "tested": 123,
        "objective_K_best": 3,
        "objective_K_mean": 2,
    }
    assert [row["known"] for row in record["top"]] == [True, True, False]
    assert record["top"][0] == {
        "formula": "MgB2", "tc_K": 30.0, "tc_std_K": 5.65685, "formation_energy_eV_per_atom": -1.5, "objective_K": 3.0,
        "gain_K": 10.0, "known": True,
    }  # fmt: skip


def test_a_multiple_of_a_known_formula_is_known_and_an_empty_archive_has_no_objective():
    assert RECORDS(archive("Mg2B4"))["top"][0]["known"]
    assert RECORDS(archive()) == {"tested": 123, "objective_K_best": None, "objective_K_mean": None, "top": []}


def test_the_best_formulas_only():
    assert len(RECORDS(archive(*[f"LaO{n}" for n in range(2, 20)]))["top"]) == TOP < 18


@pytest.mark.usefixtures("runs_folder")
def test_a_search_records_its_archive_the_same_way_if_it_is_stopped_in_between():
    whole, parts = store.create(SEARCH), store.create(SEARCH)
    assert execute.execute(whole, lambda: None) is Phase.FINISHED
    steps = iter(range(1, 100))
    assert execute.execute(parts, lambda: Phase.STOPPED if next(steps) >= 2 else None) is Phase.STOPPED
    assert len(parts.candidates()) and len(parts.archive()) == 2
    assert execute.execute(parts, lambda: None) is Phase.FINISHED
    assert_same_files(whole, parts)
    curve = whole.archive()
    assert len(curve) == 3 and (curve["tested"].diff().dropna() > 0).all()
    assert (curve["objective_K_best"].diff().dropna() >= 0).all() and whole.top()[0]["known"] in (True, False)
