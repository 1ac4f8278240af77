"""The funnel of generated crystals as a table, and how many end near the hull."""

import csv

import pytest

from core.benchmarks.crystal_funnel import CrystalFunnelOptions, outcome
from core.errors import InputError
from core.screening.convex_hull import HullDistance
from core.structures.diffusion.folder import COLUMNS, TABLE
from core.structures.diffusion.funnel import BOUND, NEAR_HULL, RELAXED, UNIQUE, VALID, FunnelWork, label_of
from core.structures.files import to_cif
from core.structures.packed_structure import unpacked
from core.structures.relaxation import FELL_APART, Relaxation
from core.structures.relaxation import RELAXED as CONVERGED
from core.structures.structure_models import StructureProperties
from tests.crystals import a15, diboride, rock_salt

CRYSTALS = (
    diboride("Mg", 3.1, 3.5), diboride("Mg", 3.11, 3.52), a15("Nb", "Sn", 5.3), rock_salt("Nb", "C", 4.5),
    diboride("Al", 3.0, 3.3),
)  # fmt: skip
DISTANCES = {"MgB2": 0.1, "NbC": 0.3}


def relax(structure, should_stop):
    verdict = FELL_APART if "Sn" in structure.symbols else CONVERGED
    return Relaxation(structure, -3.0, -3.0, 7, verdict, "", 0.01, 0.0, 0.0)


def place(structure, energy_eV_per_atom):
    distance = DISTANCES.get(structure.formula)
    return None if distance is None else HullDistance(distance, ())


WORK = FunnelWork(
    lambda counts: [], relax, lambda structure, energy: 0.1 if "Al" in structure.symbols else -0.5,
    lambda structures, groups: [StructureProperties(0.9, 12.0) for _ in structures], place,
)  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "cif").mkdir()
    with (tmp_path / TABLE).open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, COLUMNS)
        table.writeheader()
        for number, structure in enumerate(CRYSTALS):
            name = f"cif/{number}.cif"
            (tmp_path / name).write_text(to_cif(structure), encoding="utf-8")
            table.writerow({"number": number, "formula": structure.formula, "valid_structure": "true", "cif": name})
        table.writerow({"number": len(CRYSTALS), "formula": "", "valid_structure": "false", "cif": ""})
    return tmp_path


def test_the_table_counts_what_each_step_leaves(folder):
    made = outcome(folder, WORK, CrystalFunnelOptions(count=6, relaxed=6))
    rows = made.table.set_index("step")
    assert rows.loc["samples", "left"] == 6 and rows.loc[VALID, "left"] == 5 and rows.loc[UNIQUE, "left"] == 4
    assert rows.loc[RELAXED, "left"] == 3 and rows.loc[RELAXED, "reasons"] == f"{FELL_APART}: 1"
    assert rows.loc[BOUND, "reasons"] == "formation energy not below 0: 1"
    assert rows.loc[label_of(NEAR_HULL), "share"] == 1 / 6
    (survivor,) = made.about["survivors"]
    assert survivor["formula"] == "MgB2" and unpacked(survivor["structure"]).formula == "MgB2"
    assert made.sentences[0].startswith("1 of 6 crystals pass") and "1 binary (100%)" in made.sentences[1]


def test_the_hull_is_asked_of_the_first_crystals_whatever_they_are(folder):
    """Also of one like another; not of one that fell apart, or without a valid structure."""
    made = outcome(folder, WORK, CrystalFunnelOptions(count=6, relaxed=6))
    assert (made.about["placed"], made.about["relaxed"], made.about["near_hull"]) == (6, 3, 2)
    assert "Of the first 6, whatever they are, 2 (33%)" in made.sentences[-1]
    assert "Of the first 1, whatever they are, 1 (100%)" in outcome(
        folder, WORK, CrystalFunnelOptions(count=6, relaxed=1)
    ).sentences[-1]  # fmt: skip


@pytest.mark.parametrize("relaxed", [0, 7])
def test_as_many_crystals_are_placed_as_there_are_at_most(relaxed):
    with pytest.raises(InputError, match="are placed on the hull"):
        CrystalFunnelOptions(count=6, relaxed=relaxed)
