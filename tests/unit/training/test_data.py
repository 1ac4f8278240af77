"""The readers, on small files with one row of each kind: every row that is left out is counted."""

import gzip

import numpy as np
import pytest

from core.chemistry.composition import compositions
from core.errors import InputError
from core.training import data

SUPERCON = """1\t4\t6\t67\t85\t92\t198
data number\tcommon formula\tchemical formula\tstructure\tunit\tTc\tjournal
num\tname\telement\tstr3\tutc\ttc\tjournal
1\tA\tY1Ba2Cu3O7\tT\tK\t90\tJ
2\tA\tY1Ba2Cu3O7\tT\tK\t92\tJ
3\tA\tBa2Y1Cu3O7\tT\tK\t10\tJ
4\tB\tY1Ba2Cu3O7-Z\tT\tK\t93\tJ
5\tC\tLa1Xx2\tT\tK\t5\tJ
6\tD\tNb3Sn1\tT\tK\t\tJ
7\tE\tPb2C1Ag2O6\tT\tK\t323\tJ
8\tF\tMg1B2\tT\tK\t39\tJ
"""
STANEV = "name,Tc\nMg1B2,38\nNb1Ti1,10\nMg1O1,0\n"
COD = "formula\nMgB2\nNaCl\nNa2Cl2\nSiO2\n"


def write(path, text):
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write(text)


@pytest.fixture
def folder(tmp_path):
    write(tmp_path / "supercon_mdr_220808.tsv.gz", SUPERCON)
    write(tmp_path / "supercon_stanev_2018.csv.gz", STANEV)
    write(tmp_path / "cod_2009_inorganic.txt.gz", COD)
    return tmp_path


def test_superconductors_are_cleaned_and_counted(folder):
    table = data.read_superconductors(folder)
    assert dict(zip(table.formulas, table.values, strict=True)) == {"Y1Ba2Cu3O7": 90.0, "Mg1B2": 39.0, "Nb1Ti1": 10.0}
    assert table.reports.tolist() == [3, 1, 1]  # the median of 90, 92 and 10, the order of elements aside
    assert np.allclose(table.compositions, compositions(["YBa2Cu3O7", "MgB2", "NbTi"]))
    counts = table.counts
    assert counts["rows of SuperCon"] == 8
    unread = ("SuperCon: undetermined amount (O7-z, Ox)", "SuperCon: malformed formula")
    for reason in ("no Tc given", "known error", *unread):
        assert counts[reason] == 1, reason
    assert counts["SuperCon: replicates merged"] == 2 and table.replicates[0] == (90.0, 92.0, 10.0)
    assert counts["Stanev: 0 K, no Tc reported"] == 1
    assert counts["Stanev: measured, already in SuperCon"] == 1
    assert counts["Stanev: measured, added"] == 1


def test_misread_formulas_are_found():
    formulas = ["Y1Ba2Cu3O7", "Y1Ba2Cu3OY", "Bi2Sr2Ca1Cu2O", "Ba2Cu3O7", "NbO", "Y2O3", "Mo1O3", "La1.85Y0.15O1"]
    table = data.Table(compositions(["MgB2"] * 8), np.ones(8), tuple(formulas), np.ones(8))
    assert data.misread(table).tolist() == [False, True, True, True, False, False, False, False]


def test_copper_oxides_with_too_little_oxygen_are_found():
    formulas = ["YBa2Cu3O7", "YBa2Cu3O4", "La2CuO4", "Tl2Ba2CaCu2O7", "Cu2O", "LaFeAsO", "Nd1.85Ce0.15CuO4"]
    found = data.too_little_oxygen(compositions(formulas), np.full(len(formulas), 30.0))
    assert found.tolist() == [False, True, False, True, True, False, False]
    assert not data.too_little_oxygen(compositions(formulas), np.full(len(formulas), 10.0)).any()


def test_rare_earth_barium_cuprates_are_no_superconductors_below_six_and_a_third_oxygens():
    """Calcium brings holes: Y0.8Ca0.2Ba2Cu3O6 superconducts."""
    formulas = ["YBa2Cu3O6.03", "DyBa2Cu2.9Zn0.1O6.1", "YBa2Cu3O6.5", "YBa2Cu3O7", "Y0.8Ca0.2Ba2Cu3O6"]
    found = data.too_little_oxygen(compositions(formulas), np.full(len(formulas), 90.0))
    assert found.tolist() == [True, True, False, False, False]
    assert not data.too_little_oxygen(compositions(formulas), np.full(len(formulas), 50.0)).any()


def test_non_superconductors_exclude_superconductors(folder):
    superconductors = data.read_superconductors(folder)
    cod = data.read_non_superconductors(folder, superconductors)
    assert cod.formulas == ("NaCl", "SiO2") and not cod.values.any()
    assert cod.counts["COD: also in SuperCon"] == 1 and cod.counts["COD: replicates merged"] == 1


def test_the_held_out_compositions_are_in_no_training_part(tmp_path):
    write(
        tmp_path / "mp_formation_energy.csv.gz",
        "formula,formation_energy_eV_per_atom,split\nMgO,-3,train\nNaCl,-2,val\nSiO2,-3.1,train\n",
    )
    write(
        tmp_path / "oqmd_formation_enthalpy.csv.gz",
        "formula,formation_energy_eV_per_atom\nNa2Cl2,-2.1\nFeO,-1\nXeO,43\n",
    )
    train, held_out, oqmd = data.read_formation_energies(tmp_path)
    assert train.formulas == ("MgO", "SiO2") and held_out.formulas == ("NaCl",) and oqmd.formulas == ("FeO",)
    assert oqmd.counts["OQMD: composition is in MP val"] == 1
    assert oqmd.counts["OQMD: beyond 5 eV/atom"] == 1


def test_split_is_disjoint_complete_and_seeded():
    parts = data.split(1000, (0.80, 0.05, 0.15), seed=3)
    assert [len(p) for p in parts] == [800, 50, 150]
    assert sorted(np.concatenate(parts)) == list(range(1000))
    assert all(np.array_equal(a, b) for a, b in zip(parts, data.split(1000, (0.80, 0.05, 0.15), 3), strict=True))
    assert not np.array_equal(parts[0], data.split(1000, (0.80, 0.05, 0.15), 4)[0])


def test_the_error_for_a_missing_folder_names_the_remedy(tmp_path):
    with pytest.raises(InputError, match="TC_STUDIO_DATA"):
        data.data_folder(tmp_path / "nowhere")


def test_a_subset_by_numbers_or_by_a_mask_keeps_rows_together():
    table = data.Table(np.eye(4, 118), np.arange(4.0), ("H", "He", "Li", "Be"), np.arange(4) + 1, {"rows": 4})
    by_number = table.subset(np.array([3, 0]))
    assert (by_number.formulas, by_number.values.tolist(), by_number.reports.tolist()) == (("Be", "H"), [3, 0], [4, 1])
    assert by_number.compositions.argmax(1).tolist() == [3, 0]
    by_mask = table.subset(np.array([True, False, False, True]))
    assert by_mask.formulas == ("H", "Be") and by_mask.counts == {"rows": 4}
