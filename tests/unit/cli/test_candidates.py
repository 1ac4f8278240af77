"""python -m core candidates: from the folders of runs to a CSV file."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from core.cli.main import main
from tests.unit.runs.sample import SMALL


@pytest.fixture(scope="module")
def runs(carried_out, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    carried_out(replace(SMALL, method="substitution"), folder / "run")
    return folder


def test_candidates_that_meet_a_condition_become_a_csv_file(runs, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TC_STUDIO_RUNS", str(runs))
    monkeypatch.setenv("TC_STUDIO_CAMPAIGNS", str(tmp_path / "none"))
    out = tmp_path / "best.csv"
    assert main(["candidates", "--out", str(out)]) == 0
    everything = pd.read_csv(out)
    assert 0 < len(everything) <= 8  # the candidates of one formula are one row
    middle = everything["tc_K"].median()
    assert main(["candidates", str(runs), "--where", f"tc_K > {middle}", "--out", str(out), "--once"]) == 0
    table = pd.read_csv(out)
    assert len(table) == (everything["tc_K"] > middle).sum() and set(table["found_in_runs"]) == {1}
    assert table["tc_minus_error_K"].is_monotonic_decreasing
    assert main(["candidates", str(runs), "--most", "2"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_wrong_conditions_and_missing_runs_are_messages(runs, tmp_path, monkeypatch, capsys):
    assert main(["candidates", str(runs), "--where", "tc_K > 60 and and new"]) == 2
    assert "^" in capsys.readouterr().err
    monkeypatch.setenv("TC_STUDIO_RUNS", str(tmp_path / "none"))
    monkeypatch.setenv("TC_STUDIO_CAMPAIGNS", str(tmp_path / "none"))
    assert main(["candidates"]) == 2 and "no runs yet" in capsys.readouterr().err


def test_the_columns_are_listed_with_their_meaning(capsys):
    assert main(["candidates", "--columns"]) == 0
    lines = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    assert dict(lines)["energy_above_hull_eV_per_atom"].startswith("Predicted energy minus")
