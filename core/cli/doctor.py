"""python -m core doctor: what is damaged in the runs, what can be done, and the rebuilding of what can be rebuilt."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.arguments import new_command
from core.errors import InputError

if TYPE_CHECKING:
    from core.cli.arguments import Commands
    from core.runs.run import Run


def add_parser(commands: Commands) -> None:
    """Add the command."""
    parser = new_command(
        commands, "doctor", "find damaged runs, and rebuild what can be rebuilt",
        "Examine every run of a folder: each file is read and compared with its checksum. What is damaged is listed\n"
        "with what can be done: rebuild (done at once, from the other files of the run), carry out again (python -m\n"
        "core run FOLDER), or delete. Runs with a worker are left alone. The exit code is 1 if damages remain.",
        "doctor\n  python -m core doctor my_runs --only-report",
    )  # fmt: skip
    parser.add_argument("runs", nargs="?", type=Path, metavar="RUNS",
                        help="folder of runs, or of one run; default: that of the app")  # fmt: skip
    parser.add_argument("--only-report", action="store_true", help="rebuild nothing")
    parser.set_defaults(command=doctor)


def doctor(options: argparse.Namespace) -> int:
    """Examine and rebuild; exit code 1 if damages remain."""
    from core.runs.ownership import has_worker

    runs = _runs(options.runs)
    damaged = left = 0
    for run in runs:
        if has_worker(run.folder):
            print(f"{run.id}: has a worker; not examined")
            continue
        found = run.damages()
        damaged += bool(found)
        left += _treat(run, options.only_report) if found else 0
    if not options.only_report:
        _renew_index(options.runs)
    print(f"{len(runs):,} runs, {damaged:,} damaged, {left:,} still damaged.", file=sys.stderr)
    return 1 if left else 0


def _runs(folder: Path | None) -> list[Run]:
    """The runs in a folder, or the run that it is."""
    from core.runs import layout
    from core.runs.run import Run

    folder = (layout.runs_folder() if folder is None else folder).absolute()
    if not folder.is_dir():
        raise InputError("runs", folder, "there is no such folder", "Name a folder of runs")
    if layout.is_run(folder):
        return [Run(folder)]
    return [Run(each) for each in sorted(folder.iterdir()) if layout.is_run(each)]


def _treat(run: Run, only_report: bool) -> int:
    """Print the damages of a run and rebuild what can be; 1 if damages remain."""
    from core.runs.damage import Remedy
    from core.runs.rebuild import rebuild

    print(run.id)
    for damage in run.damages():
        print(f"  {damage.message}")
    if only_report:
        return 1
    try:
        for sentence in rebuild(run):
            print(f"  Done: {sentence}")
    except InputError as error:
        print(f"  {error.message}")
        return 1
    left = run.damages()
    if left and left[0].remedy is Remedy.DELETE:
        print(f"  To do: restore {left[0].file}, or delete the folder {run.folder}")
    elif left:
        print(f"  To do: python -m core run {run.folder}")
    return 1 if left else 0


def _renew_index(folder: Path | None) -> None:
    """Make the list of runs anew, unless the folder is a single run."""
    from core.runs import index, layout

    runs = layout.runs_folder() if folder is None else folder.absolute()
    if not layout.is_run(runs):
        index.renew(runs)
