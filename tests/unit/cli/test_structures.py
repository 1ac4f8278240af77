"""python -m core structures."""

import csv

import pytest

from core.cli.main import main
from core.executors.structure_searches import shared_folder
from core.structures import interatomic
from core.structures import prototypes as finder_module
from core.structures.prototypes import StructureFinder
from tests import crystals
from tests.pair_potential import PairPotential


@pytest.fixture(autouse=True)
def small_library(monkeypatch, tmp_path_factory):
    monkeypatch.setenv("TC_STUDIO_RUNS", str(tmp_path_factory.mktemp("runs")))
    finder = StructureFinder(crystals.prototype_library(), crystals.NearestFirst())
    monkeypatch.setattr(finder_module, "load_finder", lambda: finder)


def rows(folder):
    with (folder / "structures.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_formulas_give_structures(tmp_path, capsys):
    assert main(["structures", "KCl", "MgB2", "KCl", "--out", str(tmp_path / "out"), "--top", "1", "--no-relax"]) == 0
    found = rows(tmp_path / "out")
    assert [row["formula"] for row in found] == ["KCl", "MgB2"] and found[1]["matches_known"] == "true"
    assert all((tmp_path / "out" / row["cif"]).exists() for row in found)
    assert capsys.readouterr().out.strip() == str(tmp_path / "out" / "structures.csv")


def test_a_csv_file_is_read_and_bad_formulas_keep_their_row(tmp_path):
    (tmp_path / "in.csv").write_text("formula,note\nKCl,a\nYBCO,b\n", encoding="utf-8")
    assert main(["structures", "--csv", str(tmp_path / "in.csv"), "--out", str(tmp_path / "out"), "--no-relax"]) == 1
    found = rows(tmp_path / "out")
    assert [row["formula"] for row in found] == ["KCl", "KCl", "YBCO"] and found[2]["error"] and not found[2]["cif"]


def test_a_series_gives_its_members(tmp_path):
    text = "CeFeAsO1-xFx, x = 0.25..0.5 in 2 steps"
    assert main(["structures", text, "--out", str(tmp_path), "--top", "1", "--no-relax"]) == 0
    assert ["supercell" in row["note"] for row in rows(tmp_path)] == [True, True]


def test_input_files_are_written_for_every_structure(tmp_path, capsys):
    assert main(["structures", "KCl", "--out", str(tmp_path), "--top", "2", "--no-relax", "--espresso"]) == 0
    names = {path.name for path in (tmp_path / "espresso").iterdir()}
    assert names == {row["cif"].split("/")[1].removesuffix(".cif") for row in rows(tmp_path)} and len(names) == 2
    assert str(tmp_path / "espresso") in capsys.readouterr().out


@pytest.mark.parametrize("top", ["0", "21"])
def test_a_number_of_structures_out_of_range_is_refused(tmp_path, top, capsys):
    assert main(["structures", "KCl", "--out", str(tmp_path), "--top", top]) == 2
    assert "1 to 20" in capsys.readouterr().err


def test_structures_are_relaxed_and_a_pressure_makes_them_smaller(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(interatomic, "load_chgnet", lambda: PairPotential(r0=3.3))
    free, pressed = tmp_path / "free", tmp_path / "pressed"
    assert main(["structures", "KCl", "--out", str(free)]) == 0
    assert main(["structures", "KCl", "--out", str(pressed), "--pressure", "10"]) == 0
    volumes = {row["prototype"]: float(row["volume_A3_per_atom"]) for row in rows(free)}
    assert all(row["relaxed"] == "true" and float(row["energy_eV_per_atom"]) < 0 for row in rows(free))
    assert all(float(row["volume_A3_per_atom"]) < volumes[row["prototype"]] for row in rows(pressed))
    assert {row["pressure_GPa"] for row in rows(pressed)} == {"10"}


@pytest.mark.parametrize("pressure", ["-1", "501", "nan"])
def test_a_pressure_out_of_range_is_refused(tmp_path, pressure, capsys):
    assert main(["structures", "KCl", "--out", str(tmp_path), f"--pressure={pressure}"]) == 2
    assert "GPa" in capsys.readouterr().err


def test_a_system_whose_elements_have_no_structure_has_no_hull(tmp_path, monkeypatch):
    monkeypatch.setattr(interatomic, "load_chgnet", lambda: PairPotential(r0=3.3))
    assert main(["structures", "KCl", "--out", str(tmp_path), "--hull", "--top", "1"]) == 0
    assert rows(tmp_path)[0]["relaxed"] == "true" and rows(tmp_path)[0]["energy_above_hull_eV_per_atom"] == ""
    assert (shared_folder() / "references").is_dir()


@pytest.mark.parametrize(
    "options", [["--no-relax", "--pressure", "10"], ["--no-relax", "--hull"], ["--pressure", "10", "--hull"]]
)
def test_options_that_exclude_each_other_are_refused(tmp_path, options):
    with pytest.raises(SystemExit) as caught:
        main(["structures", "KCl", "--out", str(tmp_path), *options])
    assert caught.value.code == 2


def test_formulas_come_from_one_place(tmp_path):
    with pytest.raises(SystemExit) as caught:
        main(["structures", "--out", str(tmp_path)])
    assert caught.value.code == 2
