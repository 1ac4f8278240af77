"""Reading the folder of a finished run."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from core.errors import InputError
from core.evaluation.csv_export import to_csv
from core.evaluation.design import design
from core.executors.in_process import InProcessExecutor
from core.runs import layout, store
from core.runs.progress import PROGRESS_COLUMNS, PROGRESS_RECORDS, recorded_steps
from core.runs.run import Run
from core.runs.status import NOT_STARTED, Phase
from tests.unit.runs.sample import SMALL, unchecked_run


@pytest.fixture(scope="module")
def finished(carried_out, tmp_path_factory):
    """SMALL, carried out in this process without interruption."""
    return carried_out(SMALL, tmp_path_factory.mktemp("finished") / "run")


def test_a_finished_run_is_the_design_of_its_problem(finished, one_thread):
    status = finished.status()
    assert (status.phase, status.stage, status.step, status.total_steps) == (Phase.FINISHED, 2, 34, 34)
    assert status.remaining_s is None and status.elapsed_s > 0 and status.message == ""
    result = design(SMALL)
    assert list(finished.candidates().columns) == list(result.candidates.columns)
    assert list(finished.candidates().dtypes) == list(result.candidates.dtypes)
    assert finished.csv() == to_csv(result.candidates)
    assert finished.problem() == SMALL
    assert not (finished.folder / layout.RESUME).exists()


def test_the_summary_agrees_with_the_candidates(finished):
    summary, table = finished.summary(), finished.candidates()
    assert summary["n_passing"] == table["passes"].sum() == summary["funnel"][-1]["left"]
    best = table[table["passes"]].iloc[:1]
    assert summary["best_formula"] == (best["formula"].iloc[0] if len(best) else None)
    assert summary["best_tc_K"] == (best["tc_K"].iloc[0] if len(best) else None)
    assert summary["base"]["tc_K"] > 0 and summary["status"] == "finished"


def test_progress_top_and_trajectory_agree(finished):
    progress, steps = finished.progress(), recorded_steps(34, PROGRESS_RECORDS)
    assert list(progress.columns) == list(PROGRESS_COLUMNS)
    assert progress["step"].tolist() == steps == list(range(34))
    assert progress["stage"].tolist() == [1] * 4 + [2] * 30
    paths = [finished.trajectory(candidate) for candidate in range(8)]
    for name, best in (("tc_K", np.max), ("formation_energy_eV_per_atom", np.min), ("integer_loss", np.min)):
        values = np.stack([path[name] for path in paths])
        np.testing.assert_allclose(progress[f"{name}_best"], best(values, axis=0), rtol=1e-5)
        np.testing.assert_allclose(progress[f"{name}_median"], np.median(values, axis=0), rtol=1e-5)
        assert (progress[f"{name}_p5"] <= progress[f"{name}_p95"]).all()
    top = finished.top()
    assert 1 <= len(top) <= 5 and len({entry["formula"] for entry in top}) == len(top)
    assert top[0]["tc_K"] == progress["tc_K_best"].iloc[-1]


@pytest.mark.parametrize("candidate", [-1, 8])
def test_a_candidate_that_does_not_exist_has_no_trajectory(finished, candidate):
    with pytest.raises(IndexError):
        finished.trajectory(candidate)


def test_the_provenance_is_complete(finished):
    provenance = finished.provenance()
    assert set(provenance["checkpoints"]) == {"tc-ensemble", "formation-energy-ensemble", "judge", "references"}
    assert all(len(checksum) == 64 for checksum in provenance["checkpoints"].values())
    assert provenance["seed"] == 7 and provenance["threads"] == 1 and provenance["packages"]["torch"]
    assert finished.created().isoformat() == provenance["created"]


def test_a_copied_run_has_the_same_content(finished, runs_folder):
    runs_folder.mkdir()
    shutil.copytree(finished.folder, runs_folder / "copy")
    copy = store.get("copy")
    assert copy.status() == finished.status() and copy.csv() == finished.csv()


def test_a_run_that_was_never_started_reads_as_queued(tmp_path):
    run = unchecked_run(tmp_path / "new", SMALL)
    assert run.status() == NOT_STARTED  # the steps are known once a worker has started
    assert len(run.progress()) == 0 and run.top() == [] and len(run.trajectory(0)) == 0 and run.provenance() == {}
    assert abs(run.created().timestamp() - (run.folder / layout.PROBLEM).stat().st_mtime) < 1e-3
    for read in (run.candidates, run.csv, run.summary):
        with pytest.raises(FileNotFoundError):
            read()


@pytest.mark.parametrize("method", ["nope", ["gradient"]])
def test_a_run_with_an_unknown_method_is_damaged_and_says_why(runs_folder, method):
    folder = runs_folder / "unknown"
    folder.mkdir(parents=True)
    (folder / layout.PROBLEM).write_text(json.dumps({"base": "LaFeAsO", "method": method}))
    run = Run(folder)
    words = "unknown method" if isinstance(method, str) else "must be text"
    assert run.status().phase is Phase.DAMAGED and words in run.status().message
    with pytest.raises(InputError, match=words):
        InProcessExecutor().submit(run)
