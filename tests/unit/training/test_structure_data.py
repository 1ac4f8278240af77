"""The structures of the raw data: reading, resume, rows that cannot be used."""

import gzip
import json

import numpy as np
import pytest

from core.chemistry.structure import lattice_parameters
from core.errors import InputError
from core.training import structure_data
from core.training.structure_data import FILES, UNREADABLE, known_structures, read_entries
from tests import crystals


def row(number, structure, **facts):
    return {
        "id": f"mp-{number}", "source": "MP", "formula": structure.formula,
        "lattice": list(lattice_parameters(structure.lattice)), "species": list(structure.symbols),
        "frac_coords": structure.positions.tolist(), "spacegroup": None, **facts,
    }  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    salt, boride = crystals.rock_salt("Na", "Cl", 5.64), crystals.diboride("Mg", 3.09, 3.52)
    coincident = {**row(3, salt), "species": ["Na", "Na"], "frac_coords": [[0, 0, 0]] * 2}
    flat = {**row(4, salt), "lattice": [1, 1, 1, 90, 90, 200]}
    rows = {FILES[0]: [row(1, boride, tc_k=39.0, kind="exact")], FILES[2]: [row(2, salt), coincident, flat]}
    for name in FILES:
        with gzip.open(tmp_path / f"{name}.jsonl.gz", "wt", encoding="utf-8") as file:
            file.writelines(json.dumps(each) + "\n" for each in rows.get(name, []))
    return tmp_path


def test_structures_come_with_symmetry_and_facts(folder):
    entries, counts = read_entries(folder, folder / "build")
    assert [(e.id, e.symmetric.space_group) for e in entries] == [("mp-1", 191), ("mp-2", 225)]
    assert entries[0].facts == {"tc_k": 39.0, "kind": "exact"}
    assert counts[UNREADABLE] == 2 and counts[f"rows of {FILES[2]}"] == 3


def test_found_symmetries_are_not_sought_again(folder, monkeypatch):
    before, _ = read_entries(folder, folder / "build")
    monkeypatch.setattr(structure_data, "symmetric", None)
    after, _ = read_entries(folder, folder / "build")
    for one, other in zip(before, after, strict=True):
        assert one.symmetric.wyckoffs == other.symmetric.wyckoffs
        np.testing.assert_allclose(one.symmetric.structure.lattice, other.symmetric.structure.lattice, atol=1e-4)


def test_given_structures_are_found_by_their_ids(folder):
    found = known_structures(folder, {"mp-1", "mp-4"})
    assert list(found) == ["mp-1"] and found["mp-1"][0].formula == "MgB2"


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match="no such file") as caught:
        read_entries(tmp_path, tmp_path / "build")
    assert caught.value.field == "data"
