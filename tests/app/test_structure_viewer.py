"""What the browser draws of a structure, and what is said of it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from app.components.structure_viewer.scene import MOST_DRAWN_ATOMS, animation, scene
from app.structures.listed import Listed, compared, facts, from_file, listed, space_group_text, table
from core.chemistry.structure import Structure
from core.errors import InputError
from core.structures.files import read_cif, to_cif
from core.structures.prototypes import StructureFinder
from core.structures.symmetry import conventional_cell
from tests import crystals

SALT = conventional_cell(crystals.rock_salt("Na", "Cl", 5.64))


def found():
    return StructureFinder(crystals.prototype_library(), crystals.NearestFirst()).find(
        {"La": 1, "Fe": 1, "As": 1, "O": 1}, 3
    )


def test_a_scene_is_one_cell_with_its_bonds_as_json():
    drawn = json.loads(json.dumps(scene(SALT, "salt", "salt-1")))
    assert np.array(drawn["lattice"]).diagonal() == pytest.approx(5.64)
    assert [each[:2] for each in drawn["elements"]] == [["Na", "sodium"], ["Cl", "chlorine"]]
    assert len(drawn["atoms"]) == 8 and len(drawn["bonds"]) == 24  # six of each of four cations
    for start, end, *image in drawn["bonds"]:
        step = np.array(drawn["atoms"][end][1:]) + image - drawn["atoms"][start][1:]
        assert np.linalg.norm(step * 5.64) == pytest.approx(2.82)


def test_an_animation_has_a_frame_for_each_moment():
    small = conventional_cell(crystals.rock_salt("K", "F", 5.3))
    drawn = json.loads(json.dumps(animation([("Step 0", small), ("Step 1", SALT)], "salt", "salt-way")))
    first, last = drawn["frames"]
    assert (first["moment"], last["moment"]) == ("Step 0", "Step 1") and drawn["first_repeats"] == 1
    assert [each[0] for each in first["elements"]] == ["K", "F"] and first["lattice"][0][0] == pytest.approx(5.3)
    assert {name: last[name] for name in ("lattice", "atoms", "bonds", "elements")}.items() <= scene(
        SALT, "", ""
    ).items()


def test_positions_outside_the_cell_are_drawn_inside_with_the_same_bonds():
    moved = Structure(SALT.lattice, SALT.symbols, SALT.positions - 1.0 - 1e-9)
    drawn = scene(moved, "", "")
    assert all(0 <= f < 1 for _, *position in drawn["atoms"] for f in position)
    assert sorted(drawn["bonds"]) == sorted(scene(SALT, "", "")["bonds"])


def test_a_large_cell_is_not_repeated():
    n = MOST_DRAWN_ATOMS // 8
    gas = Structure(np.diag([10.0 * n, 10.0, 10.0]), ("He",) * n, np.outer(np.arange(n) / n, [1, 0, 0]))
    assert scene(gas, "", "")["most_repeats"] == 2 and scene(SALT, "", "")["most_repeats"] == 3


def test_the_list_has_a_row_for_each_proposal():
    rows = listed("LaFeAsO", found())
    shown = table(rows)
    assert list(shown["rank"]) == list(range(1, len(rows) + 1))
    assert shown["space_group"][0] == "P4/nmm (129)" and shown["example"][0] in ("CeFeAsO", "NdFeAsO")
    assert facts(rows[0])["Known"] == "not known in this structure"


def test_the_files_of_a_proposal_name_it_and_hold_its_structure():
    first = listed("LaFeAsO", found())[0]
    cif = first.cif()
    assert cif.splitlines()[0].startswith("# LaFeAsO, rank 1, prototype ABCD 129") and "not relaxed" in cif
    assert read_cif(cif).volume_A3_per_atom == pytest.approx(first.structure.volume_A3_per_atom, rel=1e-4)
    assert first.poscar().splitlines()[0] == first.about and first.name.startswith("LaFeAsO-")


def test_a_file_has_no_prototype_and_is_not_called_unrelaxed():
    mine = from_file("salt.cif", to_cif(SALT).encode())
    assert isinstance(mine, Listed) and mine.about == "NaCl, from a file" and "Prototype" not in facts(mine)


def test_a_file_is_compared_with_the_proposals_of_its_formula():
    proposals = StructureFinder(crystals.prototype_library(), crystals.NearestFirst()).find({"Na": 1, "Cl": 1}, 2)
    mine = from_file("salt.cif", to_cif(SALT).encode())
    assert facts(compared(mine, proposals))["The same as"].startswith("proposal 1 of NaCl")
    other = Listed(crystals.layered_cuprate("La", 3.78, 13.2), "La2CuO4", 139)
    assert facts(compared(other, proposals))["The same as"].startswith("none of the 2")
    known = facts(compared(other, proposals, [other.structure]))["The same as"]
    assert known.startswith("a known structure of La2CuO4, none of the 2")


def test_a_file_with_too_many_atoms_is_refused():
    n = 201
    uneven = (np.arange(n) + 0.3 / (1 + np.arange(n))) / n  # no smaller cell repeats
    line = Structure(np.diag([4.0 * n, 4.0, 4.0]), ("He",) * n, np.outer(uneven, [1, 0, 0]))
    with pytest.raises(InputError, match="201 atoms"):
        from_file("long.cif", to_cif(line).encode())


def test_space_groups_are_written_with_subscripts():
    assert space_group_text(186) == "P6₃mc (186)" and space_group_text(14) == "P2₁/c (14)"
