"""The table of the runs of a campaign."""

from __future__ import annotations

import json

import pandas as pd

from core.campaigns.campaign import read_campaign
from core.campaigns.expansion import planned_runs
from core.campaigns.folder import OVERVIEW, CampaignFolder
from core.campaigns.overview import NOT_STARTED, write_overview
from core.files import write_json
from core.runs import layout, store
from core.runs.status import Phase, write_status


def test_each_run_has_its_values_its_state_and_its_gain(tmp_path, monkeypatch):
    monkeypatch.setattr("core.runs.run.inspect", lambda folder: [])  # the runs here have no tables
    problem = {"base": "MgB2", "seed": [0, 1, 2], "device": "cpu", "settings": {"candidates": 8, "steps": [2, 2]}}
    problem["forbidden"] = [[], ["As"]]
    campaign = read_campaign(json.dumps({"problem": problem}), tmp_path)
    folder, runs = CampaignFolder(tmp_path / "campaign"), planned_runs(campaign)
    folder.store(campaign)
    phases = (Phase.FINISHED, Phase.FINISHED, Phase.FAILED)
    for planned, phase, best in zip(runs[:3], phases, (50.0, None, None), strict=True):
        run = store.create_in(planned.problem, folder.run(planned.key).folder)
        write_status(run.folder, run.stored_status().in_phase(phase, "no disk" if phase is Phase.FAILED else ""))
        if phase is Phase.FINISHED:
            write_json(run.folder / layout.RESULT, {
                "status": "finished", "step": 4, "funnel": [], "restarts": 0, "device": "cpu",
                "base": {"tc_K": 39.5, "formation_energy_eV_per_atom": -0.1},
                "n_passing": 0 if best is None else 4, "best_tc_K": best,
                "best_formula": None if best is None else "MgB3",
            })  # fmt: skip
    table = write_overview(folder, campaign, runs)
    assert table["forbidden"].tolist() == ["[]"] * 3 + ['["As"]'] * 3 and table["seed"].tolist() == [0, 1, 2] * 2
    assert table["phase"].tolist() == ["finished", "finished", "failed", *[NOT_STARTED] * 3]
    first, without, failed = table.to_dict("records")[:3]
    assert (first["n_passing"], first["best_formula"], first["gain_K"]) == (4, "MgB3", 10.5)
    assert without["n_passing"] == 0 and pd.isna(without["gain_K"]) and without["best_formula"] == ""
    assert failed["message"] == "no disk" and pd.isna(failed["n_passing"])
    stored = pd.read_csv(folder.folder / OVERVIEW)
    assert stored["gain_K"].tolist()[0] == 10.5 and stored["gain_K"].isna().sum() == 5
