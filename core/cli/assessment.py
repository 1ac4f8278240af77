"""Shared by predict and screen: read formulas, write a CSV table with one row per formula, as it is computed."""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.arguments import add_predictor_option, encodable, new_command
from core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from core.cli.arguments import Commands
    from core.evaluation.formula_csv import Row
    from core.evaluation.user_formulas import Assessor, UserFormula

    Assess = Callable[[Assessor, Sequence[UserFormula]], pd.DataFrame]

CHUNK = 1000  # formulas that are assessed and written together


def new_assessment(commands: Commands, name: str, summary: str, description: str) -> argparse.ArgumentParser:
    """Add a command that takes formulas, --csv, --out, --read-undetermined-as-zero and --predictor."""
    example = (
        f'{name} LaFeAsO "La1.85Sr0.15CuO4"\n'
        f'  python -m core {name} "La2-xSrxCuO4, x = 0..0.3 in 7 steps"\n'
        f"  python -m core {name} --csv my_compounds.csv --out answers.csv\n\n"
        "A formula may have fractional amounts and brackets; quote a formula that has brackets. From a CSV file\n"
        "the column named formula is read, or else the first column; the other columns are kept. The column read_as\n"
        "has the formula understood, where it is not the text given. A formula that cannot be read stays in the\n"
        "output, with the reason in the column error and what is probably meant in the column suggestion, and the\n"
        "exit code is 1. Rows are written as they are computed; Ctrl-C keeps those that are written."
    )
    parser = new_command(commands, name, summary, description, example)
    parser.add_argument("formulas", nargs="*", metavar="FORMULA", help="a chemical formula, for example LaFeAsO")
    parser.add_argument("--csv", type=Path, metavar="IN", help="read the formulas from this CSV file instead")
    parser.add_argument("--out", type=Path, metavar="OUT", help="write the CSV to this file, not to standard output")
    parser.add_argument(
        "--read-undetermined-as-zero", action="store_true",
        help="read YBa2Cu3O7-d as YBa2Cu3O7; an amount that would vanish (Oy, Kx) is still an error",
    )  # fmt: skip
    add_predictor_option(parser, "best")
    parser.set_defaults(parser=parser)
    return parser


def write_assessment(options: argparse.Namespace, assess: Assess, **rules: str) -> int:
    """Assess the formulas, write the table, and return the exit code: 1 if a row has an error.

    assess : table of some formulas, with a column error
    rules : further arguments of the Assessor

    Raises InputError for a bad CSV file or an output file that cannot be written, SystemExit(2) unless the formulas
    come from exactly one of command line and CSV file.
    """
    from core.evaluation.user_formulas import Assessor
    from core.predictors.registry import MODELS

    if bool(options.formulas) == (options.csv is not None):
        options.parser.error("give formulas, or --csv with a file")
    _check_out(options.out, options.csv)
    with ExitStack() as stack:
        rows, others, progress = _source(options, stack)
        assessor = Assessor(MODELS[options.predictor or "best"], **rules)
        count, bad = 0, 0
        write = None
        for chunk in _chunks(rows):
            table = _table(assessor, assess, chunk, others, options.read_undetermined_as_zero)
            if write is None:  # only now, so that wrong input leaves an existing file as it is
                write = stack.enter_context(_output(options.out))
            write(table)
            progress()
            count, bad = count + len(table), bad + int((table["error"] != "").sum())
        if write is None:
            stack.enter_context(_output(options.out))(_table(assessor, assess, [], others, False))
    if bad:
        print(f"{bad} of {count} rows have errors; see the column error.", file=sys.stderr)
    return 1 if bad else 0


def _source(
    options: argparse.Namespace, stack: ExitStack
) -> tuple[Iterable[Row], tuple[str, ...], Callable[[], object]]:
    """The rows, the names of their other columns, and a function that shows the progress."""
    from core.evaluation.formula_csv import FormulaCsv, Row

    if options.csv is None:
        return [Row(encodable(text), ()) for text in options.formulas], (), lambda: None
    from tqdm import tqdm

    file = stack.enter_context(FormulaCsv(options.csv))
    bar = stack.enter_context(
        tqdm(total=file.size, unit="B", unit_scale=True, file=sys.stderr, disable=None)  # None: only in a terminal
    )
    return file.rows(), file.others, lambda: bar.update(file.bytes_read - bar.n)


def _chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    remaining = iter(rows)
    while chunk := list(itertools.islice(remaining, CHUNK)):
        yield chunk


def _table(
    assessor: Assessor, assess: Assess, rows: Sequence[Row], others: Sequence[str], undetermined_as_zero: bool
) -> pd.DataFrame:
    """The table of these rows, with the other columns of the file after those of the formula."""
    from core.evaluation.formula_csv import with_other_columns
    from core.evaluation.user_formulas import read_texts

    formulas = read_texts([row.formula for row in rows], undetermined_as_zero)
    return with_other_columns(assess(assessor, formulas), formulas, rows, others)


def _check_out(out: Path | None, given: Path | None) -> None:
    """Raises InputError if the output is the input or is in no folder."""
    if out is None:
        return
    if given is not None and out.exists() and given.exists() and out.samefile(given):
        raise InputError("out", out, "this is the file that is read", "Choose another")
    if not out.parent.is_dir():
        raise InputError("out", out, "this file cannot be written (there is no such folder)", "Choose another")


@contextmanager
def _output(out: Path | None) -> Generator[Callable[[pd.DataFrame], None], None, None]:
    """A function that writes tables to a file or to standard output, the header before the first one, each at once."""
    from core.evaluation.csv_export import to_csv

    try:
        file = sys.stdout if out is None else out.open("w", encoding="utf-8", newline="")
    except OSError as error:
        raise InputError("out", out, f"this file cannot be written ({error.strerror})", "Choose another") from None
    written = 0

    def write(table: pd.DataFrame) -> None:
        nonlocal written
        file.write(to_csv(table, header=not written))
        file.flush()
        written += 1

    try:
        yield write
    finally:
        if out is not None:
            file.close()
