"""The finished example run that comes with the project: stored by a command, opened without carrying anything out."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path

from core.errors import InputError
from core.files import make_private_folder, storage_errors, write_json
from core.paths import ASSETS
from core.runs import layout
from core.runs.run import Run

STORED = ASSETS / "example-run"
EXAMPLE_ID = "example-LaFeAsO"
KEPT = (layout.PROBLEM, layout.STATUS, layout.PROVENANCE, *layout.RESULTS)  # files of a finished run that pages read
NOT_KEPT = ("platform", "device_name")  # of the provenance: about the machine, not about the result


def store_example(run: Run, folder: Path = STORED) -> Path:
    """Copy the files of a finished run into the project, without what describes the machine. Returns the folder."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    for name in KEPT:
        shutil.copyfile(run.folder / name, folder / name)
    provenance = {key: value for key, value in run.provenance().items() if key not in NOT_KEPT}
    write_json(folder / layout.PROVENANCE, provenance)
    return folder


def open_example(folder: Path | None = None, stored: Path = STORED) -> Run:
    """The example as a run of the folder of all runs; copied there if it is not there yet.

    folder : of the runs; None: that of the app

    Raises InputError if the project has no example, StorageError if the copy cannot be written.
    """
    place = layout.runs_folder() if folder is None else folder
    there = place / EXAMPLE_ID
    if layout.is_run(there):
        return Run(there)
    if not (stored / layout.PROBLEM).is_file():
        raise InputError("example", stored, "the example run is missing",
                         "Build it: python -m core benchmark example-run")  # fmt: skip
    with storage_errors(there):
        make_private_folder(place)
        new = place / f".{EXAMPLE_ID}-{secrets.token_hex(4)}"  # no run before it has its name
        try:
            shutil.copytree(stored, new)
            if not layout.is_run(there):  # another session may have been faster
                new.rename(there)
        finally:
            shutil.rmtree(new, ignore_errors=True)
    return Run(there)
