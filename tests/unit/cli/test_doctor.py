"""python -m core doctor."""

from __future__ import annotations

import pytest

from core.cli.main import main
from core.runs import index, layout
from core.runs.run import Run
from tests.unit.runs.damages import FINISHED, INTERRUPTED, damage, stored_run


@pytest.fixture
def folder(tmp_path):
    for name in (FINISHED, INTERRUPTED):
        stored_run(name, tmp_path / name)
    return tmp_path


def test_whole_runs_need_nothing(folder, capsys):
    assert main(["doctor", str(folder)]) == 0
    assert "2 runs, 0 damaged, 0 still damaged" in capsys.readouterr().err
    assert (folder / index.FILE).exists()


def test_what_can_be_rebuilt_is_rebuilt_and_told(folder, capsys):
    damage(folder / FINISHED / layout.CSV, "truncated")
    damage(folder / INTERRUPTED / layout.STATUS, "zeroed")
    assert main(["doctor", str(folder), "--only-report"]) == 1
    assert "It can be rebuilt" in capsys.readouterr().out and Run(folder / FINISHED).damages()
    assert main(["doctor", str(folder)]) == 0
    out = capsys.readouterr().out
    assert "Done: candidates.csv was rebuilt from candidates.parquet, byte for byte." in out
    assert "Done: status.json was rebuilt" in out and "interrupted" in out


def test_what_cannot_be_rebuilt_is_said_with_what_to_do(folder, capsys):
    damage(folder / FINISHED / layout.RESULT, "[]")
    damage(folder / INTERRUPTED / layout.PROBLEM, "truncated")
    assert main(["doctor", str(folder)]) == 1
    out = capsys.readouterr().out
    assert f"To do: python -m core run {folder / FINISHED}" in out
    assert f"To do: restore problem.json, or delete the folder {folder / INTERRUPTED}" in out


def test_one_run_is_examined_alone(folder, capsys):
    assert main(["doctor", str(folder / FINISHED)]) == 0
    assert "1 runs, 0 damaged" in capsys.readouterr().err


def test_a_missing_folder_is_refused(tmp_path, capsys):
    assert main(["doctor", str(tmp_path / "nowhere")]) == 2
    assert "there is no such folder" in capsys.readouterr().err
