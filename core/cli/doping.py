"""python -m core doping: Tc along a doping line, with the measured points on it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.arguments import add_predictor_option, new_command
from core.errors import InputError

if TYPE_CHECKING:
    from core.cli.arguments import Commands


def add_parser(commands: Commands) -> None:
    """Add the command."""
    parser = new_command(
        commands, "doping", "Tc against the doping, with the known superconductors on the line",
        "Predict Tc along a series of compositions, and find the known superconductors on it: those of the same\n"
        "elements whose fractions agree with a point of the line within 0.0005. Writes a CSV table and, with\n"
        "--figure, a plot as SVG. The models were trained on these superconductors: agreement is no test.",
        'doping "La2-xSrxCuO4, x = 0..0.3 in 13 steps" --out answers.csv --figure plot.svg',
    )  # fmt: skip
    parser.add_argument("series", metavar="SERIES", help="formula with a variable, and the values of the variable")
    parser.add_argument("--out", type=Path, metavar="OUT", help="write the CSV to this file, not to standard output")
    parser.add_argument("--figure", type=Path, metavar="SVG", help="write a plot to this file")
    add_predictor_option(parser, "best")
    parser.set_defaults(command=doping)


def doping(options: argparse.Namespace) -> int:
    """Write the table and the figure."""
    from core.cli.line_figure import svg
    from core.evaluation.csv_export import to_csv
    from core.evaluation.doping_line import doping_line
    from core.evaluation.user_formulas import Assessor
    from core.predictors.registry import MODELS

    line = doping_line(options.series, Assessor(MODELS[options.predictor or "best"]))
    table = to_csv(line.table())
    if options.out is None:
        sys.stdout.write(table)
    else:
        _write(options.out, table, "out")
    if options.figure is not None:
        _write(options.figure, svg(line), "figure")
    return 0


def _write(path: Path, content: str, field: str) -> None:
    from core.files import write_atomically

    try:
        write_atomically(path, content)
    except OSError as error:
        raise InputError(field, path, f"this file cannot be written ({error.strerror})", "Choose another") from None
