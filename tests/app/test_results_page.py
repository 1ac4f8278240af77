"""The results page."""

from __future__ import annotations

import io

import pandas as pd

from app.results.funnel import funnel_html, reasons_text
from app.results.summary_text import gain_text
from app.text.formatting import formula_text
from core.chemistry.composition import format_amount
from core.chemistry.formula_reader import parse_formula
from core.evaluation.candidate_table import gain
from core.evaluation.columns import COLUMNS
from core.runs.status import Phase
from tests.app.conftest import PROBLEM
from tests.app.pages import button_labels, html_text, open_page, page_text


def test_without_a_run_the_page_leads_to_the_design_page(empty_runs_folder):
    assert "No results yet" in html_text(open_page("results"))


def test_the_results_of_an_unfinished_run_lead_to_the_run(unfinished_run):
    test = open_page("results", unfinished_run(Phase.CANCELLED))
    assert "no results: it is cancelled" in page_text(test) and "Go to the run" in button_labels(test)


def test_the_problem_of_the_run_becomes_the_draft_of_a_new_session(finished_run):
    test = open_page("results", finished_run)
    assert test.session_state["tc_studio.draft"].problem() == PROBLEM


def test_the_metrics_are_those_of_the_table(finished_run):
    test = open_page("results", finished_run)
    table, summary = finished_run.candidates(), finished_run.summary()
    metrics = {metric.label: metric.value for metric in test.metric}
    assert metrics["Passing candidates"] == f"{summary['n_passing']:,}"
    assert metrics["Candidates"] == "24"
    if summary["n_passing"]:
        best = table.loc[table["passes"], "tc_K"].iloc[0]
        assert metrics["Best Tc"] == f"{best:.1f} K"
    for step in summary["funnel"]:
        assert step["label"] in html_text(test)
    assert "<div>Candidates</div>" in html_text(test)


def test_failing_candidates_are_shown_with_their_reason_on_request(finished_run):
    test = open_page("results", finished_run)
    table = finished_run.candidates()
    test.toggle(key="filter_failing").set_value(True).run()
    shown = test.dataframe[0].value
    assert len(shown) == len(table) and {"passes", "failed_screen", "reason"} <= set(shown.columns)
    failed = shown[~shown["passes"]]
    assert len(failed) and failed["reason"].str.len().min() > 0
    test.toggle(key="filter_failing").set_value(False).run()
    assert not test.exception
    assert sum(map(len, (frame.value for frame in test.dataframe))) == int(table["passes"].sum())


def test_the_fields_of_the_filters_select_rows(finished_run):
    test = open_page("results", finished_run)
    test.toggle(key="filter_failing").set_value(True).run()
    table = finished_run.candidates()
    test.multiselect(key="filter_with").select("Fe").run()
    test.multiselect(key="filter_without").select("As").run()
    expected = table[table["formula"].str.contains("Fe") & ~table["formula"].str.contains("As")]
    assert sum(len(frame.value) for frame in test.dataframe) == len(expected)
    test.multiselect(key="filter_with").unselect("Fe").run()
    test.multiselect(key="filter_without").unselect("As").run()
    formula = table["formula"].iloc[0]
    amounts = parse_formula(formula)
    reversed_formula = "".join(symbol + format_amount(amount) for symbol, amount in reversed(amounts.items()))
    for typed in (formula.lower(), reversed_formula):
        test.text_input(key="filter_text").set_value(typed).run()
        (frame,) = test.dataframe
        assert formula_text(formula) in set(frame.value["formula"])
    test.text_input(key="filter_text").set_value("").run()
    test.number_input(key="filter_tc").set_value(1e6).run()
    assert not test.exception and "No candidate meets these filters" in page_text(test)


def test_every_tab_of_the_candidate_card_is_filled(finished_run):
    test = open_page("results", finished_run)
    assert [tab.label for tab in test.tabs] == ["Overview", "Charges", "Stability", "Trajectory"]
    text = html_text(test)
    assert "Before rounding" in text and "This formula" in text
    std = finished_run.candidates()["energy_above_hull_std_eV_per_atom"][0]
    assert std > 0 and f"± {std:.3f} eV/atom</b> above the hull" in text
    assert "energy_above_hull_std_eV_per_atom" in test.dataframe[0].value
    assert len(test.get("plotly_chart")) >= 3  # of the trajectory
    assert "Use as new base" in button_labels(test)


def test_the_downloaded_csv_has_all_columns_and_candidates(finished_run):
    table = pd.read_csv(io.StringIO(finished_run.csv()))
    assert list(table.columns) == [column.name for column in COLUMNS]
    assert len(table) == len(finished_run.candidates())


def test_the_funnel_shows_reasons_and_notes():
    step = {"label": "Distinct formulas", "left": 3, "failed": {"the same formula was reached before": 2}}
    assert "reached before; 4 moved</div>" in funnel_html([step | {"note": "4 moved"}])
    assert 'class="why">4 moved</div>' in funnel_html([step | {"failed": {}, "note": "4 moved"}])
    assert "reached before</div>" in funnel_html([step])  # of a run of an earlier version, without notes


def test_rare_reasons_are_counted_together():
    assert reasons_text({"a": 1}) == "a"
    assert reasons_text({"a": 1, "b": 3, "c": 2}) == "3 × b; 2 × c; 1 for another reason"
    assert reasons_text({"a": 1, "b": 3, "c": 2, "d": 1}) == "3 × b; 2 × c; 2 for 2 other reasons"


def test_the_gain_of_the_best_candidate_comes_before_the_mean():
    table = pd.DataFrame({"tc_K": [101.0, 21.0], "tc_judge_K": [91.0, 31.0]})
    base = {"tc_K": 91.0, "tc_judge_K": 90.0}
    text = gain_text(gain(table, base), gain(table, base, most=1))
    assert "a gain of 10.0 K according to the Tc model, a gain of 1.0 K according to the control model" in text
    assert "The mean of the best 2 that pass: a loss of 30.0 K according to the Tc model, a loss of 29.0 K" in text
