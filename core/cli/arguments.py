"""Parts of the parser shared by several commands."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from core.predictors.registry import MODELS

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # argparse has no public name for this type


def new_command(commands: Commands, name: str, summary: str, description: str, example: str) -> argparse.ArgumentParser:
    """Add a command.

    summary : one line, for the list of commands
    description, example : printed before and after the options, with their line breaks
    """
    return commands.add_parser(
        name,
        help=summary,
        description=description,
        epilog=f"example:\n  python -m core {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def add_predictor_option(parser: argparse.ArgumentParser, default: str) -> None:
    """Add --predictor, with the value None if it is not given. default : text for the help"""
    parser.add_argument(
        "--predictor", choices=MODELS, metavar="P",
        help=f"best, or published: ResNet18 and ElemNet as in the papers; default: {default}",
    )  # fmt: skip


def add_data_option(parser: argparse.ArgumentParser) -> None:
    """Add --data, the folder of the raw data."""
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of the raw data; default: $TC_STUDIO_DATA")


def encodable(text: str) -> str:
    """An argument as text that files can hold.

    Bytes that are not UTF-8 reach Python as halves of surrogate pairs, which no file can hold: they become "?".
    """
    return text.encode("utf-8", "replace").decode()
