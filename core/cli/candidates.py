"""python -m core candidates: the candidates of many runs that meet a condition."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.arguments import new_command
from core.errors import InputError

if TYPE_CHECKING:
    from core.cli.arguments import Commands


def add_parser(commands: Commands) -> None:
    """Add the command."""
    parser = new_command(
        commands, "candidates", "find candidates in all runs and campaigns",
        "Write the candidates of many runs that meet a condition as CSV, the highest Tc minus its error first. The\n"
        "condition compares columns, as in SQL; --columns lists them. Besides those of a run there are run, campaign,\n"
        "base, method, seed, new, tc_minus_error_K, control_disagrees, family and elements.",
        'candidates --where "tc_K > 60 and energy_above_hull_eV_per_atom < 0.05 and new" --out best.csv\n'
        "  python -m core candidates my_campaign --where \"list_contains(elements, 'Fe') and passes\" --once",
    )  # fmt: skip
    parser.add_argument("folders", type=Path, nargs="*", metavar="FOLDER",
                        help="campaigns and folders of runs; default: those of the app")  # fmt: skip
    parser.add_argument("--where", default="true", metavar="CONDITION", help="default: every candidate")
    parser.add_argument("--out", type=Path, metavar="OUT", help="write the CSV to this file, not to standard output")
    parser.add_argument(
        "--order", default="tc_minus_error_K", metavar="COLUMN", help="highest first; default: Tc - error"
    )
    parser.add_argument("--most", type=int, metavar="N", help="at most so many rows")
    parser.add_argument("--once", action="store_true",
                        help="each composition once, with how often and from which bases it was found")  # fmt: skip
    parser.add_argument("--columns", action="store_true", help="list the columns with their meaning; read nothing")
    parser.set_defaults(command=candidates)


def candidates(options: argparse.Namespace) -> int:
    """Write the candidates that meet the condition."""
    from core.campaigns.candidates import ALL_COLUMNS, as_frame, candidates_of
    from core.campaigns.query import CandidateQueries
    from core.evaluation.csv_export import to_csv

    if options.columns:
        width = max(len(column.name) for column in ALL_COLUMNS)
        for column in ALL_COLUMNS:
            print(f"{column.name:<{width}}  {column.meaning}")
        return 0
    if options.most is not None and options.most < 1:
        raise InputError("most", options.most, "the number of rows must be 1 or more", "Correct it")
    with CandidateQueries(candidates_of(options.folders or folders_of_app())) as queries:
        table = queries.select(options.where, options.order, options.most, options.once)
    text = to_csv(as_frame(table))
    if options.out is None:
        sys.stdout.write(text)
    else:
        _write(options.out, text)
    print(f"{table.num_rows:,} candidates", file=sys.stderr)
    return 0


def folders_of_app() -> list[Path]:
    """The folder of all runs, and each campaign in the folder of campaigns, as far as they exist.

    Raises InputError if there is none.
    """
    from core.campaigns.folder import app_folders
    from core.runs.layout import runs_folder

    found = app_folders()
    if not found:
        raise InputError("folder", runs_folder(), "there are no runs yet", "Name the folder of a campaign or of runs")
    return found


def _write(path: Path, content: str) -> None:
    from core.files import write_atomically

    try:
        write_atomically(path, content)
    except OSError as error:
        raise InputError("out", path, f"this file cannot be written ({error.strerror})", "Choose another") from None
