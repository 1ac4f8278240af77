"""The folder of a campaign: what it stores, and who may work in it."""

from __future__ import annotations

import pytest

from core.campaigns.campaign import read_campaign
from core.campaigns.folder import STOP, CampaignFolder, campaigns_folder
from core.errors import InputError

TEXT = '{"problem": {"base": "MgB2", "seed": %s}}'
ONE, MORE = (read_campaign(TEXT % seeds, None) for seeds in ("0", "[0, 1]"))


def test_a_campaign_is_stored_and_extended(tmp_path):
    folder = CampaignFolder(tmp_path / "campaign")
    folder.store(ONE)
    assert folder.campaign() == ONE
    folder.store(MORE)
    assert folder.campaign() == MORE


def test_a_folder_of_other_files_is_refused(tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(InputError, match="neither empty nor a campaign"):
        CampaignFolder(tmp_path).store(ONE)
    with pytest.raises(InputError, match=r"no campaign\.json"):
        CampaignFolder(tmp_path).campaign()


def test_one_command_at_a_time_works_in_a_folder_and_forgets_earlier_requests_to_stop(tmp_path):
    folder = CampaignFolder(tmp_path / "campaign")
    folder.store(ONE)
    (folder.folder / STOP).touch()
    assert not folder.is_at_work()
    with folder.owned():
        assert folder.is_at_work() and not (folder.folder / STOP).exists()
        with pytest.raises(InputError, match="another command"), folder.owned():
            pass
    assert not folder.is_at_work()


def test_the_folder_of_all_campaigns_can_be_named(tmp_path, monkeypatch):
    monkeypatch.setenv("TC_STUDIO_CAMPAIGNS", str(tmp_path))
    assert campaigns_folder() == tmp_path
