"""The folder of a campaign, and what is kept of its runs.

campaign.json        the campaign, with the list of all bases
campaign.lock        locked while a command carries the campaign out
cluster.json         scheduler, dashboard and begin of that command; removed at its end
command.json         the process that a page has started to carry the campaign out; command.log its output
stop                 empty; requests that command to stop
runs/KEY/            the runs, each under its content key
runs.csv             one row per run: values, state, best candidate
candidates.parquet   the candidates of all runs; can be rebuilt from the runs
"""

from __future__ import annotations

import os
from collections.abc import Collection, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from core.campaigns.campaign import TRAJECTORY, Campaign, read_campaign
from core.errors import InputError
from core.files import acquire_lock, is_locked, write_atomically
from core.paths import PROJECT
from core.runs import layout, store
from core.runs.run import Run

CAMPAIGN, LOCK, CLUSTER, STOP, RUNS, OVERVIEW = (
    "campaign.json", "campaign.lock", "cluster.json", "stop", "runs", "runs.csv"
)  # fmt: skip
COMMAND, COMMAND_LOG = "command.json", "command.log"
LOCK_TIMEOUT_S = 2.0  # a reader that tests the lock holds it briefly
_FILES_OF = {TRAJECTORY: layout.TRAJECTORY}  # without it a run counts as undamaged


def campaigns_folder() -> Path:
    """The folder of the campaigns of the app: the variable TC_STUDIO_CAMPAIGNS, or campaigns/ in the project."""
    return Path(os.environ.get("TC_STUDIO_CAMPAIGNS") or PROJECT / "campaigns").absolute()


def app_folders() -> list[Path]:
    """The folder of all runs, and each campaign in the folder of campaigns, as far as they exist."""
    runs = layout.runs_folder()
    return [*([runs] if runs.is_dir() else []), *(campaign.folder for campaign in app_campaigns())]


def app_campaigns() -> list[CampaignFolder]:
    """The campaigns of the app, by name."""
    return [CampaignFolder(path.parent) for path in sorted(campaigns_folder().glob(f"*/{CAMPAIGN}"))]


def app_campaign(name: str) -> CampaignFolder:
    """The campaign of the app with this name, whether or not it exists. Raises InputError for an impossible name."""
    if not layout.is_run_id(name):
        raise InputError("name", name, "a name has letters, digits and ._-, and begins with a letter or digit",
                         "Write iron-based-2")  # fmt: skip
    return CampaignFolder(campaigns_folder() / name)


def run_of_campaign(name: str, key: str) -> Run | None:
    """The run of a campaign of the app; None if there is none, or a name is not possible."""
    if not layout.is_run_id(name) or not layout.is_run_id(key):
        return None
    folder = campaigns_folder() / name / RUNS / key
    return Run(folder) if layout.is_run(folder) else None


def run_with_id(run_id: str) -> Run | None:
    """The run of the app with this id: in the folder of all runs, else in a campaign; None if there is none."""
    found = (run_of_campaign(campaign.folder.name, run_id) for campaign in app_campaigns())
    return store.get(run_id) or next(filter(None, found), None)


def campaign_name(run: Run) -> str:
    """The name of the campaign of the app to which a run belongs; empty if it belongs to none."""
    place = run.folder.parent
    return place.parent.name if place.name == RUNS and place.parent.parent == campaigns_folder() else ""


@dataclass(frozen=True)
class CampaignFolder:
    """A campaign on disk. folder : absolute path"""

    folder: Path

    @property
    def name(self) -> str:
        """Name of the folder."""
        return self.folder.name

    def exists(self) -> bool:
        """Whether the folder holds a campaign."""
        return (self.folder / CAMPAIGN).is_file()

    def campaign(self) -> Campaign:
        """The stored campaign. Raises InputError if there is none."""
        path = self.folder / CAMPAIGN
        try:
            text = path.read_text(encoding="utf-8")
        except OSError:
            raise InputError("folder", self.folder, f"there is no {CAMPAIGN} in this folder",
                             "Name the folder of a campaign") from None  # fmt: skip
        return read_campaign(text, self.folder)

    def store(self, campaign: Campaign) -> None:
        """Store a new campaign, or replace that of the folder: runs that both have are not repeated.

        Raises InputError for a folder that holds other files than a campaign.
        """
        strange = self.folder.exists() and not (self.folder / CAMPAIGN).exists()
        if strange and (not self.folder.is_dir() or any(self.folder.iterdir())):
            raise InputError(
                "out", self.folder, "it exists, and is neither empty nor a campaign", "Name another folder"
            )
        (self.folder / RUNS).mkdir(parents=True, exist_ok=True)
        write_atomically(self.folder / CAMPAIGN, campaign.to_json())

    def run(self, key: str) -> Run:
        """The run of this key, whether or not it exists yet."""
        return Run(self.folder / RUNS / key)

    def is_at_work(self) -> bool:
        """Whether a command is carrying the campaign out."""
        return is_locked(self.folder / LOCK)

    @contextmanager
    def owned(self) -> Generator[None]:
        """Hold the lock of the campaign. Raises InputError if another command holds it."""
        lock = acquire_lock(self.folder / LOCK, LOCK_TIMEOUT_S)
        if lock is None:
            raise InputError("out", self.folder, "another command is carrying this campaign out", "Wait, or stop it")
        try:
            (self.folder / STOP).unlink(missing_ok=True)
            yield
        finally:
            lock.release()


def remove_parts(run: Run, keep: Collection[str]) -> None:
    """Remove the files of a finished run that a campaign does not keep. keep : see `Campaign`"""
    for part, name in _FILES_OF.items():
        if part not in keep:
            (run.folder / name).unlink(missing_ok=True)
