"""The pages about runs as Streamlit runs them, without a browser: run, results, past runs, learn, models."""

from __future__ import annotations

import io
import json
import shutil
from dataclasses import replace

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app import candidate, pieces
from app.style import formula_text
from core.chemistry.composition import format_amount
from core.chemistry.formula_reader import parse_formula
from core.evaluation.candidate_table import gain
from core.evaluation.columns import COLUMNS
from core.executors.local_process import LocalProcessExecutor
from core.paths import PROJECT
from core.problem.problem import BEST, DesignProblem
from core.problem.settings import NEAREST, SUBSTITUTION, OptimiserSettings
from core.runs import layout, store
from core.runs.run import Run
from core.runs.status import Phase, RunStatus, write_status

SETTINGS = OptimiserSettings(candidates=24, steps=(6, 10), rounding=NEAREST)  # some candidates fail
PROBLEM = DesignProblem(base="LaFeAsO", settings=SETTINGS, seed=1, device="cpu")


@pytest.fixture(scope="module")
def done(carried_out, tmp_path_factory):
    """A finished run, really done."""
    return carried_out(PROBLEM, tmp_path_factory.mktemp("done") / "lafeaso")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A runs folder of its own."""
    monkeypatch.setenv("TC_STUDIO_RUNS", str(tmp_path))
    return tmp_path


@pytest.fixture
def finished(done, home) -> Run:
    """The finished run, in this test's runs folder."""
    shutil.copytree(done.folder, home / done.id)
    return Run(home / done.id)


def unfinished(home, phase: Phase, message: str = "") -> Run:
    """A run that stands like this, with nobody at work."""
    run = store.create_in(PROBLEM, home / "other")
    write_status(run.folder, RunStatus(phase, 1, 3, 16, elapsed_s=2.0, message=message))
    return run


def opened(page: str, run: Run | None = None) -> AppTest:
    """A page, of this run."""
    test = AppTest.from_file(str(PROJECT / "app" / "main.py"), default_timeout=120)
    test.switch_page(str(PROJECT / "app" / "views" / f"{page}.py"))
    if run is not None:
        test.query_params["run"] = run.id
    test.run()
    assert not test.exception, test.exception
    return test


def words(test: AppTest) -> str:
    """All that the page says."""
    html = [block.proto.body for block in test.get("html")]
    return "\n".join([*html, *(e.value for kind in ("caption", "info", "warning", "error") for e in test.get(kind))])


def labels(test: AppTest) -> list[str]:
    return [button.label for button in test.button]


# Run.


def test_without_a_run_the_pages_say_what_to_do():
    assert "No run yet" in words(opened("run"))
    assert "No results yet" in words(opened("results"))
    assert "No runs yet" in words(opened("runs"))


@pytest.mark.parametrize("page", ["run", "results"])
def test_a_link_to_a_run_that_is_gone_says_so(page, finished):
    gone = Run(finished.folder.with_name("20260101-000000-FeSe-0000"))
    assert f"{gone.id} was deleted, or made on another computer" in words(opened(page, gone))


def test_from_a_run_the_way_back_leads_to_its_own_design(finished):
    test = opened("results", finished)
    assert test.session_state["tc_studio.draft"].problem() == PROBLEM


def test_a_finished_run_shows_its_course_and_leads_to_the_results(finished):
    test = opened("run", finished)
    assert "<b>Finished</b> in" in words(test) and "Best five at the end" in words(test)
    assert labels(test) == ["See results"]
    assert len(test.get("plotly_chart")) == 3
    best = finished.top()[0]
    assert f"{best['tc_K']:.1f}" in words(test)
    assert test.query_params["run"] in (finished.id, [finished.id])


@pytest.mark.parametrize(
    ("phase", "says", "button"),
    [(Phase.INTERRUPTED, "nothing is lost", "Resume"), (Phase.CANCELLED, "<b>Cancelled</b> at step 3 of 16", "Resume"),
     (Phase.FAILED, "<b>Failed</b>", "Try again")],
)  # fmt: skip
def test_a_run_that_stopped_says_so_and_can_go_on(home, phase, says, button, monkeypatch):
    run = unfinished(home, phase, "the disk is full" if phase is Phase.FAILED else "")
    test = opened("run", run)
    assert says in words(test) and labels(test) == [button, "Change the problem"]
    assert ("the disk is full" in words(test)) == (phase is Phase.FAILED)
    started = []
    monkeypatch.setattr(LocalProcessExecutor, "submit", lambda self, run: started.append(run))
    test.button(key="resume").click().run()
    assert [r.id for r in started] == [run.id]


def test_results_of_an_unfinished_run_lead_to_the_run(home):
    test = opened("results", unfinished(home, Phase.CANCELLED))
    assert "no results: it is cancelled" in words(test) and "Go to the run" in labels(test)


# Results.


def test_results_show_the_figures_of_the_table(finished):
    test = opened("results", finished)
    table, summary = finished.candidates(), finished.summary()
    metrics = {metric.label: metric.value for metric in test.metric}
    assert metrics["Passing candidates"] == f"{summary['n_passing']:,}"
    assert metrics["Candidates"] == "24"
    if summary["n_passing"]:
        best = table.loc[table["passes"], "tc_K"].max()
        assert metrics["Best Tc"] == f"{best:.1f} K"
    for step in summary["funnel"]:
        assert step["label"] in words(test)
    assert "<div>Candidates</div>" in words(test)


def test_the_funnel_says_how_many_were_rounded_to_a_neighbour():
    step = {"label": "Distinct formulas", "left": 3, "failed": {"the same formula was reached before": 2}}
    assert "reached before; 4 moved</div>" in pieces.funnel_html([step | {"note": "4 moved"}])
    assert 'class="why">4 moved</div>' in pieces.funnel_html([step | {"failed": {}, "note": "4 moved"}])
    assert "reached before</div>" in pieces.funnel_html([step])  # of a run from before there were notes


def test_failing_candidates_are_shown_with_their_reason_on_demand(finished):
    test = opened("results", finished)
    table = finished.candidates()
    test.toggle(key="filter_failing").set_value(True).run()
    shown = test.dataframe[0].value
    assert len(shown) == len(table) and {"passes", "failed_screen", "reason"} <= set(shown.columns)
    failed = shown[~shown["passes"]]
    assert len(failed) and failed["reason"].str.len().min() > 0
    test.toggle(key="filter_failing").set_value(False).run()
    assert not test.exception
    assert sum(map(len, (frame.value for frame in test.dataframe))) == int(table["passes"].sum())


def test_filters_keep_what_they_say(finished):
    test = opened("results", finished)
    test.toggle(key="filter_failing").set_value(True).run()
    table = finished.candidates()
    test.multiselect(key="filter_with").select("Fe").run()
    test.multiselect(key="filter_without").select("As").run()
    expected = table[table["formula"].str.contains("Fe") & ~table["formula"].str.contains("As")]
    frames = test.dataframe
    assert sum(len(frame.value) for frame in frames) == len(expected)
    test.multiselect(key="filter_with").unselect("Fe").run()
    test.multiselect(key="filter_without").unselect("As").run()
    formula = table["formula"].iloc[0]
    amounts = parse_formula(formula)
    turned = "".join(symbol + format_amount(amount) for symbol, amount in reversed(amounts.items()))
    for typed in (formula.lower(), turned):
        test.text_input(key="filter_text").set_value(typed).run()
        (frame,) = test.dataframe
        assert formula_text(formula) in set(frame.value["formula"])
    test.text_input(key="filter_text").set_value("").run()
    test.number_input(key="filter_tc").set_value(1e6).run()
    assert not test.exception and "No candidate is left" in words(test)


def test_every_tab_of_the_candidate_is_filled(finished):
    test = opened("results", finished)
    assert [tab.label for tab in test.tabs] == ["Overview", "Charges", "Stability", "Course"]
    assert "Before rounding" in words(test) and "This formula" in words(test)
    std = finished.candidates()["energy_above_hull_std_eV_per_atom"][0]
    assert std > 0 and f"± {std:.3f} eV/atom</b> above the hull" in words(test)
    assert "energy_above_hull_std_eV_per_atom" in test.dataframe[0].value
    assert len(test.get("plotly_chart")) >= 3  # the course
    assert "Use as new base" in labels(test)


def test_the_download_is_the_run_s_csv(finished):
    table = pd.read_csv(io.StringIO(finished.csv()))
    assert list(table.columns) == [column.name for column in COLUMNS]
    assert len(table) == len(finished.candidates())


# Past runs.


def test_a_run_by_substitution_has_no_course_but_the_same_results(carried_out, home):
    run = carried_out(replace(PROBLEM, method=SUBSTITUTION), home / "substituted")
    assert (run.status().phase, run.status().step, len(run.progress())) == (Phase.FINISHED, 1, 1)
    shown = opened("run", run)
    assert "drawn once" in words(shown) and not shown.get("plotly_chart") and "See results" in labels(shown)
    test = opened("results", run)
    assert "by random substitution" in words(test) and "the model that chose them" in words(test)
    assert "It was drawn at random and stayed where it is." in words(test)


def test_past_runs_list_date_state_and_best(finished, home):
    unfinished(home, Phase.CANCELLED)
    test = opened("runs")
    said = words(test)
    assert said.count("LaFeAsO") == 2
    assert f"{finished.created():%d %b %Y}" in said
    best = finished.summary()["best_tc_K"]
    assert best is None or f"{best:.1f} K" in said
    assert labels(test).count("Open") == 2


def test_a_run_is_deleted_after_a_question(finished):
    test = opened("runs")
    test.button(key=f"delete-{finished.id}").click().run()
    assert finished.folder.exists()
    test.button(key=f"delete-{finished.id}").click()  # AppTest runs the page anew, where a browser runs the dialog
    test.button(key="delete_yes").click().run()
    assert not test.exception and not finished.folder.exists()


def test_a_run_is_copied_to_the_design_page(finished):
    test = opened("runs")
    test.button(key=f"copy-{finished.id}").click().run()
    assert test.session_state["tc_studio.draft"].problem() == PROBLEM


def test_a_broken_problem_file_breaks_no_page(finished):
    (finished.folder / layout.PROBLEM).write_text("{", encoding="utf-8")
    assert "cannot be read" in words(opened("runs"))


# Learn and models.


def test_learn_computes_the_figure_of_the_paper():
    test = opened("learn")
    assert {"Loss for N = 4": "0.040"}.items() <= {m.label: m.value for m in test.metric}.items()
    test.slider(key="learn_n").set_value(1).run()
    assert not test.exception and any(m.label == "Loss for N = 1" for m in test.metric)


def test_models_show_the_figures_of_the_cards():
    card = json.loads((PROJECT / "checkpoints" / f"{BEST.tc}.json").read_text(encoding="utf-8"))
    page = opened("models")
    shown = {metric.label: metric.value for metric in reversed(page.metric)}  # the first section is the best model's
    assert shown["Tc MAE"] == f"{card['metrics_held_out']['tc_mae_K']:.2f} K"
    families = next(table.value for table in page.table if "cuprate" in table.value.index)
    assert families.loc["cuprate", "Tc MAE"] == f"{card['metrics_held_out']['by_family']['cuprate']['tc_mae_K']:.2f} K"


def test_models_show_how_far_the_error_of_the_hull_can_be_relied_on():
    card = json.loads((PROJECT / "checkpoints" / "references.json").read_text(encoding="utf-8"))
    found = card["metrics_held_out"]["by_spread"]
    shown = next(table.value for table in opened("models").table if set(found) <= set(table.value.index))
    for name, figures in found.items():
        assert shown.loc[name, "In the 90% interval"] == f"{figures['inside_intervals']['90%']:.0%}"
        assert shown.loc[name, "Hull distance MAE"] == f"{figures['hull_distance_mae_eV_per_atom']:.3f} eV/atom"


# What is said of a run and of one candidate.


def test_the_best_candidate_is_judged_before_the_mean_of_all():
    table = pd.DataFrame({"tc_K": [101.0, 21.0], "tc_judge_K": [91.0, 31.0]})
    base = {"tc_K": 91.0, "tc_judge_K": 90.0}
    text = pieces.judged_text(gain(table, base), gain(table, base, most=1), PROBLEM)
    assert "The best candidate: a gain of 10.0 K by the model that was climbed, a gain of 1.0 K by the judge" in text
    assert "The best 2 that pass, on average: a loss of 30.0 K and a loss of 29.0 K." in text


def test_unusual_oxidation_states_are_named():
    text = candidate.unusual_text((("Ba", 2), ("Ca", 1), ("Cu", 3), ("O", -2)))
    assert "Ca +1 (usually +2)." in text and "Ba" not in text and "Cu" not in text
    assert candidate.unusual_text((("La", 3), ("Fe", 2), ("As", -3), ("O", -2))) == ""


@pytest.mark.parametrize(
    ("formula", "above", "decomposition", "says"),
    [
        ("Sr2CuO3", -2e-8, "1.000 CuO3Sr2", "itself one of the reference phases"),
        ("Sr4Cu2O6", 1e-5, "0.500 SrO + 0.500 SrCuO2", "as stable as a mixture"),
        ("Sr4Cu2O5", -0.02, "0.500 SrO + 0.500 Cu2O", "as far as the model can tell"),
        ("Sr4Cu2O5", -0.08, "0.500 SrO + 0.500 Cu2O", "Below the hull"),
        ("Sr4Cu2O5", 0.05, "0.500 SrO + 0.500 Cu2O", "nine in ten"),
        ("Sr4Cu2O5", 0.3, "0.500 SrO + 0.500 Cu2O", "decomposing"),
    ],
)
def test_energy_above_hull_in_words(formula, above, decomposition, says):
    row = {"formula": formula, "energy_above_hull_eV_per_atom": above, "decomposition": decomposition}
    row["energy_above_hull_std_eV_per_atom"] = 0.05
    assert says in candidate.meaning(pd.Series(row))
