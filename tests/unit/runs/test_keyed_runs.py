"""Runs under their content key: the same problem gives the same key, and is created once."""

from __future__ import annotations

from dataclasses import replace

from core.predictors.checkpoint import read_card
from core.problem.problem import DesignProblem
from core.runs import layout
from core.runs.keyed_runs import checkpoints_of, checksums_of, found_or_created, key_of, run_key
from tests.unit.runs.sample import SMALL


def test_the_key_is_the_one_of_stored_benchmarks():
    """The SHA-256 of [1, {"a": 2}] as JSON with sorted keys, by another program: stored results are found by it."""
    assert key_of([1, {"a": 2}]) == "8fe2b0569295b6ab08fa"
    assert key_of({"b": 1, "a": 2}) == key_of({"a": 2, "b": 1}) != key_of({"a": 2, "b": 2})


def test_the_key_depends_on_problem_seed_and_checkpoints():
    checksums = checksums_of(SMALL)
    assert set(checksums) == set(checkpoints_of(SMALL)) and checksums["judge"] == read_card("judge")["sha256"]
    same = DesignProblem.from_json(SMALL.to_json())
    assert run_key(same, dict(reversed(checksums.items()))) == run_key(SMALL, checksums)
    others = (replace(SMALL, seed=8), replace(SMALL, base="NdFeAsO"), replace(SMALL, method="substitution"))
    keys = {run_key(problem, checksums) for problem in (SMALL, *others)}
    assert len(keys | {run_key(SMALL, checksums | {"judge": "0"})}) == 5


def test_a_run_is_found_again_and_a_folder_without_a_problem_is_made_again(tmp_path):
    folder = tmp_path / run_key(SMALL, checksums_of(SMALL))
    folder.mkdir()
    (folder / layout.PROVENANCE).write_text("{")  # left by a process that ended before it wrote the problem
    run = found_or_created(SMALL, folder, threads=3)
    before = run.provenance()
    assert run.problem() == SMALL and before["threads"] == 3
    assert found_or_created(SMALL, folder, threads=5).provenance() == before
    (folder / layout.PROBLEM).write_text("{")
    assert found_or_created(SMALL, folder, threads=5).provenance()["threads"] == 5
