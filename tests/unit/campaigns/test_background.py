"""A campaign in a process of its own: what it is doing, and the remaining time; the process itself is a stand-in."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from core.campaigns import background
from core.campaigns.background import Activity, Command, activity, command_of, last_words, start, stop
from core.campaigns.campaign import read_campaign
from core.campaigns.folder import CLUSTER, COMMAND, STOP, CampaignFolder, app_campaign, campaign_name, run_of_campaign
from core.errors import InputError
from core.files import write_json
from core.runs import layout, store
from tests.unit.runs.sample import SMALL, unchecked_run


@pytest.fixture
def folder(tmp_path, monkeypatch) -> CampaignFolder:
    monkeypatch.setenv("TC_STUDIO_CAMPAIGNS", str(tmp_path))
    found = app_campaign("bases")
    found.store(read_campaign('{"problem": {"base": "MgB2"}}', None))
    return found


def test_a_command_is_started_once_and_its_activity_is_known(folder, monkeypatch):
    """The process waits for its standard input to end, and writes its arguments."""
    started, popen = [], subprocess.Popen

    def stand_in(command, stdin, **others):
        waits = "import sys; print(sys.argv[1:], flush=True); sys.stdin.read()"
        started.append(popen([sys.executable, "-c", waits, *command[1:]], stdin=subprocess.PIPE, **others))
        return started[0]

    monkeypatch.setattr(background.subprocess, "Popen", stand_in)
    (folder.folder / STOP).touch()
    assert activity(folder) is Activity.IDLE and last_words(folder) == ""
    start(folder, workers=2)
    assert activity(folder) is Activity.STARTING and not (folder.folder / STOP).exists()
    with pytest.raises(InputError, match="already"):
        start(folder)
    stop(folder)  # nothing is at work yet
    assert not (folder.folder / STOP).exists()
    with folder.owned():
        assert activity(folder) is Activity.AT_WORK
        stop(folder)
        assert activity(folder) is Activity.STOPPING
    started[0].stdin.close()
    started[0].wait(60)
    deadline = time.monotonic() + 60
    while activity(folder) is not Activity.IDLE and time.monotonic() < deadline:
        time.sleep(0.01)
    assert activity(folder) is Activity.IDLE and len(started) == 1
    assert "'campaign', " in last_words(folder) and "'--workers', '2'" in last_words(folder)


def test_a_command_is_only_started_for_a_campaign(tmp_path):
    with pytest.raises(InputError, match="no campaign"):
        start(CampaignFolder(tmp_path / "none"))


def test_the_remaining_time_follows_from_the_pace_of_the_command(folder):
    assert command_of(folder) == Command() and Command().remaining_s(3, 9) is None
    write_json(folder.folder / CLUSTER, {"dashboard": "http://127.0.0.1:1/status", "began_s": 100.0, "found": 4})
    command = command_of(folder)
    assert command == Command("http://127.0.0.1:1/status", 100.0, 4)
    assert command.remaining_s(4, 10, now_s=160.0) is None
    assert command.remaining_s(6, 10, now_s=160.0) == 120.0  # 2 runs in 60 s, 4 are left
    write_json(folder.folder / CLUSTER, {"dashboard": "javascript:alert(1)", "began_s": "x", "found": None})
    write_json(folder.folder / COMMAND, {"process": "x"})
    assert command_of(folder) == Command() and activity(folder) is Activity.IDLE


def test_runs_of_campaigns_are_found_by_name(folder, monkeypatch):
    run = unchecked_run(folder.folder / "runs" / "0123", SMALL)
    assert run_of_campaign("bases", "0123") == run and campaign_name(run) == "bases"
    for name, key in (("bases", "4567"), ("../bases", "0123"), ("bases", ".."), ("other", "0123")):
        assert run_of_campaign(name, key) is None
    monkeypatch.setenv("TC_STUDIO_RUNS", str(folder.folder.parent / "runs"))
    other = unchecked_run(layout.runs_folder() / "one", SMALL)
    assert campaign_name(other) == "" and store.get("one") == other
    with pytest.raises(InputError, match="a name has letters"):
        app_campaign("a/b")
