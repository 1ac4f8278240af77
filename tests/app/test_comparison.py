"""Candidates and runs side by side on the results page, and what a card gives to take home."""

from __future__ import annotations

import shutil

from app.results.comparison import Compared, candidates_html, runs_html
from app.text.html import formula_html
from core.chemistry import elements
from core.evaluation.derived_columns import with_derived_columns
from core.runs.names import give_name
from tests.app.pages import html_text, open_page, page_text


def test_candidates_are_columns_with_their_run_and_missing_values_are_dashes(stored_run):
    table = with_derived_columns(stored_run.candidates(), "LaFeAsO")
    rows = [table.iloc[0].to_dict(), table.iloc[1].to_dict() | {"tc_judge_K": float("nan"), "nearest_known": ""}]
    text = candidates_html([Compared(stored_run.id, row) for row in rows], {stored_run.id: "less <arsenic>"})
    assert all(formula_html(row["formula"]) in text for row in rows)
    assert text.count("<th>") == 3 and text.count("less &lt;arsenic&gt;") == 2
    assert f"{rows[0]['tc_K']:.1f} ± {rows[0]['tc_std_K']:.1f}" in text and text.count("<td>–</td>") >= 2


def test_runs_are_columns_with_what_differs_between_their_problems(stored_run):
    problem, summary = stored_run.problem(), stored_run.summary()
    table = with_derived_columns(stored_run.candidates(), problem.base)
    text = runs_html([("one", problem, table, summary), ("two", problem, table, summary)], elements.symbols())
    assert f"<td>{len(table):,} formulas</td>" in text and "<td>Work</td>" not in text
    assert f"<td>{int(table['passes'].sum()):,}</td>" in text


def test_the_tray_keeps_candidates_and_another_run_stands_beside_this_one(finished_run):
    shutil.copytree(finished_run.folder, finished_run.folder.with_name("other-run"))
    give_name("other-run", "the other one")
    test = open_page("results", finished_run, candidate="0", filter_failing="true")
    test.button(key="tray").click().run()
    assert "In comparison" in [button.label for button in test.button]
    test.button(key="step_next").click().run()
    test.button(key="tray").click().run()
    assert html_text(test).count('<div class="compare">') == 1
    test.selectbox(key="compare_run").select("other-run").run()
    assert not test.exception and "the other one" in html_text(test) and "formulas</td>" in html_text(test)
    test.button(key="tray_clear").click().run()
    assert html_text(test).count('<div class="compare">') == 1  # of the runs
    # the last tabs of the card
    assert "% Formula &" in "".join(code.value for code in test.code)
    assert {"JSON", "BibTeX"} <= {button.proto.label for button in test.get("download_button")}
    assert "these links leave the app" in page_text(test)
