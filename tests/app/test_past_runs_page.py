"""The list of past runs."""

from __future__ import annotations

from core.runs import layout
from core.runs.names import names
from core.runs.status import Phase
from tests.app.conftest import PROBLEM
from tests.app.pages import button_labels, html_text, open_page


def test_without_runs_the_page_leads_to_the_design_page(empty_runs_folder):
    assert "No runs yet" in html_text(open_page("runs"))


def test_past_runs_show_date_status_and_best_tc(finished_run, unfinished_run):
    unfinished_run(Phase.CANCELLED)
    test = open_page("runs")
    text = html_text(test)
    assert text.count("LaFeAsO") == 2
    assert f"{finished_run.created():%d %b %Y}" in text
    best = finished_run.summary()["best_tc_K"]
    assert best is None or f"{best:.1f} K" in text
    assert button_labels(test).count("Open") == 2


def test_runs_are_named_and_searched(finished_run, unfinished_run):
    other = unfinished_run(Phase.CANCELLED)
    test = open_page("runs")
    test.button(key=f"name-{finished_run.id}").click().run()
    test.text_input(key="run_name").set_value("less <b>arsenic")
    test.button(key=f"name-{finished_run.id}").click()  # AppTest reruns the page, where a browser reruns the dialog
    test.button(key="save_name").click().run()
    assert not test.exception and names() == {finished_run.id: "less <b>arsenic"}
    assert "<b>less &lt;b&gt;arsenic</b>" in html_text(test)
    test.text_input(key="runs_search").set_value("arsenic LAFE").run()
    assert [b.key for b in test.button if b.label == "Open"] == [f"open-{finished_run.id}"]
    test.text_input(key="runs_search").set_value(other.id).run()
    assert [b.key for b in test.button if b.label == "Open"] == [f"open-{other.id}"]


def test_a_run_is_deleted_after_a_confirmation(finished_run):
    test = open_page("runs")
    test.button(key=f"delete-{finished_run.id}").click().run()
    assert finished_run.folder.exists()
    test.button(key=f"delete-{finished_run.id}").click()  # AppTest reruns the page, where a browser reruns the dialog
    test.button(key="delete_yes").click().run()
    assert not test.exception and not finished_run.folder.exists()


def test_a_run_is_copied_to_the_design_page(finished_run):
    test = open_page("runs")
    test.button(key=f"copy-{finished_run.id}").click().run()
    assert test.session_state["tc_studio.draft"].problem() == PROBLEM


def test_a_broken_problem_file_does_not_break_the_page(finished_run):
    (finished_run.folder / layout.PROBLEM).write_text("{", encoding="utf-8")
    assert "cannot be read" in html_text(open_page("runs"))
