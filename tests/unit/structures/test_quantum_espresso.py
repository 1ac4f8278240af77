"""Input files for Quantum ESPRESSO, read back by ASE."""

import io
import math
import zipfile

import numpy as np
import pytest
from ase.io.espresso import read_espresso_in, read_fortran_namelist

from core.chemistry.structure import Structure
from core.structures.files import to_cif
from core.structures.match import Reduced, from_pymatgen
from core.structures.quantum_espresso import (
    COUPLING,
    DENSE,
    FORCES,
    K_SPACING,
    Q_SPACING,
    README,
    RELAX,
    SCF,
    SPECTRUM,
    grid,
    input_files,
    write_all,
    zipped,
)
from core.structures.supercell import repeated
from core.structures.symmetry import operations, symmetric
from tests import crystals

CRYSTALS = (
    crystals.diboride("Mg", 3.08, 3.52),
    crystals.a15("Nb", "Sn", 5.29),
    crystals.rock_salt("Nb", "C", 4.47),
)


def points(text: str) -> list[int]:
    """The grid of k points of an input of pw.x."""
    lines = text.splitlines()
    return [int(number) for number in lines[lines.index("K_POINTS automatic") + 1].split()[:3]]


def phonon_points(text: str) -> list[int]:
    values, _ = read_fortran_namelist(io.StringIO(text.split("\n", 1)[1]))
    return [values["inputph"][f"nq{i}"] for i in (1, 2, 3)]


@pytest.mark.parametrize("crystal", CRYSTALS, ids=lambda each: each.formula)
def test_another_program_reads_the_same_crystal(crystal):
    from pymatgen.io.ase import AseAtomsAdaptor

    files = input_files(crystal, "about")
    for name in (RELAX, DENSE, SCF):
        read = read_espresso_in(io.StringIO(files[name]))
        made = from_pymatgen(AseAtomsAdaptor.get_structure(read))
        assert made.counts == crystal.counts and Reduced(made).matches(Reduced(crystal))
        assert made.volume_A3_per_atom == pytest.approx(crystal.volume_A3_per_atom, rel=1e-6)


def test_a_pressure_is_in_kilobar():
    assert "press = 1500.0," in input_files(CRYSTALS[0], "about", 150.0)[RELAX]
    assert "press = 0.0," in input_files(CRYSTALS[0], "about")[RELAX]


def test_every_structure_of_a_table_gets_a_folder(tmp_path):
    (tmp_path / "cif").mkdir()
    (tmp_path / "cif" / "MgB2-1.cif").write_text(to_cif(CRYSTALS[0]), encoding="utf-8")
    rows = [{"formula": "MgB2", "cif": "cif/MgB2-1.cif", "pressure_GPa": "5"}, {"formula": "Xx", "cif": ""}]
    assert write_all(tmp_path, rows) == 1
    assert "press = 50.0," in (tmp_path / "espresso" / "MgB2-1" / RELAX).read_text()
    assert len(list((tmp_path / "espresso" / "MgB2-1").iterdir())) == 8


def test_a_zip_file_has_all_files_in_a_folder():
    files = input_files(CRYSTALS[0], "about")
    with zipfile.ZipFile(io.BytesIO(zipped(files, "MgB2-1"))) as archive:
        assert {name: archive.read(f"MgB2-1/{name}").decode() for name in files} == files


def test_a_supercell_is_written_as_its_primitive_cell():
    salt = crystals.rock_salt("Na", "Cl", 5.64)
    larger = repeated(salt, (2, 1, 1))
    assert len(larger.symbols) > len(salt.symbols)
    assert "nat = 2," in input_files(larger, "")[SCF] and "ntyp = 2," in input_files(larger, "")[SCF]


@pytest.mark.parametrize("crystal", CRYSTALS, ids=lambda each: each.formula)
def test_the_grids_fit_each_other(crystal):
    files = input_files(crystal, "about")
    q, k, dense = phonon_points(files[COUPLING]), points(files[SCF]), points(files[DENSE])
    assert (
        all(b % a == 0 for a, b in zip(q, k, strict=True)) and dense == [2 * n for n in k] and points(files[RELAX]) == k
    )


@pytest.mark.parametrize("spacing", [Q_SPACING, K_SPACING])
def test_a_grid_is_as_dense_as_asked_and_no_denser(spacing):
    lattice = np.array([[3.0, 0, 0], [0, 4.0, 0], [1.0, 0, 8.0]])
    lengths = 2 * math.pi * np.linalg.norm(np.linalg.inv(lattice), axis=0)
    alone = np.eye(3, dtype=bool)
    for number, length in zip(grid(lattice, spacing, alone), lengths, strict=True):
        assert length / number <= spacing + 1e-6 and (number == 1 or length / (number - 1) > spacing)
    assert grid(np.diag([2 * math.pi / spacing] * 3), spacing, alone) == (1, 1, 1)
    assert len(set(grid(lattice, spacing, np.ones((3, 3), dtype=bool)))) == 1


def molybdenum_silicide() -> Structure:
    """MoSi2, body-centred tetragonal, in its conventional cell."""
    z = 1 / 3
    sites = [(0, 0, 0), (0, 0, z), (0, 0, 1 - z)]
    positions = [(np.array(site) + shift) % 1.0 for shift in (0.0, 0.5) for site in sites]
    return Structure(np.diag([3.2, 3.2, 7.85]), ("Mo", "Si", "Si") * 2, np.array(positions))


@pytest.mark.parametrize("crystal", [*CRYSTALS, molybdenum_silicide()], ids=lambda each: each.formula)
def test_every_rotation_of_the_crystal_maps_the_grids_onto_themselves(crystal):
    """Else ph.x stops: "q-mesh breaks symmetry"."""
    cell = symmetric(crystal, 0.01).structure
    files = input_files(crystal, "")
    for numbers in (phonon_points(files[COUPLING]), points(files[SCF]), points(files[DENSE])):
        every = np.stack(np.meshgrid(*(np.arange(n) / n for n in numbers), indexing="ij"), -1).reshape(-1, 3)
        for rotation in operations(cell, 0.01).rotations:
            turned = every @ np.linalg.inv(rotation)  # rows, so the inverse transpose acts on columns
            on_grid = turned * numbers
            np.testing.assert_allclose(on_grid, on_grid.round(), atol=1e-6)


def test_only_the_dense_electrons_are_kept_for_the_coupling():
    files = input_files(CRYSTALS[0], "about")
    assert [name for name in (RELAX, DENSE, SCF) if "la2F" in files[name]] == [DENSE]
    assert all("la2F = .true." in files[name] for name in (FORCES, SPECTRUM))
    assert "electron_phonon = 'interpolated'" in files[COUPLING] and "tr2_ph = 1d-14" in files[COUPLING]
    assert "&IONS" in files[RELAX] and "&IONS" not in files[SCF]


def test_the_readme_names_every_file_and_pseudopotential():
    files = input_files(CRYSTALS[0], "MgB2, rank 1")
    text = files.pop(README)
    assert all(name in text for name in files) and "MgB2, rank 1" in text and "P6/mmm (191)" in text
    assert "Mg.upf, B.upf" in text and "Mg.upf" in files[SCF]
    assert max(map(len, text.splitlines())) <= 120
