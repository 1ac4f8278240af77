"""python -m core train: rebuild a checkpoint or a table from the raw data."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.arguments import add_data_option, new_command
from core.cli.choices import TRAINED
from core.cli.tables import figure_text
from core.paths import ASSETS, CHECKPOINTS, PROJECT

if TYPE_CHECKING:
    from core.cli.arguments import Commands


def add_parser(commands: Commands) -> None:
    """Add the command."""
    parser = new_command(
        commands, "train", "rebuild one of the files in checkpoints/ from the raw data",
        "Train a predictor, or build a table, from the raw data. An interrupted training resumes where it stopped.",
        "train tc --data raw_data",
    )  # fmt: skip
    parser.add_argument("name", choices=TRAINED, metavar="NAME", help=", ".join(TRAINED))
    add_data_option(parser)
    parser.add_argument("--out", type=Path, default=CHECKPOINTS, metavar="DIR", help="default: checkpoints/")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the split and the training; default: 0")
    parser.set_defaults(command=train)


def train(options: argparse.Namespace) -> int:
    """Train, and print the held-out figures of the new card."""
    if options.name == "elements":
        from core.training.element_table import write_element_table

        write_element_table(ASSETS / "elements.json")
        return 0
    from core.training import data
    from core.training.evaluation import flat

    folder = data.data_folder(options.data)
    card = trainer(options.name)(folder, options.out, options.seed, PROJECT / "build")
    for name, value in flat(card["metrics_held_out"]).items():
        print(f"{name}: {figure_text(value)}")
    return 0


def trainer(name: str) -> Callable[[Path, Path, int, Path], dict]:
    """The function (raw data, output folder, seed, working folder) -> card that makes a checkpoint."""
    from core.training import control_model, formation_energy, references, tc, tc_ensemble

    if name in formation_energy.RECIPES:
        return partial(formation_energy.train, recipe=formation_energy.RECIPES[name])
    return {"tc": tc, "tc-ensemble": tc_ensemble, "judge": control_model, "references": references}[name].train
