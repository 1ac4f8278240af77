"""Relaxed structures as rows of the list and as columns of the candidates."""

from __future__ import annotations

import csv
import io

import numpy as np
import pandas as pd
import pytest

from app.structures.found import ABOVE_HULL, SPACE_GROUP, found_structures, with_structure_columns, with_structures
from app.structures.listed import facts, table
from core.executors import structure_searches as searches
from core.files import write_json
from core.screening.convex_hull import HullDistance
from core.structures.folder import FolderSettings, Request, Work, find_all
from core.structures.prototypes import StructureFinder
from core.structures.relaxation import relax
from core.structures.structure_models import StructureProperties
from tests import crystals
from tests.pair_potential import PairPotential


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the structures of KCl."""
    place = tmp_path_factory.mktemp("search")
    work = Work(
        lambda structure, should_stop: relax(structure, PairPotential(r0=3.0), should_stop=should_stop),
        lambda structure, energy: HullDistance(0.123, (("KCl", 1.0),)),
        lambda structures, groups: [StructureProperties(0.8, 3.21) for _ in structures],
    )
    finder = StructureFinder(crystals.prototype_library(), crystals.NearestFirst())
    find_all(
        place, [Request("KCl", {"K": 1.0, "Cl": 1.0})], finder, FolderSettings(2, "a", "b", "pairs", True), work=work
    )
    write_json(place / searches.SEARCH, {"formulas": ["KCl", "MgB2"]})
    return place


def test_relaxed_structures_are_listed_with_what_is_said_of_them(folder):
    rows = found_structures(folder, "KCl")
    shown = table(rows)
    assert list(shown["rank"]) == [1, 2] and shown["above_hull"][0] == 0.123
    assert shown["class"][0] == "metal" and shown["tc_structure_K"][0] == 3.2
    said = facts(rows[0])
    assert (
        said["Above the hull"].startswith("0.123 eV/atom")
        and "conventional superconductors only" in said["Tc by structure"]
    )
    assert "relaxed after" in said["Relaxation"] and "g/cm³" in said["Volume"] and said["Coordination"].startswith("K ")
    assert rows[0].about.endswith("relaxed by CHGNet 0.3.0") and found_structures(folder, "MgB2") == []


def test_candidates_and_their_csv_have_the_columns_of_the_first_structure(folder):
    given = pd.DataFrame({"formula": ["MgB2", "KCl"], "tc_K": [39.0, 1.0]})
    found = with_structures(given, folder)
    assert found[SPACE_GROUP][1].endswith(f"({searches.rows(folder, 'KCl')[0]['space_group']})")
    assert found[SPACE_GROUP][0] == "" and np.isnan(found[ABOVE_HULL][0]) and found[ABOVE_HULL][1] == 0.123
    text = with_structure_columns("rank,formula\n1,KCl\n2,MgB2\n", found)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert rows[0][ABOVE_HULL] == "0.123" and rows[1][ABOVE_HULL] == "" == rows[1][SPACE_GROUP]
    assert list(rows[0]) == ["rank", "formula", SPACE_GROUP, ABOVE_HULL]


def test_without_searches_nothing_changes(tmp_path):
    given = pd.DataFrame({"formula": ["KCl"]})
    assert (
        with_structures(given, tmp_path) is given
        and with_structure_columns("formula\nKCl\n", given) == "formula\nKCl\n"
    )


def test_the_hull_of_another_composition_is_not_that_of_the_candidate(folder, monkeypatch):
    row = searches.rows(folder, "KCl")[0] | {"formula": "La1.85Sr0.15CuO4"}

    def of_cell(cell_formula):
        own = {"La1.85Sr0.15CuO4": row | {"cell_formula": cell_formula}}
        monkeypatch.setattr(searches, "first_structures", lambda folder: own)
        return with_structures(pd.DataFrame({"formula": list(own)}), folder).iloc[0]

    for other in ("La2CuO4", "SrLa9Cu5O20", ""):
        assert of_cell(other)[SPACE_GROUP] and np.isnan(of_cell(other)[ABOVE_HULL])
    assert of_cell("Sr3La37Cu20O80")[ABOVE_HULL] == 0.123
