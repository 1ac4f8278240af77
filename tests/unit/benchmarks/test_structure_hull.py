"""The check of the hull by the potential: the draw, the errors, what is excluded."""

import gzip
import json
import math

import pandas as pd
import pytest

from core.benchmarks.structure_hull import (
    StructureHullOptions,
    by_part,
    drawn,
    errors_eV_per_atom,
    polymorphs,
    sentences,
    summary,
)
from core.structures.prototypes import StructureFinder
from tests import crystals

TABLE = pd.DataFrame(
    {
        "formula": ["A", "B", "C", "D"],
        "e_hull_eV_per_atom": [0.0, 0.0, 0.1, 0.2],
        "distance_eV_per_atom": [-0.3, 0.02, 0.16, None],
        "seconds": [1.0, 2.0, 3.0, 4.0],
    }
)


def test_distances_below_the_hull_count_as_zero():
    assert errors_eV_per_atom(TABLE)[:3] == pytest.approx([0.0, 0.02, 0.06]) and math.isnan(
        errors_eV_per_atom(TABLE)[3]
    )
    found = summary(TABLE)
    assert found["placed"] == 3 and found["mae_eV_per_atom"] == pytest.approx(0.08 / 3) == found["signed_eV_per_atom"]
    assert by_part(TABLE) == pytest.approx({"all": 0.08 / 3, "on the hull": 0.01, "above the hull": 0.06})
    assert "0.027" in sentences(TABLE)[0] and "C +0.06" in sentences(TABLE)[2]


def test_the_first_of_a_larger_draw_are_those_of_a_smaller_one(tmp_path):
    rows = [
        {"id": f"mp-{i}", "formula": "NaCl", "species": ["Na", "Cl"] if i % 2 else ["Na"], "e_hull": 0.1 * (i % 3)}
        for i in range(40)
    ]
    with gzip.open(tmp_path / "structures_general_mp20.jsonl.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in [*rows, {**rows[1], "id": "mp-x", "e_hull": None}])
    few, more = (drawn(tmp_path, StructureHullOptions(count=n)) for n in (3, 30))
    assert [row["id"] for row in more[:3]] == [row["id"] for row in few] and len(more) == 20
    assert all(len(set(row["species"])) == 2 and row["id"] != "mp-x" for row in more)


def test_a_structure_is_not_its_own_polymorph():
    finder = StructureFinder(crystals.prototype_library(), crystals.NearestFirst())
    (known,) = finder.known({"Mg": 1, "B": 2}, 1)
    own = frozenset({("Mg", 1), ("B", 2)})
    assert polymorphs(known, own, finder) == []
    assert len(polymorphs(crystals.diboride("Mg", 3.1, 9.0), own, finder)) == 1
