"""python -m core campaign: the list of runs, a campaign on local workers, and what it says."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from core.cli.main import main
from core.runs import layout
from core.runs.run import Run

PROBLEM = {"base": ["MgB2", "LaFeAsO"], "method": "substitution", "seed": 7, "device": "cpu",
           "settings": {"candidates": 8}}  # fmt: skip


@pytest.fixture
def file(written) -> str:
    return written(json.dumps({"problem": PROBLEM}), "campaign.json")


def test_a_dry_run_lists_the_runs_and_writes_nothing(file, tmp_path, capsys):
    assert main(["campaign", file, "--dry-run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[1] for line in lines] == ["base MgB2", "base LaFeAsO"]
    assert [path.name for path in tmp_path.iterdir()] == ["campaign.json"]


def test_a_dry_run_of_a_batch_system_prints_the_job_script(file, written, capsys):
    pytest.importorskip("dask_jobqueue")
    cluster = written('{"cores": 4, "queue": "short"}', "cluster.json")
    assert main(["campaign", file, "--scheduler", "slurm", "--cluster", cluster, "--dry-run"]) == 0
    assert "#SBATCH -p short" in capsys.readouterr().out


def test_a_campaign_on_local_workers_has_a_row_for_each_run_and_is_not_repeated(file, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["campaign", file, "--out", str(out), "--workers", "1"]) == 0
    shown = capsys.readouterr()
    assert "2 of 2 runs have a result, 0 of them from before" in shown.out and "Dashboard" in shown.err
    table = pd.read_csv(out / "runs.csv")
    assert table["base"].tolist() == ["MgB2", "LaFeAsO"] and set(table["phase"]) == {"finished"}
    for row in table.to_dict("records"):
        run = Run(out / "runs" / row["run"])
        summary = run.summary()
        assert row["n_passing"] == summary["n_passing"] and len(run.candidates())
        if summary["best_tc_K"] is not None:
            assert row["gain_K"] == pytest.approx(summary["best_tc_K"] - summary["base"]["tc_K"], abs=1e-3)
        assert not (run.folder / layout.TRAJECTORY).exists() and run.provenance()["threads"] == 1
    assert not (out / "cluster.json").exists()
    assert main(["campaign", file, "--out", str(out)]) == 0
    assert "2 of 2 runs have a result, 2 of them from before" in capsys.readouterr().out
