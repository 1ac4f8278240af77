"""The command line: what it prints, what it writes, its exit codes."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys

import pytest
import torch

from core.__main__ import best_text, main, read_formulas
from core.errors import InputError
from core.evaluation import user_formulas
from core.paths import PROJECT

PREDICTED = ["formula", "tc_K", "formation_energy_eV_per_atom"]

EMPTY = {"str": "", "float64": float("nan"), "bool": False, "boolean": False, "int64": 1}  # by type of a column


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    """Small batches are no faster with more threads, and much slower where the processors are busy."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def written(tmp_path):
    """Write a file, get its path as text."""

    def write(content: str | bytes, name: str = "in.csv") -> str:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return write


# predict


def test_predict_prints_one_row_per_formula(capsys):
    assert main(["predict", "LaFeAsO", "Ba(Fe0.9Co0.1)2As2", "LaFeAsO"]) == 0
    out, err = capsys.readouterr()
    rows = table(out)
    assert list(rows[0]) == [*PREDICTED, *user_formulas.SAID, "error"] and err == ""
    assert [row["formula"] for row in rows] == ["LaFeAsO", "Ba(Fe0.9Co0.1)2As2", "LaFeAsO"]
    assert rows[0] == rows[2] and float(rows[0]["tc_K"]) > 0 and float(rows[0][PREDICTED[2]]) < 0


def test_good_rows_are_written_beside_bad_ones(written, tmp_path, capsys):
    given = written("\ufeffsample,formula,note\n1,MgB2,x\n2,Xx2,\n3,PoO2,\n4,,\n5,Nb3Sn\n")
    out = tmp_path / "out.csv"
    assert main(["predict", "--csv", given, "--out", str(out)]) == 1
    printed = capsys.readouterr()
    assert printed.out == "" and "3 of 5 rows" in printed.err
    content = out.read_bytes()
    assert b"\r" not in content and b"nan" not in content.lower()
    rows = table(content.decode())
    assert [row["formula"] for row in rows] == ["MgB2", "Xx2", "PoO2", "", "Nb3Sn"]
    assert [bool(row["tc_K"]) for row in rows] == [True, False, False, False, True]
    assert [bool(row["error"]) for row in rows] == [False, True, True, True, False]
    assert "formation-energy model does not know Po" in rows[2]["error"]


def test_predictions_do_not_depend_on_the_company_they_are_in():
    alone, among = user_formulas.predict(["MgB2"]), user_formulas.predict(["Nb3Sn", "??", "MgB2"])
    assert among["tc_K"].iloc[2] == pytest.approx(alone["tc_K"].iloc[0], abs=1e-3)


def test_nothing_good_is_no_crash():
    for function in (user_formulas.predict, user_formulas.screen):
        assert function([]).shape[0] == 0
        assert function(["?"])["error"].iloc[0] != ""


# screen


def test_screen_lets_every_atom_take_its_own_state_if_asked(capsys):
    assert main(["screen", "LaH10", "Ba0.6K0.4Fe2As2"]) == 0
    assert [row["charge_neutral"] for row in table(capsys.readouterr().out)] == ["False", "False"]
    assert main(["screen", "LaH10", "Ba0.6K0.4Fe2As2", "--every-atom"]) == 0
    hydride, doped = table(capsys.readouterr().out)
    assert hydride["oxidation_states"] == "La 2+, 6 H 1-, 4 H 1+"
    assert doped["oxidation_states"] == "K 1+, Ba 2+, 1.6 Fe 2+, 0.4 Fe 3+, As 3-"


def test_screen_adds_the_screens(capsys):
    assert main(["screen", "La1.85Sr0.15CuO4", "NbTi", "LaFeAsO3", "C3.14159265H"]) == 0
    rows = table(capsys.readouterr().out)
    assert list(rows[0]) == [*PREDICTED, *user_formulas.SAID, *user_formulas.SCREENED, "error"]
    cuprate, alloy, off, odd = rows
    assert cuprate["charge_neutral"] == cuprate["pauling_ok"] == "True" and "La 2+" in cuprate["oxidation_states"]
    assert cuprate["nearest_known"] == "La1.85Sr0.15CuO4" and cuprate["distance_to_known"] == "0.000"
    assert float(cuprate["nearest_known_tc_K"]) > 20 and float(cuprate["energy_above_hull_eV_per_atom"]) > -1
    assert "all metals" in alloy["reason"] and alloy["charge_neutral"] == "True"
    assert off["reason"] != "" and off["decomposition"] != ""
    assert odd["error"] == "" and odd["tc_K"] != ""


def test_amounts_that_cannot_be_whole_are_not_judged(capsys):
    assert main(["screen", "C3.1415926535H0.00001"]) == 0
    (row,) = table(capsys.readouterr().out)
    assert row["charge_neutral"] == row["pauling_ok"] == "" and "whole numbers" in row["reason"]
    assert row["energy_above_hull_eV_per_atom"] != ""


@pytest.mark.parametrize(
    ("amounts", "counts"),
    [
        ({"La": 1.85, "Sr": 0.15, "Cu": 1, "O": 4}, {"La": 37, "Sr": 3, "Cu": 20, "O": 80}),
        ({"Y": 1, "Ba": 2, "Cu": 3, "O": 6.93}, {"Y": 100, "Ba": 200, "Cu": 300, "O": 693}),
        ({"Cu": 0.333333, "O": 0.666667}, {"Cu": 1, "O": 2}),
        ({"Ba": 0.5, "Fe": 1.0}, {"Ba": 1, "Fe": 2}),
        ({"La": 1e5, "O": 1.5e5}, {"La": 2, "O": 3}),
        ({"H": 1e5, "O": 1}, None),
        ({"H": 1.0, "O": 1e-9}, None),
        ({"H": 1e300, "O": 3}, None),
    ],
)
def test_whole_counts(amounts, counts):
    assert user_formulas.whole_counts(amounts) == counts


# CSV files


@pytest.mark.parametrize(
    ("content", "formulas"),
    [
        ("formula\nMgB2\nNbTi\n", ["MgB2", "NbTi"]),
        ("MgB2\nNbTi", ["MgB2", "NbTi"]),
        ("material\r\nMgB2\r\n\r\nNbTi\r\n", ["MgB2", "NbTi"]),
        ("id;Formula;Tc\n1;MgB2;39\n2;NbTi;10\n", ["MgB2", "NbTi"]),
        ("compound\tTc\nMgB2\t39\n", ["MgB2"]),
        ('id,formula\n1,"MgB2"\n2\n', ["MgB2", ""]),
        ('note,formula\n"two\nlines",MgB2\n', ["MgB2"]),
        ("formula\n", []),
    ],
)
def test_formulas_are_found_in_csv_files(written, content, formulas, tmp_path):
    given = tmp_path / "in.csv"
    written("\ufeff" + content)
    assert read_formulas(given) == formulas


@pytest.mark.parametrize("content", [b"", b"formula\n\xff\xfe\xfa\n"])
def test_unreadable_csv_is_refused(written, content, tmp_path):
    written(content)
    with pytest.raises(InputError):
        read_formulas(tmp_path / "in.csv")


# design, run, train


def test_design_runs_in_the_folder_and_prints_the_best(written, tmp_path, capsys):
    problem = written(json.dumps({"base": "LaFeAsO", "device": "cpu"}), "problem.json")
    folder = tmp_path / "run"
    assert main(["design", problem, "--out", str(folder), "--candidates", "8", "--steps", "3", "3", "--seed", "5"]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0].split()[:2] == ["Rank", "Formula"] and lines[1].split()[0] == "1"
    assert "pass every screen" in lines[-1] and "Traceback" not in err
    stored = json.loads((folder / "problem.json").read_text())
    assert stored["seed"] == 5 and stored["settings"]["steps"] == [3, 3] and stored["settings"]["candidates"] == 8
    assert len((folder / "candidates.csv").read_text().splitlines()) > 1
    assert main(["design", problem, "--out", str(folder)]) == 2  # nothing is written over
    assert main(["run", str(folder)]) == 0  # finished already


def test_best_text_is_aligned_and_shows_no_nan():
    import pandas as pd

    from core.evaluation.table import COLUMNS

    row = {c.name: EMPTY[c.dtype] for c in COLUMNS}
    text = best_text(pd.DataFrame([{**row, "formula": "MgB2", "tc_K": 39.0}, {**row, "formula": "LaFeAsO"}]))
    lines = text.splitlines()
    assert "nan" not in text and lines[1].split()[:3] == ["1", "MgB2", "39.00"]
    assert lines[0].index("Formula") == lines[1].index("MgB2") == lines[2].index("LaFeAsO")


def test_bad_formula_is_shown_with_its_place(written, tmp_path, capsys):
    problem = written('{"base": "LaFe(AsO"}', "problem.json")
    assert main(["design", problem, "--out", str(tmp_path / "run")]) == 2
    err = capsys.readouterr().err
    assert "never closed" in err and "LaFe(AsO\n    ^" in err and "Traceback" not in err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["predict", "--csv", "none.csv"],
        ["predict", "MgB2", "--out", "no/such/folder/out.csv"],
        ["design", "none.json", "--out", "run"],
        ["design", "text.json", "--out", "run"],
        ["design", "small.json", "--out", "run", "--candidates", "0"],
        ["design", "small.json", "--out", "run", "--device", "abacus"],
        ["run", "no-such-folder"],
        ["train", "tc", "--data", "no-such-folder"],
    ],
)
def test_wrong_input_is_a_message(arguments, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.json").write_text("no JSON")
    (tmp_path / "small.json").write_text('{"base": "LaFeAsO"}')
    assert main(arguments) == 2
    err = capsys.readouterr().err
    assert err.strip() and "Traceback" not in err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["predict"],
        ["predict", "MgB2", "--csv", "in.csv"],
        ["design", "problem.json"],
        ["train", "everything"],
        ["nonsense"],
    ],
)
def test_wrong_usage_is_exit_code_2(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2 and "usage" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["predict", "screen", "design", "run", "train", "evaluate"])
def test_every_command_has_an_example(command, capsys):
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    out = capsys.readouterr().out
    assert caught.value.code == 0 and f"python -m core {command} " in out


def test_help_imports_nothing_heavy():
    code = "import sys; import core.__main__ as m; m._parser(); print({'torch', 'pandas', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_module_can_be_run():
    done = subprocess.run([sys.executable, "-m", "core", "--help"], cwd=PROJECT, capture_output=True, text=True)
    assert done.returncode == 0 and "design" in done.stdout
