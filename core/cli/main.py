"""The parser of the command line and the exit codes.

Exit codes: 0, success; 1, a formula or the run failed; 2, wrong usage or wrong input. Each command imports the modules
that load slowly (torch, pandas) when it runs, so that --help answers at once.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from core.cli import (
    benchmark,
    campaign,
    candidates,
    design,
    doctor,
    doping,
    evaluate,
    generate,
    predict,
    run,
    screen,
    structures,
    train,
)
from core.errors import InputError
from core.files import storage_error

# In the order of --help.
COMMANDS = (
    predict, screen, doping, structures, generate, design, run, campaign, candidates, doctor, train, evaluate,
    benchmark,
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    arguments : the words after `python -m core`; None: those of this process

    Raises SystemExit(2) for wrong usage, as argparse does, and SystemExit(0) after --help.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # formulas are not always ASCII; some terminals accept only ASCII
            stream.reconfigure(errors="replace")
    options = build_parser().parse_args(arguments)
    try:
        return options.command(options)
    except InputError as error:
        print(error.message, file=sys.stderr)
        if error.pointer():
            print(error.pointer(), file=sys.stderr)
        return 2
    except UnicodeEncodeError as error:  # of half a surrogate pair, in the name of a file for example
        rule = "the text holds a character that is no text (half of a surrogate pair)"
        print(InputError("argument", error.object, rule, "Write it again").message, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader of standard output has ended
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:  # of a file that no command expects: a full disk, a folder without permission
        print(storage_error(error, Path(error.filename or "."), "file").message, file=sys.stderr)
        return 2
    except RuntimeError as error:
        from core.predictors.checkpoint import CheckpointError

        if not isinstance(error, CheckpointError):
            raise
        print(error, file=sys.stderr)
        return 2


def build_parser() -> argparse.ArgumentParser:
    """The parser with all commands; each sets `command`, a function from the parsed options to the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m core",
        description="Tc Studio: predict, screen and design superconductor compositions.",
        epilog="python -m core COMMAND --help shows the options and an example of each command.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for module in COMMANDS:
        module.add_parser(commands)
    return parser
