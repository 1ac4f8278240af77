"""A campaign in a process of its own, which outlives the page that started it, and what this process is doing."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from enum import StrEnum

from core.campaigns.folder import CAMPAIGN, CLUSTER, COMMAND, COMMAND_LOG, STOP, CampaignFolder
from core.errors import InputError
from core.files import open_private, read_json, storage_errors, write_json
from core.paths import PROJECT
from core.process_identity import ProcessIdentity, identity_of


class Activity(StrEnum):
    """What is being done for a campaign. STARTING : a process exists that does not hold the lock yet, or any more"""

    IDLE = "idle"
    STARTING = "starting"
    AT_WORK = "at work"
    STOPPING = "stopping"


@dataclass(frozen=True)
class Command:
    """The command that is carrying out a campaign.

    dashboard : address of the dashboard of its workers; empty before there is one
    began_s : when its first run was submitted (s since 1970); None before that
    found : number of runs that had a result then
    """

    dashboard: str = ""
    began_s: float | None = None
    found: int = 0

    def remaining_s(self, ended: int, total: int, now_s: float | None = None) -> float | None:
        """Time for the runs that have not ended, at the pace of this command; None before its first run has ended.

        ended, total : numbers of runs
        """
        if self.began_s is None or ended <= self.found:
            return None
        spent_s = (time.time() if now_s is None else now_s) - self.began_s
        return max(0.0, spent_s) / (ended - self.found) * (total - ended)


def start(folder: CampaignFolder, workers: int | None = None) -> None:
    """Carry out the stored campaign, or what is missing of it, in a new process, and return at once.

    workers : local worker processes; None: one per processor

    Raises InputError if a command is at work or the folder holds no campaign, StorageError if it cannot be written.
    """
    folder.campaign()
    if activity(folder) is not Activity.IDLE:
        raise InputError("campaign", folder.folder, "this campaign is being carried out already", "Stop it first")
    command = [sys.executable, "-m", "core", "campaign", str(folder.folder / CAMPAIGN), "--out", str(folder.folder)]
    command += [] if workers is None else ["--workers", str(workers)]
    with storage_errors(folder.folder):
        for left in (STOP, CLUSTER):
            (folder.folder / left).unlink(missing_ok=True)
        with open_private(folder.folder / COMMAND_LOG, "wb") as log:
            process = subprocess.Popen(
                command, cwd=PROJECT, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                start_new_session=True, creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )  # fmt: skip
        write_json(folder.folder / COMMAND, {"process": identity_of(process.pid).to_json()}, private=True)
    # An ended process remains in the process table, as if it were running, until its parent has waited for it.
    threading.Thread(target=process.wait, daemon=True).start()


def stop(folder: CampaignFolder) -> None:
    """Ask the command to cancel the runs at work and to end; it can be started again. Without effect if none works.

    Raises StorageError if the folder cannot be written.
    """
    if activity(folder) is Activity.AT_WORK:
        with storage_errors(folder.folder):
            (folder.folder / STOP).touch()


def activity(folder: CampaignFolder) -> Activity:
    """What is being done for the campaign now."""
    if folder.is_at_work():
        return Activity.STOPPING if (folder.folder / STOP).exists() else Activity.AT_WORK
    process = ProcessIdentity.from_json((read_json(folder.folder / COMMAND) or {}).get("process"))
    return Activity.STARTING if process is not None and process.exists() else Activity.IDLE


def command_of(folder: CampaignFolder) -> Command:
    """The command that is carrying out the campaign, as far as it has said anything."""
    said = read_json(folder.folder / CLUSTER) or {}
    dashboard, began_s, found = said.get("dashboard"), said.get("began_s"), said.get("found")
    return Command(
        dashboard if isinstance(dashboard, str) and dashboard.startswith(("http://", "https://")) else "",
        float(began_s) if isinstance(began_s, int | float) else None,
        found if isinstance(found, int) else 0,
    )


def last_words(folder: CampaignFolder, most_bytes: int = 2_000) -> str:
    """The end of what the last command in the background wrote; empty without one."""
    try:
        with (folder.folder / COMMAND_LOG).open("rb") as log:
            log.seek(max(0, log.seek(0, 2) - most_bytes))
            return log.read().decode("utf-8", "replace").replace("\r", "\n").strip()
    except OSError:
        return ""
