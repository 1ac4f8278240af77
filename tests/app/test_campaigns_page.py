"""The page Campaigns: matrix, comparison and form, for a campaign of stored runs that is not carried out."""

from __future__ import annotations

import json
import shutil

import pytest

from app.campaigns.matrix import texts_of
from core.campaigns.campaign import read_campaign
from core.campaigns.expansion import planned_runs
from core.campaigns.folder import app_campaign
from core.campaigns.overview import overview
from core.runs import store
from tests.app.conftest import PROBLEM
from tests.app.pages import open_page, page_text, without_exception


@pytest.fixture
def campaign(stored_run, tmp_path, monkeypatch, empty_runs_folder):
    """Two seeds for one base, the first of them done."""
    monkeypatch.setenv("TC_STUDIO_CAMPAIGNS", str(tmp_path / "campaigns"))
    problem = json.loads(PROBLEM.to_json()) | {"seed": [PROBLEM.seed, PROBLEM.seed + 1]}
    problem["settings"] |= {name: [problem["settings"][name]] for name in ("steps", "n_unit", "added_elements")}
    folder = app_campaign("iron")
    folder.store(read_campaign(json.dumps({"problem": problem}), tmp_path))
    first = planned_runs(folder.campaign())[0]
    shutil.copytree(stored_run.folder, folder.run(first.key).folder)
    return folder


def test_the_matrix_has_the_best_tc_and_the_gain_of_each_run(campaign):
    runs = planned_runs(campaign.campaign())
    summary = campaign.run(runs[0].key).summary()
    cells, gains, keys = texts_of(overview(campaign, campaign.campaign(), runs), ["base"])
    gain = summary["best_tc_K"] - summary["base"]["tc_K"]
    assert cells.columns.tolist() == ["Seed 1", "Seed 2"] and cells.index.tolist() == ["LaFeAsO"]
    assert cells.iloc[0, 0].startswith(f"{summary['best_tc_K']:.1f} (") and cells.iloc[0, 1] == "–"
    assert gains.iloc[0, 0] == pytest.approx(gain) and keys.iloc[0].tolist() == [run.key for run in runs]


def test_the_page_shows_what_is_done_goes_on_and_adds_seeds(campaign, monkeypatch):
    second = planned_runs(campaign.campaign())[1]
    store.create_in(second.problem, campaign.run(second.key).folder)  # waiting when the command was stopped
    started = []
    monkeypatch.setattr("app.campaigns.progress.start", lambda folder: started.append(folder.campaign().n_runs))
    test = open_page("campaigns")
    assert "2 runs: 2 seeds" in page_text(test)
    assert "1 of 2 runs have a result" in test.get("progress")[0].proto.text
    assert len(test.dataframe) == 2  # matrix and gains
    assert test.dataframe[0].value.iloc[0, 1] == "–"
    next(button for button in test.button if button.label == "Go on").click()
    without_exception(test.run())
    next(button for button in test.button if button.label == "Add seeds").click()
    without_exception(test.run())
    assert started == [2, 3] and campaign.campaign().n_runs == 3


def test_a_campaign_is_set_up_with_the_design_of_the_session(campaign, monkeypatch):
    started = []
    monkeypatch.setattr("app.campaigns.new_campaign.start", lambda folder, workers: started.append((folder, workers)))
    test = open_page("campaigns", new="1")
    test.text_area(key="campaign.list").set_value("LaFeAsO\nMgBx").run()
    assert "MgBx" in page_text(test) and next(b for b in test.button if b.label == "Start").disabled
    test.text_area(key="campaign.list").set_value("LaFeAsO\nMgB2").run()
    test.number_input(key="campaign.seeds").set_value(2).run()
    assert "4 runs" in page_text(test)
    test.text_input(key="campaign.name").set_value("two bases").run()
    next(button for button in test.button if button.label == "Start").click().run()
    assert "a name has letters" in page_text(test) and not started
    test.text_input(key="campaign.name").set_value("two-bases").run()
    next(button for button in test.button if button.label == "Start").click().run()
    ((folder, workers),) = started
    assert folder.name == "two-bases" and folder.campaign().n_runs == 4 and workers >= 1
