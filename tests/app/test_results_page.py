"""The results page."""

from __future__ import annotations

import io
from dataclasses import replace

import pandas as pd
from streamlit.testing.v1 import AppTest

from app.results.candidate_card.card import TABS
from app.results.filters import element_counts
from app.results.funnel import funnel_html, reasons_text
from app.results.next_steps import advice_text, larger_search
from app.results.summary_text import gain_text
from app.text.formatting import formula_text
from app.text.html import formula_html
from core.chemistry.composition import format_amount
from core.chemistry.formula_reader import parse_formula
from core.evaluation.candidate_table import gain
from core.evaluation.columns import COLUMNS
from core.evaluation.headline import headline
from core.evaluation.ranking import pareto_front
from core.generation.registry import MEMETIC
from core.problem.origin import Origin
from core.problem.settings import MAX_CANDIDATES, MAX_STEPS
from core.runs import layout
from core.runs.results import write_summary, write_table
from core.runs.run import Run
from core.runs.status import Phase
from tests.app.conftest import PROBLEM
from tests.app.pages import button_labels, html_text, open_page, open_tab, page_text, without_exception


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
    assert "24 candidates in" in html_text(test)
    first = table[table["passes"]].iloc[0]
    assert (
        metrics[f"Best candidate: {formula_text(first['formula'])}"]
        == f"{first['tc_K']:.1f} ± {first['tc_std_K']:.1f} K"
        and first["tc_std_K"] > 0
    )
    found = headline(table, summary["base"])
    assert metrics["Above the base"] == f"{found.above_base}"
    assert metrics["By more than the error"] == f"{found.above_error}"
    assert metrics["Seen by the control model"] == f"{found.confirmed}"
    assert f"Of {found.passing} candidates that pass every screen" in html_text(test)
    for step in summary["funnel"]:
        assert step["label"] in html_text(test)
    assert "<div>Candidates</div>" in html_text(test)


def test_failing_candidates_are_shown_with_their_reason_on_request(finished_run):
    test = open_page("results", finished_run)
    test.toggle(key="fold").set_value(False).run()
    table = finished_run.candidates()
    test.toggle(key="filter_failing").set_value(True).run()
    shown = test.dataframe[0].value
    assert len(shown) == len(table) and {"passes", "failed_screen", "reason"} <= set(shown.columns)
    failed = shown[~shown["passes"]]
    assert len(failed) and failed["reason"].str.len().min() > 0
    test.toggle(key="filter_failing").set_value(False).run()
    assert not test.exception
    assert sum(map(len, (frame.value for frame in test.dataframe))) == int(table["passes"].sum())


def test_a_link_opens_one_candidate_and_its_filters_and_a_base_keeps_its_origin(finished_run):
    row = finished_run.candidates().iloc[3]
    link = {"candidate": str(row["candidate"]), "filter_failing": "true", "fold": "false"}
    test = open_page("results", finished_run, **link)
    assert f'<h2 class="candidate-name">{formula_html(row["formula"])}</h2>' in html_text(test)
    assert test.toggle(key="filter_failing").value and not test.toggle(key="fold").value
    test.button(key="use_as_base").click().run()
    origin = test.session_state["tc_studio.draft"].problem().origin
    assert origin == Origin(finished_run.id, row["rank"], row["candidate"])


def test_the_fields_of_the_filters_select_rows(finished_run):
    test = open_page("results", finished_run)
    test.toggle(key="fold").set_value(False).run()
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


def test_tiles_of_the_periodic_table_filter_the_candidates(finished_run):
    test = open_page("results", finished_run, {"elements": True}, filter_failing="true", fold="false")
    exchange = test.session_state["results.elements.exchange"].exchange
    click = {"forbidden": ["As"], "fixed": {"Fe": 1.0}, "substituted": [], "generation": exchange.generation}
    test.session_state["results.elements"] = {"table": click | {"revision": exchange.revision + 1}}
    without_exception(test.run())
    assert test.multiselect(key="filter_with").value == ["Fe"]
    assert test.multiselect(key="filter_without").value == ["As"]
    table = finished_run.candidates()
    expected = table[table["formula"].str.contains("Fe") & ~table["formula"].str.contains("As")]
    assert sum(len(frame.value) for frame in test.dataframe) == len(expected)
    counts = element_counts(table)
    assert counts["Fe"] == int(table["formula"].str.contains("Fe").sum()) and "Og" not in counts


def changed_run(run: Run, **values: object) -> Run:
    """The run with other values in some columns of its table, in place."""
    table = pd.read_parquet(run.folder / layout.TABLE)
    columns = {name: pd.Series(column, dtype=table[name].dtype) for name, column in values.items()}
    write_table(run.folder, table.assign(**columns))
    write_summary(run.folder, run.summary())
    return run


def test_near_duplicates_share_a_row_that_stands_for_them(finished_run):
    table = finished_run.candidates()
    size = len(table)
    # Three compositions within a tenth of the atoms and the same Tc, then others.
    formulas = ["Nb19Sn6", "Nb3Sn", "Nb16Sn5", *table["formula"][3:]]
    atoms = [25, 4, 21, *table["n_atoms"][3:]]
    tc = [99.0] * 3 + [1.0] * (size - 3)
    run = changed_run(
        finished_run, formula=formulas, n_atoms=atoms, tc_K=tc, tc_std_K=[0.5] * size, passes=[True] * size
    )
    test = open_page("results", run)
    first = test.dataframe[0].value.iloc[0]
    assert first["formula"] == "Nb₃Sn" and first["alike"] == "Nb₃Sn-like, 3 variants"
    assert len(test.dataframe[0].value) <= size - 2
    assert "Nb₃Sn-like, 3 variants" in [box.label for box in test.expander]
    order = [html_text(test).index(f'{name}</span></td>') for name in (
        "Nb<sub>3</sub>Sn", "Nb<sub>16</sub>Sn<sub>5</sub>", "Nb<sub>19</sub>Sn<sub>6</sub>")]  # fmt: skip
    assert order == sorted(order)  # smallest cell first
    test.toggle(key="fold").set_value(False).run()
    assert len(test.dataframe[0].value) == size and not test.exception


def test_rows_in_which_the_control_model_differs_are_marked_and_can_be_hidden(finished_run):
    table = finished_run.candidates()
    size = len(table)
    far = [place % 2 == 0 for place in range(size)]
    control = [tc + (99.0 if away else 0.0) for tc, away in zip(table["tc_K"], far, strict=True)]
    run = changed_run(finished_run, tc_std_K=[5.0] * size, tc_judge_K=control, passes=[True] * size)
    test = open_page("results", run)
    test.toggle(key="fold").set_value(False).run()
    marks = test.dataframe[0].value["control_disagrees"]
    assert (marks == "⚠ differs").sum() == sum(far) and set(marks) == {"⚠ differs", ""}
    pills(test, "control_agrees").run()
    assert len(test.dataframe[0].value) == size - sum(far) and "control_disagrees" not in test.dataframe[0].value


def test_candidates_of_another_family_can_be_hidden(finished_run):
    table = finished_run.candidates()
    run = changed_run(finished_run, formula=["La2CuO4", *table["formula"][1:]], passes=[True] * len(table))
    test = open_page("results", run)
    test.toggle(key="fold").set_value(False).run()
    assert "cuprate (base: iron-based)" in set(test.dataframe[0].value["family"])
    pills(test, "family_kept").run()
    assert set(test.dataframe[0].value["family"]) == {"iron-based"}


def test_a_base_that_nothing_beats_is_said_with_a_next_step(finished_run):
    table = finished_run.candidates()
    run = changed_run(finished_run, tc_gain_K=[-1.0] * len(table), passes=[True] * len(table))
    test = open_page("results", run)
    text = html_text(test)
    assert "Nothing in this run beats the base." in text
    assert "a larger search (96 candidates and 32 steps instead of 24 candidates and 16 steps)" in text
    test.button(key="larger_search").click().run()
    larger = test.session_state["tc_studio.draft"].problem().settings
    assert (larger.candidates, larger.steps) == (96, (12, 20))


def test_a_base_that_is_beaten_gets_no_other_next_step(finished_run):
    size = len(finished_run.candidates())
    values = {"tc_gain_K": [9.0] * size, "tc_std_K": [1.0] * size, "tc_judge_K": [99.0] * size}
    run = changed_run(finished_run, passes=[True] * size, **values)
    test = open_page("results", run)
    assert "Nothing in this run" not in html_text(test) and "Larger search" not in button_labels(test)


def test_the_largest_search_leads_to_another_base_only():
    largest = replace(PROBLEM, settings=replace(PROBLEM.settings, candidates=MAX_CANDIDATES, steps=(MAX_STEPS, 0)))
    assert larger_search(largest) is None
    search = replace(PROBLEM, method=MEMETIC, method_settings={"rounds": 50, "kept": 64})
    longer = larger_search(search)
    assert longer == replace(search, method_settings={"rounds": 200, "kept": 64})
    assert "a larger search (200 rounds instead of 50 rounds)" in advice_text(search, longer)
    assert larger_search(replace(search, method_settings={"rounds": 5000})) is None
    assert "larger search" not in advice_text(largest, None)
    nearly = larger_search(replace(largest, settings=replace(largest.settings, steps=(3000, 1000))))
    assert nearly is not None and nearly.settings.steps == (3750, 1250)


def pills(test: AppTest, *chosen: str) -> AppTest:
    """The page with these filters of the candidates."""
    test.button_group(key="filter_further").set_value(list(chosen))
    return test


def test_every_tab_of_the_candidate_card_is_filled(finished_run):
    test = open_page("results", finished_run)
    labels = ["Overview", "Charges", "Stability", "Structures", "What if", "Trajectory", "Take home"]
    assert [tab.label for tab in test.tabs] == labels
    text = html_text(test)
    assert "Before rounding" in text and "This formula" in text and "Use as new base" in button_labels(test)
    assert "above the hull</p>" not in text and len(test.get("plotly_chart")) == 1  # other tabs are not drawn yet
    text = html_text(open_tab(test, "Stability"))
    std = finished_run.candidates()["energy_above_hull_std_eV_per_atom"][0]
    assert std > 0 and f"± {std:.3f} eV/atom</b> above the hull" in text
    assert "The base " in text and "eV/atom above the hull of the same model" in text
    assert "Known: the 25 iron-based superconductors most like the base" in page_text(test)
    assert "energy_above_hull_std_eV_per_atom" in test.dataframe[0].value
    assert len(open_tab(test, "Trajectory").get("plotly_chart")) == 4  # with that of the candidates
    open_tab(test, "What if")
    # What if: nothing is predicted before an element is chosen; then a slider stands at the amount of the formula.
    assert len(test.select_slider) == 0
    (choice,) = [each for each in test.segmented_control if each.key.startswith("what_if.")]
    without_exception(choice.select(choice.options[0]).run())
    assert len(test.select_slider) == 1 and "Above hull (eV/atom)" in html_text(test)
    without_exception(test.select_slider[0].set_value(0.0).run())


def test_the_structures_of_a_candidate_are_found_by_a_button_and_stay(finished_run):
    test = open_page("results", finished_run, {TABS: "Structures"})
    next(button for button in test.button if button.label == "Find structures").click().run()
    without_exception(test)
    assert "Find structures" not in button_labels(test)
    lists = [frame.value for frame in test.dataframe if "space_group" in frame.value]
    assert (len(lists) == 1 and lists[0]["rank"][0] == 1) or "no known crystal structure" in html_text(test)
    assert "relaxed yet" in page_text(test) or "no known crystal structure" in html_text(test)


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


def test_the_mean_gain_is_that_of_both_models():
    table = pd.DataFrame({"formula": ["MgB2", "NbN"], "tc_K": [101.0, 21.0], "tc_judge_K": [91.0, 31.0]})
    base = {"tc_K": 91.0, "tc_judge_K": 90.0}
    text = gain_text(gain(table, base))
    assert "The 2 candidates with the highest Tc: on average a loss of 30.0 K according to the Tc model" in text
    assert "a loss of 29.0 K according to the control model" in text
    one = gain_text(gain(table.head(1), base))
    assert one.startswith("The candidate that passes: a gain of 10.0 K according to the Tc model, a gain of 1.0 K")


def test_candidates_are_ranked_as_chosen(finished_run):
    test = open_page("results", finished_run)
    test.toggle(key="fold").set_value(False).run()
    by_rank = test.dataframe[0].value["rank"].tolist()
    assert by_rank == sorted(by_rank)
    test.segmented_control(key="order_by").select("tc").run()
    tc_K = without_exception(test).dataframe[0].value["tc_K"].tolist()
    assert tc_K == sorted(tc_K, reverse=True)
    test.toggle(key="fold").set_value(True).run()
    test.segmented_control(key="order_by").select("pareto").run()
    assert test.toggle(key="fold").disabled  # every member of a front has a row
    ranks = without_exception(test).dataframe[0].value["rank"].tolist()
    table = finished_run.candidates().set_index("rank").loc[sorted(ranks)]  # not rounded, as on the page
    front = pareto_front(table["tc_K"], table["energy_above_hull_eV_per_atom"])
    assert set(ranks[: len(front)]) == set(table.index[front])
