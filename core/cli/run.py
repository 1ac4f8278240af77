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
    parser.add_argument(
        "--keep", action="store_true",
        help="do no further step: round and screen the candidates of the last stored step of a run that was stopped",
    )  # fmt: skip
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Carry out the run as its worker; exit code 1 unless the run has finished."""
    from core.executors.worker import FOLDER_FROM_STDIN, receive_folder, work
    from core.runs.status import WITH_RESULT

    folder = receive_folder() if str(options.folder) == FOLDER_FROM_STDIN else options.folder
    if folder is None:
        return 0
    if options.keep:
        return keep(folder)
    status = work(folder)
    print(status.message or f"The run is {status.phase}.", file=sys.stderr)
    return 0 if status.phase in WITH_RESULT else 1


def keep(folder: Path) -> int:
    """Round and screen the candidates of the resume point, and print the best; exit code 1 without a result.

    Raises InputError if the folder holds no run, or there is nothing to keep.
    """
    from core.cli.tables import best_text
    from core.executors.in_process import InProcessExecutor
    from core.runs.run import Run
    from core.runs.status import WITH_RESULT

    given = Run(folder.absolute())
    executor = InProcessExecutor()
    executor.stop(given)
    status = executor.poll(given)
    if status.phase not in WITH_RESULT:
        print(status.message or f"The run is {status.phase}.", file=sys.stderr)
        return 1
    print(best_text(given.candidates()))
    print(f"The run is {status.phase} at step {status.step:,} of {status.total_steps:,}. All candidates are in "
          f"{given.folder / 'candidates.csv'}")  # fmt: skip
    return 0
