"""Damaged runs: no page becomes an error page, what is wrong is told, and the buttons repair it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from types import SimpleNamespace

import pytest

from app.state.draft import draft_of
from core.problem.problem import DesignProblem
from core.runs import layout, store
from core.runs.run import Run
from core.runs.status import Phase, RunStatus, write_status
from tests.app.pages import button_labels, html_text, open_page, page_text
from tests.unit.runs.damages import damage

PAGES = ("runs", "run", "results")
DAMAGES = [
    (layout.STATUS, "{}"), (layout.PROBLEM, "byte 0xff"), (layout.PROVENANCE, "another created"),
    (layout.RESULT, "[]"), (layout.CSV, "truncated"), (layout.TABLE, "zeroed"), (layout.PROGRESS, "appended zeros"),
    (layout.TRAJECTORY, "truncated"), (layout.PROBLEM, "removed"), (layout.STATUS, "folder"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "way"), DAMAGES)
def test_no_page_becomes_an_error_page_and_the_damage_is_told(finished_run, file, way):
    damage(finished_run.folder / file, way)
    pages = {view: open_page(view, finished_run if view != "runs" else None) for view in PAGES}
    for page in pages.values():
        assert "LaFeAsO" in page_text(page) or "cannot be read" in page_text(page)
    if file != layout.PROGRESS:  # its zeros are found by the size that result.json records
        assert finished_run.damages()
    assert file in html_text(pages["run"])


def test_one_damaged_run_leaves_the_list_to_the_others(finished_run, empty_runs_folder):
    for name in ("a.b", "a_b"):
        shutil.copytree(finished_run.folder, empty_runs_folder / name)
    (empty_runs_folder / "a.b" / layout.STATUS).write_text("{}")
    test = open_page("runs")
    assert button_labels(test).count("Open") == 3 and html_text(test).count("can be rebuilt") == 1


def test_a_damaged_table_is_not_offered_and_is_rebuilt(finished_run):
    whole = finished_run.csv()
    damage(finished_run.folder / layout.CSV, "truncated")
    test = open_page("results", finished_run)
    assert "candidates.csv has" in html_text(test)
    test.button(key="rebuild").click().run()
    assert not test.exception and finished_run.csv() == whole
    assert "byte for byte" in html_text(test) and finished_run.status().phase is Phase.FINISHED


def test_the_problem_of_an_interrupted_run_with_a_damaged_resume_point_can_be_changed(unfinished_run):
    run = unfinished_run(Phase.INTERRUPTED)
    (run.folder / layout.RESUME).write_bytes(b"\0" * 100)
    test = open_page("run", run)
    assert layout.RESUME in html_text(test) and "This run is damaged" in html_text(test)
    assert button_labels(test) == ["Carry out again", "Change the problem", "Delete"]
    test.session_state["tc_studio.draft"] = draft_of(DesignProblem(base="MgB2"))
    test.button(key="change").click().run()
    assert not test.exception and test.session_state["tc_studio.draft"].problem() == run.problem()


def test_a_damaged_problem_is_not_offered_for_a_change(finished_run):
    (finished_run.folder / layout.PROBLEM).write_text("{")
    (finished_run.folder / layout.PROVENANCE).write_text("{")
    for view in ("run", "results"):
        assert "Change the problem" not in button_labels(open_page(view, finished_run))


def test_a_message_is_shown_as_plain_text(unfinished_run):
    run = unfinished_run(Phase.FAILED, "**bold** [link](http://x) <script>alert(1)</script>")
    test = open_page("run", run)
    assert "**bold** [link](http://x) &lt;script&gt;" in html_text(test) and not test.error


@pytest.mark.parametrize("run_id", ["x" * 256, "../../etc", "%00", "a/b", "Q" * 5000])
def test_a_link_to_no_run_is_a_page_without_a_run(empty_runs_folder, run_id):
    for view in ("run", "results"):
        text = html_text(open_page(view, SimpleNamespace(id=run_id)))
        assert "Run not found" in text and len(text) < 20_000


@pytest.mark.parametrize(
    "link",
    [{"base": "Q" * 5000}, {"base": "LaFeAsO", "groups": "[" * 1100}, {"base": "LaFeAsO", "candidates": "9" * 400},
     {"base": "LaFeAsO", "tc_predictor": "x" * 300}, {"base": "LaFeAsO", "tc_predictor": "../../etc/passwd"},
     {"base": "LaFeAsO", "task": "substitute", "replace": "La:3:3:0.000000000001"}],
)  # fmt: skip
def test_a_hostile_link_is_refused_with_a_message(empty_runs_folder, link):
    test = open_page(None, **link)
    assert "wrong" in html_text(test) and html_text(test).count("Q") < 1000


def test_a_problem_that_is_valid_json_and_no_problem_is_damaged(finished_run):
    stored = json.loads(finished_run.problem_text())
    stored["settings"]["steps"] = ["a", "b"]
    (finished_run.folder / layout.PROBLEM).write_text(json.dumps(stored))
    assert "problem.json" in html_text(open_page("run", finished_run))


def test_a_full_disk_is_told_on_the_page(finished_run, monkeypatch):
    run = Run(finished_run.folder)
    write_status(run.folder, replace(RunStatus(Phase.INTERRUPTED, 1, 3, 16)))
    test = open_page("run", run)

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("core.files.open_private", full)
    monkeypatch.setattr("core.executors.local_process.write_status", full)
    test.button(key="resume").click().run()
    assert not test.exception and "the disk is full" in html_text(test)


def test_runs_can_be_read_by_their_owner_only(finished_run, unfinished_run):
    run = unfinished_run(Phase.CANCELLED)
    assert run.folder.stat().st_mode & 0o077 == 0
    for path in [*finished_run.folder.iterdir(), *run.folder.iterdir()]:
        assert path.stat().st_mode & 0o077 == 0, path.name
    assert store.get(run.id) == run
