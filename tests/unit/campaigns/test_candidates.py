"""The candidates of all runs of a folder as one table, compacted and rebuilt."""

from __future__ import annotations

import os
from dataclasses import replace

import pandas as pd
import pyarrow.parquet as pq
import pytest

from core.campaigns import candidates as module
from core.campaigns.candidates import ALL_COLUMNS, TABLE, as_frame, candidates_of, state_of
from core.errors import InputError
from core.runs import layout
from tests.unit.runs.sample import SMALL

PROBLEM = replace(SMALL, method="substitution")


@pytest.fixture(scope="module")
def stored_runs(carried_out, tmp_path_factory):
    """Two finished runs in one folder."""
    folder = tmp_path_factory.mktemp("runs")
    return [carried_out(replace(PROBLEM, seed=seed), folder / f"run-{seed}") for seed in (1, 2)]


@pytest.fixture
def folder(stored_runs):
    path = stored_runs[0].folder.parent
    (path / TABLE).unlink(missing_ok=True)
    return path


def test_the_table_has_the_candidates_of_every_run_with_its_base_and_seed(folder, stored_runs):
    table = candidates_of([folder])
    assert table.column_names == [column.name for column in ALL_COLUMNS]
    frame = as_frame(table)
    assert len(frame) == sum(len(run.candidates()) for run in stored_runs)
    for run, seed in zip(stored_runs, (1, 2), strict=True):
        rows, own = frame[frame["run"] == run.id], run.candidates()
        assert set(rows["seed"]) == {seed} and set(rows["base"]) == {"LaFeAsO"} and set(rows["campaign"]) == {""}
        assert rows["formula"].tolist() == own["formula"].tolist()
        pd.testing.assert_series_equal(rows["tc_K"].reset_index(drop=True), own["tc_K"])
        assert rows["new"].tolist() == (~own["known"]).tolist()
    assert "La" in frame["elements"].str.cat(sep=" ").split()


def test_only_new_and_changed_runs_are_read_again_and_the_file_can_be_deleted(folder, monkeypatch, stored_runs):
    first = candidates_of([folder])
    read = []
    stored = module._stored
    monkeypatch.setattr(module, "_stored", lambda run, campaign: read.append(run.id) or stored(run, campaign))
    state = state_of([folder])
    assert candidates_of([folder]).equals(first) and read == []
    table = stored_runs[0].folder / layout.TABLE
    os.utime(table, ns=(0, 1))
    assert candidates_of([folder]).equals(first) and read == [stored_runs[0].id] and state_of([folder]) != state
    (folder / TABLE).write_bytes(b"damaged")
    assert candidates_of([folder]).equals(first) and len(read) == 3
    (folder / TABLE).unlink()
    assert candidates_of([folder, folder]).num_rows == 2 * first.num_rows
    assert pq.read_table(folder / TABLE).equals(first)


def test_a_deleted_run_leaves_the_table_and_a_damaged_one_is_left_out(folder, stored_runs):
    candidates_of([folder])
    first, second = stored_runs
    hidden = first.folder / "hidden.parquet"
    table = first.folder / layout.TABLE
    table.rename(hidden)
    try:
        assert set(candidates_of([folder])["run"].to_pylist()) == {second.id}
        table.write_bytes(b"PAR1")
        assert set(candidates_of([folder])["run"].to_pylist()) == {second.id}
        frame = pd.read_parquet(hidden)
        frame.drop(columns="tc_K").to_parquet(table)
        os.utime(table, ns=(0, 2))
        assert set(candidates_of([folder])["run"].to_pylist()) == {second.id}
        frame.assign(formula="no formula").to_parquet(table)  # of the same columns as that of the other run
        os.utime(table, ns=(0, 3))
        (folder / TABLE).unlink()
        assert set(candidates_of([folder])["run"].to_pylist()) == {second.id}
    finally:
        hidden.replace(table)
    assert set(candidates_of([folder])["run"].to_pylist()) == {first.id, second.id}


def test_folders_without_runs_are_refused(tmp_path, stored_runs):
    for folder in (tmp_path / "none", stored_runs[0].folder):
        with pytest.raises(InputError, match="neither a campaign nor a folder of runs"):
            candidates_of([folder])
    assert candidates_of([tmp_path]).num_rows == 0
