"""Candidates and runs side by side on the results page, and what a card gives to take home."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pandas as pd

from app.exports.scatter_svg import scatter_svg
from app.results.comparison import Compared, candidates_html, runs_html
from app.results.run_report import Reported, run_report
from app.text.formatting import formula_text
from app.text.html import formula_html
from core.campaigns.campaign import read_campaign
from core.campaigns.folder import app_campaign, run_with_id
from core.chemistry import elements
from core.evaluation.derived_columns import with_derived_columns
from core.problem.origin import Origin
from core.runs import layout
from core.runs.annotations import ANNOTATIONS, Annotation, annotations
from core.runs.names import give_name
from core.runs.run import Run
from tests.app.conftest import PROBLEM
from tests.app.pages import html_text, open_page, open_tab, page_text, without_exception


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
    open_tab(test, "Take home")
    assert "% Formula &" in "".join(code.value for code in test.code)
    assert {"JSON", "BibTeX"} <= {button.proto.label for button in test.get("download_button")}
    assert "these links leave the app" in page_text(test)


def test_the_report_is_one_document_with_problem_chart_best_candidates_and_funnel(stored_run):
    problem, summary = stored_run.problem(), stored_run.summary()
    table = with_derived_columns(stored_run.candidates(), problem.base)
    about = Reported("a-run", "less <arsenic>", "1 Jan 2026", "0.2.0", "cpu")
    text = run_report(about, problem, table, summary, set(elements.symbols()))
    assert text.startswith("<!doctype html>") and text.count("<h1>") == 1 and "less &lt;arsenic&gt; · Raise" in text
    first = table[table["passes"]].iloc[0]
    assert formula_html(first["formula"]) in text and "not measurements" in text and 'class="funnel"' in text
    assert "src=" not in text and "href=" not in text and "<script" not in text  # needs nothing else
    empty = run_report(about, problem, table.assign(passes=False), summary, set(elements.symbols()))
    assert "No candidate passes every screen." in empty and "<svg" not in empty


def test_the_chart_is_valid_xml_with_a_point_for_each_candidate_that_has_an_energy_above_hull():
    table = pd.DataFrame(
        {"energy_above_hull_eV_per_atom": [0.1, -0.02, 0.4, np.nan], "tc_K": [50.0, 20.0, 30.0, 99.0],
         "known": [False, True, False, False], "formula": ["MgB2", "Nb3Sn", "FeSe", "H3S"]}
    )  # fmt: skip
    root = ElementTree.fromstring(scatter_svg(table, ("LaFeAsO", 15.6), "A <caption> & more " * 20))
    points = root.findall("{*}circle")
    assert len(points) == 3 and [p.get("fill") == "none" for p in points] == [False, True, False]
    x, y = ([float(point.get(name)) for point in points] for name in ("cx", "cy"))
    assert x[1] < x[0] < x[2] and y[0] < y[2] < y[1]  # more to the right is less stable, higher up is a higher Tc
    texts = [text.text for text in root.findall("{*}text")]
    assert "base LaFeAsO: 15.6 K" in texts and "MgB2" in texts and "H3S" not in texts


def test_the_lineage_of_a_run_is_shown_with_links_to_its_origin(finished_run):
    descendant = replace(PROBLEM, origin=Origin(finished_run.id, 7, 3))
    folder = finished_run.folder.with_name("descendant")
    shutil.copytree(finished_run.folder, folder)
    (folder / layout.PROBLEM).write_text(descendant.to_json(), encoding="utf-8")
    test = open_page("results", Run(folder), candidate="0")
    links = [link.proto for link in test.get("page_link")]
    assert [link.label.replace("\\", "") for link in links] == ["→ LaFeAsO (rank 7)"]
    assert finished_run.id in links[0].query_string and "candidate=3" in links[0].query_string


def test_the_lineage_leads_into_the_runs_of_a_campaign(finished_run, tmp_path, monkeypatch):
    monkeypatch.setenv("TC_STUDIO_CAMPAIGNS", str(tmp_path / "campaigns"))
    campaign = app_campaign("iron")
    campaign.store(read_campaign(json.dumps({"problem": json.loads(PROBLEM.to_json())}), tmp_path))
    shutil.copytree(finished_run.folder, campaign.run("a-key").folder)
    folder = finished_run.folder.with_name("descendant")
    shutil.copytree(finished_run.folder, folder)
    (folder / layout.PROBLEM).write_text(replace(PROBLEM, origin=Origin("a-key", 7, 3)).to_json(), encoding="utf-8")
    links = [link.proto for link in open_page("results", Run(folder), candidate="0").get("page_link")]
    assert [link.label.replace("\\", "") for link in links] == ["→ LaFeAsO (rank 7)"]
    assert all(part in links[0].query_string for part in ("campaign=iron", "run=a-key", "candidate=3"))
    assert run_with_id("a-key").folder == campaign.run("a-key").folder
    assert run_with_id(finished_run.id).folder == finished_run.folder and run_with_id("missing") is None


def test_a_candidate_gets_a_star_and_a_note_on_its_card(finished_run):
    test = open_page("results", finished_run)
    star, first = test.button(key="candidate.star"), test.dataframe[0].value["formula"].iloc[0]
    formula = next(each for each in finished_run.candidates()["formula"] if formula_text(each) == first)
    assert star.label == "☆ Star" and "star" not in test.dataframe[0].value
    without_exception(star.click().run())
    assert annotations()[formula] == Annotation(starred=True)
    assert test.button(key="candidate.star").label == "★ Starred"
    shown = test.dataframe[0].value
    assert shown.loc[shown["star"] == "★", "formula"].tolist() == [first]
    next(area for area in test.text_area if area.label == "Note").set_value(" made in March ")
    next(button for button in test.button if button.label == "Save").click()
    without_exception(test.run())
    assert annotations()[formula] == Annotation(True, "made in March")
    (finished_run.folder.parent / ANNOTATIONS.file).write_text("{", encoding="utf-8")
    assert "stars and notes is damaged" in page_text(open_page("results", finished_run, candidate="0"))
