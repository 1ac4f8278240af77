"""CIF and POSCAR: there and back, and damaged files."""

import numpy as np
import pytest

from core.chemistry.structure import Structure
from core.errors import InputError
from core.structures.files import read_cif, to_cif, to_poscar
from core.structures.match import Reduced, from_pymatgen
from tests import crystals


@pytest.mark.parametrize("structure", [each for _, each, _ in crystals.CRYSTALS[::3]], ids=lambda s: s.formula)
def test_a_cif_is_read_back_as_the_same_structure(structure):
    back = read_cif(to_cif(structure))
    assert Reduced(back).matches(Reduced(structure)) and back.formula == structure.formula
    assert back.volume_A3_per_atom == pytest.approx(structure.volume_A3_per_atom, rel=1e-4)
    assert back.shortest_distance_A() == pytest.approx(structure.shortest_distance_A(), rel=1e-3)


def test_a_distorted_supercell_is_read_back_as_it_is():
    cell = crystals.rock_salt("Nb", "N", 4.4)
    n = len(cell.symbols)
    double = Structure(np.diag([1, 1, 2]) @ cell.lattice, cell.symbols * 2, np.concatenate(
        [cell.positions * (1, 1, 0.5), cell.positions * (1, 1, 0.5) + (0, 0, 0.5)]))  # fmt: skip
    assert len(read_cif(to_cif(double)).symbols) == n  # the same crystal
    moved = Structure(
        double.lattice, double.symbols, double.positions + 0.02 * np.random.default_rng(0).random((2 * n, 3))
    )
    back = read_cif(to_cif(moved))
    assert len(back.symbols) == 2 * n
    assert back.shortest_distance_A() == pytest.approx(moved.shortest_distance_A(), abs=1e-3)


def test_a_cif_states_the_space_group():
    assert "_symmetry_Int_Tables_number   225" in to_cif(crystals.rock_salt("Na", "Cl", 5.64))


def test_a_poscar_is_read_back_as_the_same_structure():
    from pymatgen.io.vasp import Poscar

    structure = crystals.pnictide_oxide("Ce", 4.0, 8.65)
    text = to_poscar(structure, "a comment")
    assert text.startswith("a comment\n")
    assert Reduced(from_pymatgen(Poscar.from_str(text).structure)).matches(Reduced(structure))


GOOD = to_cif(crystals.rock_salt("Na", "Cl", 5.64))


@pytest.mark.parametrize(
    "text",
    ["", "not a CIF", "data_x\n", GOOD[: len(GOOD) // 2], GOOD.replace("_cell_length_a", "_cell_long"),
     GOOD.replace("  1\n", "  0.5\n")],
    ids=["empty", "prose", "no structure", "cut", "no length", "partly occupied"],
)  # fmt: skip
def test_a_damaged_cif_is_refused_with_a_remedy(text):
    with pytest.raises(InputError) as caught:
        read_cif(text, "mine.cif")
    assert caught.value.field == "cif" and caught.value.value == "mine.cif" and "CIF" in caught.value.remedy
