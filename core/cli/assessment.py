"""Shared by predict and screen: read formulas, write a CSV table with one row per formula."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.arguments import add_predictor_option, new_command
from core.cli.input_files import read_formulas
from core.cli.tables import write_csv

if TYPE_CHECKING:
    import pandas as pd

    from core.cli.arguments import Commands


def new_assessment(commands: Commands, name: str, summary: str, description: str) -> argparse.ArgumentParser:
    """Add a command that takes formulas, --csv, --out and --predictor."""
    example = (
        f'{name} LaFeAsO "La1.85Sr0.15CuO4"\n'
        f"  python -m core {name} --csv my_compounds.csv --out answers.csv\n\n"
        "A formula may have fractional amounts and brackets; quote a formula that has brackets. From a CSV file\n"
        "the column named formula is read, or else the first column. A formula that cannot be read stays in the\n"
        "output, with the reason in the column error, and the exit code is 1."
    )
    parser = new_command(commands, name, summary, description, example)
    parser.add_argument("formulas", nargs="*", metavar="FORMULA", help="a chemical formula, for example LaFeAsO")
    parser.add_argument("--csv", type=Path, metavar="IN", help="read the formulas from this CSV file instead")
    parser.add_argument("--out", type=Path, metavar="OUT", help="write the CSV to this file, not to standard output")
    add_predictor_option(parser, "best")
    parser.set_defaults(parser=parser)
    return parser


def given_formulas(options: argparse.Namespace) -> list[str]:
    """The formulas from the command line or from the CSV file.

    Raises InputError for a bad CSV file, SystemExit(2) unless the formulas come from exactly one of the two.
    """
    if bool(options.formulas) == (options.csv is not None):
        options.parser.error("give formulas, or --csv with a file")
    return options.formulas or read_formulas(options.csv)


def write_assessment(options: argparse.Namespace, assess: Callable[..., pd.DataFrame], **rules: str) -> int:
    """Assess the formulas, write the table, and return the exit code: 1 if a row has an error.

    assess : (formulas, models, **rules) -> table with a column error
    """
    from core.predictors.registry import MODELS

    table = assess(given_formulas(options), MODELS[options.predictor or "best"], **rules)
    write_csv(table, options.out)
    bad = int((table["error"] != "").sum())
    if bad:
        print(f"{bad} of {len(table)} rows have errors; see the column error.", file=sys.stderr)
    return 1 if bad else 0
