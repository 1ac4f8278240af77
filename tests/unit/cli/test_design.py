"""design and run: the folder, the printed table, the exit codes."""

from __future__ import annotations

import json

from core.cli.main import main


def test_design_runs_in_the_folder_and_prints_the_best(written, tmp_path, capsys):
    problem = written(json.dumps({"base": "LaFeAsO", "device": "cpu"}), "problem.json")
    folder = tmp_path / "run"
    assert main(["design", problem, "--out", str(folder), "--candidates", "8", "--steps", "3", "3", "--seed", "5"]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0].split()[:2] == ["Rank", "Formula"] and lines[1].split()[0] == "1"
    assert "every screen" in lines[-3] and "the base (LaFeAsO, predicted 15.7 K)" in lines[-3]
    assert "charge neutral, Pauling test" in lines[-2]
    assert str(folder / "candidates.csv") in lines[-1] and "Traceback" not in err
    stored = json.loads((folder / "problem.json").read_text())
    assert stored["seed"] == 5 and stored["settings"]["steps"] == [3, 3] and stored["settings"]["candidates"] == 8
    assert len((folder / "candidates.csv").read_text().splitlines()) > 1
    assert main(["design", problem, "--out", str(folder)]) == 2  # no file is overwritten
    assert main(["run", str(folder)]) == 0  # already finished


def test_an_invalid_formula_is_shown_with_the_position_of_the_error(written, tmp_path, capsys):
    problem = written('{"base": "LaFe(AsO"}', "problem.json")
    assert main(["design", problem, "--out", str(tmp_path / "run")]) == 2
    err = capsys.readouterr().err
    assert "never closed" in err and "LaFe(AsO\n    ^" in err and "Traceback" not in err
    assert not (tmp_path / "run").exists()
