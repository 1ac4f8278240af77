"""The example run that comes with the project."""

from __future__ import annotations

import pytest

from core.errors import InputError
from core.runs import layout
from core.runs.example import EXAMPLE_ID, KEPT, STORED, open_example, store_example
from core.runs.run import Run
from core.runs.status import Phase


def test_the_example_opens_as_a_finished_run_without_damage(tmp_path):
    run = open_example(tmp_path)
    assert run.status().phase is Phase.FINISHED and run.damages() == []
    table = run.candidates()
    assert run.summary()["n_passing"] == int(table["passes"].sum()) > 0
    assert len(run.trajectory(0)) > 100 and run.problem().base in EXAMPLE_ID


def test_the_example_is_copied_once_and_changes_are_kept(tmp_path):
    run = open_example(tmp_path)
    (run.folder / "note").write_text("kept")
    assert open_example(tmp_path) == run and (run.folder / "note").exists()
    assert [path.name for path in tmp_path.iterdir()] == [EXAMPLE_ID]


def test_the_stored_example_is_small_and_says_nothing_of_the_machine():
    assert sum(path.stat().st_size for path in STORED.iterdir()) < 500_000
    assert not {"platform", "device_name"} & set(Run(STORED).provenance())


def test_a_run_is_stored_with_the_files_that_pages_read(tmp_path):
    run = open_example(tmp_path / "runs")
    stored = store_example(run, tmp_path / "stored")
    assert {path.name for path in stored.iterdir()} == set(KEPT)
    again = open_example(tmp_path / "other", stored)
    assert again.csv() == run.csv() and again.folder.parent == tmp_path / "other"


def test_a_missing_example_is_named_with_the_command_that_builds_it(tmp_path):
    with pytest.raises(InputError, match="example-run"):
        open_example(tmp_path, tmp_path / "nowhere")
    assert not layout.is_run(tmp_path / EXAMPLE_ID)
