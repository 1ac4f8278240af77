"""Fingerprint, start time, threads and device in the provenance of a run."""

from __future__ import annotations

import torch

from core.files import write_json
from core.runs import keyed_runs, layout, store
from core.runs.provenance import device_provenance, fingerprint, provenance_at_start
from tests.unit.runs.sample import SMALL


def test_the_fingerprint_depends_on_problem_and_checkpoints():
    weights = {"tc": "a" * 64, "formation-energy": "b" * 64}
    one = fingerprint(SMALL.to_json(), weights)
    assert one == fingerprint(SMALL.to_json(), dict(reversed(weights.items())))
    assert one != fingerprint(SMALL.to_json().replace("LaFeAsO", "LaFePO"), weights)
    assert one != fingerprint(SMALL.to_json(), weights | {"tc": "c" * 64})


def test_a_resumed_run_keeps_the_start_time_and_threads_of_its_first_start(runs_folder, monkeypatch):
    run = store.create(SMALL)
    first = provenance_at_start(run, SMALL)
    assert first["threads"] == 1 and first["created"] == run.provenance()["created"]
    write_json(run.folder / layout.PROVENANCE, first)
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert provenance_at_start(run, SMALL) == first


def test_checkpoints_that_only_the_method_needs_are_recorded(runs_folder, monkeypatch):
    monkeypatch.setattr(keyed_runs, "checkpoints_of_method", lambda problem: ("formation-energy",))
    assert "formation-energy" in provenance_at_start(store.create(SMALL), SMALL)["checkpoints"]


def test_the_device_is_recorded_with_its_name():
    found = device_provenance(SMALL, torch.device("cpu"))
    assert found["device"] == "cpu" and found["device_name"] and found["precision"] in ("float32", "bfloat16")
