"""python -m core run: carry out, or resume, the run in a folder. The app starts its workers with this command."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.arguments import new_command

if TYPE_CHECKING:
    from core.cli.arguments import Commands


def add_parser(commands: Commands) -> None:
    """Add the command."""
    parser = new_command(
        commands, "run", "carry out or resume the run in a folder",
        "Carry out the run whose problem.json is in the folder, or resume it if it was interrupted. Runs in the same\n"
        "parent folder take turns (TC_STUDIO_WORKERS sets the number of simultaneous runs). The app starts its runs\n"
        "with this command.",
        "run my_run",
    )  # fmt: skip
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="folder of the run; - reads it from standard input")
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Carry out the run as its worker; exit code 1 unless the run has finished."""
    from core.executors.worker import FOLDER_FROM_STDIN, receive_folder, work
    from core.runs.status import Phase

    folder = receive_folder() if str(options.folder) == FOLDER_FROM_STDIN else options.folder
    if folder is None:
        return 0
    status = work(folder)
    print(status.message or f"The run is {status.phase}.", file=sys.stderr)
    return 0 if status.phase is Phase.FINISHED else 1
