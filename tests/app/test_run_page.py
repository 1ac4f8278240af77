"""The page of one run."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest
import torch
from safetensors.torch import save

from app.runs.member_average import averaged
from app.runs.phases import status_html
from core.executors.local_process import LocalProcessExecutor
from core.generation.registry import MEMETIC, SUBSTITUTION, SUPERDIFF
from core.runs.layout import PROGRESS, RESULT, RESUME
from core.runs.ownership import owned
from core.runs.run import Run
from core.runs.status import Phase, RunStatus, write_status
from tests.app.conftest import PROBLEM
from tests.app.pages import button_labels, html_text, open_page, open_tab, page_text


def test_without_a_run_the_page_leads_to_the_design_page(empty_runs_folder):
    assert "No run yet" in html_text(open_page("run"))


@pytest.mark.parametrize("page", ["run", "results"])
def test_a_link_to_a_deleted_run_is_explained(page, empty_runs_folder):
    deleted = Run(empty_runs_folder / "20260101-000000-FeSe-0000")
    assert f"{deleted.id} was deleted, or belongs to another computer" in html_text(open_page(page, deleted))


def test_a_finished_run_shows_its_progress_and_leads_to_the_results(finished_run):
    test = open_page("run", finished_run)
    assert "<b>Finished</b> in" in html_text(test) and "Best five results" in html_text(test)
    assert button_labels(test) == ["See results"]
    assert len(test.get("plotly_chart")) == 3
    table = finished_run.candidates()
    best = table[table["passes"]].iloc[0]  # the number of the results page
    assert f"<td>{best['tc_K']:.1f}</td>" in html_text(test)
    assert test.query_params["run"] in (finished_run.id, [finished_run.id])


@pytest.mark.parametrize(
    ("phase", "text", "button"),
    [(Phase.INTERRUPTED, "the run can be resumed", "Resume"),
     (Phase.CANCELLED, "<b>Cancelled</b> at step 3 of 16", "Resume"),
     (Phase.FAILED, "<b>Failed</b>", "Try again")],
)  # fmt: skip
def test_a_stopped_run_can_be_resumed(unfinished_run, phase, text, button, monkeypatch):
    run = unfinished_run(phase, "the disk is full" if phase is Phase.FAILED else "")
    test = open_page("run", run)
    assert text in html_text(test) and button_labels(test) == [button, "Change the problem"]
    assert ("the disk is full" in page_text(test)) == (phase is Phase.FAILED)
    started = []
    monkeypatch.setattr(LocalProcessExecutor, "submit", lambda self, run: started.append(run))
    test.button(key="resume").click().run()
    assert [r.id for r in started] == [run.id]


def test_the_candidates_of_a_run_with_a_resume_point_can_be_kept(unfinished_run, monkeypatch):
    run = unfinished_run(Phase.CANCELLED)
    (run.folder / RESUME).write_bytes(save({"step": torch.tensor(3)}))
    test = open_page("run", run)
    assert button_labels(test) == ["Resume", "Keep", "Change the problem"]
    kept = []
    monkeypatch.setattr(LocalProcessExecutor, "stop", lambda self, run: kept.append(run))
    test.button(key="keep").click().run()
    assert [r.id for r in kept] == [run.id]


def test_a_stopped_run_leads_to_its_results_and_can_be_continued(stored_run, empty_runs_folder):
    run = Run(empty_runs_folder / stored_run.id)
    shutil.copytree(stored_run.folder, run.folder)
    write_status(run.folder, RunStatus(Phase.STOPPED, 1, 5, 16))
    summary = json.loads((run.folder / RESULT).read_text())
    (run.folder / RESULT).write_text(json.dumps(summary | {"status": "stopped", "step": 5}))
    test = open_page("run", run)
    assert "<b>Stopped</b> at step 5 of 16" in html_text(test) and "Best five results" in html_text(test)
    assert button_labels(test) == ["See results", "Continue", "Change the problem"]
    assert "stopped after 5 of 16 steps" in html_text(open_page("results", run))


def test_a_failed_run_without_a_message_has_a_default_one(unfinished_run):
    assert "The worker exited without an error message." in page_text(open_page("run", unfinished_run(Phase.FAILED)))


def test_a_search_shows_its_archive_marked_known_or_new(carried_out, empty_runs_folder):
    search = replace(PROBLEM, method=MEMETIC, method_settings={"kept": 24, "rounds": 3})
    run = carried_out(search, empty_runs_folder / "searched")
    shown = open_page("run", run)
    assert "24 formulas kept · 3 rounds" in html_text(shown) and "5–95% of the formulas kept" in html_text(shown)
    assert len(shown.get("plotly_chart")) == 3 and "Restarted" not in html_text(shown)
    write_status(run.folder, RunStatus(Phase.CANCELLED, 1, 3, 3))  # before the results, the best of the last round
    text = page_text(open_page("run", run))
    top = run.top()[0]
    assert "Best formulas at the end" in text and f"<td>{top['tc_K']:.1f} ± {top['tc_std_K']:.1f}</td>" in text
    assert f"<td>{'known' if top['known'] else 'new'}</td>" in text and "All pass the screens" in text
    results = open_tab(open_page("results", run), "Trajectory")
    assert "A search finds whole formulas" in page_text(results)


def test_the_first_formulas_of_a_search_do_not_wait_for_its_charts(carried_out, empty_runs_folder):
    search = replace(PROBLEM, method=MEMETIC, method_settings={"kept": 24, "rounds": 3})
    run = carried_out(search, empty_runs_folder / "searched")
    records = (run.folder / PROGRESS).read_text(encoding="utf-8").splitlines(keepends=True)
    with owned(run.folder):
        write_status(run.folder, RunStatus(Phase.RUNNING, 1, 2, 3))
        for rounds, charts in ((2, 0), (3, 3)):
            (run.folder / PROGRESS).write_text("".join(records[:rounds]), encoding="utf-8")
            shown = open_page("run", run)
            assert "Best formulas so far" in page_text(shown) and len(shown.get("plotly_chart")) == charts


def test_a_random_substitution_has_no_progress_charts(carried_out, empty_runs_folder):
    run = carried_out(replace(PROBLEM, method=SUBSTITUTION), empty_runs_folder / "substituted")
    assert (run.status().phase, run.status().step, len(run.progress())) == (Phase.FINISHED, 1, 1)
    shown = open_page("run", run)
    assert "drawn once" in html_text(shown) and not shown.get("plotly_chart") and "Restarted" not in html_text(shown)
    assert "See results" in button_labels(shown)
    results = page_text(open_tab(open_page("results", run), "Trajectory"))
    assert "by random substitution" in results and "there is no trajectory" in results


def test_a_diffusion_also_shows_the_share_of_valid_samples(carried_out, empty_runs_folder):
    problem = replace(PROBLEM, method=SUPERDIFF, method_settings={"denoising_steps": 10})
    run = carried_out(problem, empty_runs_folder / "diffused")
    shown = open_page("run", run)
    charts = shown.get("plotly_chart")
    assert "The same samples at several steps" in page_text(shown) and "<th>Sample 3</th>" in html_text(shown)
    assert len(charts) == 4 and "Valid samples" in charts[-1].proto.spec
    validity = run.validity()
    assert len(validity) == 10 and validity["valid_share"].iloc[0] == 0  # noise is no formula


def test_a_cancelled_run_shows_the_best_compositions_of_its_last_step(stored_run, empty_runs_folder):
    run = Run(empty_runs_folder / stored_run.id)
    shutil.copytree(stored_run.folder, run.folder)
    write_status(run.folder, RunStatus(Phase.CANCELLED, 2, 16, 16))
    text = page_text(open_page("run", run))
    assert "Best five at the end" in text and f"<td>{run.top()[0]['tc_K']:.1f}</td>" in text
    assert f"Mean of {run.averaged_steps()} steps" in text and run.averaged_steps() > 1


def test_progress_of_an_earlier_version_is_averaged_by_the_page(stored_run, empty_runs_folder):
    run = Run(empty_runs_folder / stored_run.id)
    shutil.copytree(stored_run.folder, run.folder)
    recorded, cycle = averaged(run, PROBLEM, run.progress())
    assert cycle == run.averaged_steps() and recorded.equals(run.progress())
    records = [json.loads(line) for line in (run.folder / PROGRESS).read_text().splitlines()]
    lines = [json.dumps({k: v for k, v in record.items() if k != "averaged_steps"}) + "\n" for record in records]
    (run.folder / PROGRESS).write_text("".join(lines))
    of_page, cycle = averaged(run, PROBLEM, run.progress())
    assert cycle > 1 and of_page["tc_K_best"].iloc[-1] == pytest.approx(recorded["tc_K_best"].tail(cycle).mean())


def test_a_waiting_run_shows_its_position_in_the_queue():
    waiting = RunStatus(Phase.QUEUED, 1, 0, 150)
    assert status_html(waiting, 1).startswith("<b>Starting</b>")
    assert status_html(waiting, 3) == "<b>Waiting</b> · 3rd in the queue"
    running = RunStatus(Phase.RUNNING, 2, 100, 150, remaining_s=80.0)
    assert status_html(running) == "<b>Stage 2</b> · step 100 of 150 · about 1 min 20 s left"


def test_a_single_stage_is_not_named():
    running = RunStatus(Phase.RUNNING, 1, 5, 50)
    assert status_html(running, 1, "rounds", 1) == "<b>Running</b> · round 5 of 50"


@pytest.mark.parametrize("page", ["run", "results"])
def test_a_run_with_a_method_of_another_version_is_explained(page, empty_runs_folder):
    folder = empty_runs_folder / "another-version"
    folder.mkdir(parents=True)
    (folder / "problem.json").write_text('{"base": "LaFeAsO", "method": "nope"}')
    assert "“nope”: unknown method. Choose one of: gradient, substitution, " in page_text(open_page(page, Run(folder)))
    assert "another-version" in open_page("runs").button[0].key  # the list shows it, and it can be deleted
