"""python -m core train: rebuild a checkpoint or a table from the raw data."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.arguments import add_data_option, new_command
from core.cli.tables import figure_text
from core.paths import CHECKPOINTS, PROJECT
from core.training import registry

if TYPE_CHECKING:
    from core.cli.arguments import Commands


def add_parser(commands: Commands) -> None:
    """Add the command."""
    parser = new_command(
        commands, "train", "rebuild one of the files in checkpoints/ from the raw data",
        "Train a predictor, or build a table, from the raw data. An interrupted training resumes.",
        "train tc --data raw_data",
    )  # fmt: skip
    names = (*registry.TRAINABLES, registry.SUPERDIFF)
    parser.add_argument("name", choices=names, metavar="NAME", help=", ".join(names))
    parser.add_argument(
        "--class",
        dest="of_class",
        choices=(*registry.CLASSES, registry.ALL),
        help="superdiff: the network to train; default: all, one after the other",
    )
    add_data_option(parser)
    parser.add_argument("--out", type=Path, default=CHECKPOINTS, metavar="DIR", help="default: checkpoints/")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="seed of split and training; default: 0")
    parser.add_argument("--continue", action="store_true", dest="continued",
                        help="go on from what is in --out. crystal-base: a further round of training, with "
                             "another --seed, replaces the network if its loss is lower; potential-references: "
                             "energies that are there are kept")  # fmt: skip
    parser.set_defaults(command=train)


def train(options: argparse.Namespace) -> int:
    """Train or build, and print the held-out figures of the new card."""
    from core.training.evaluation import flat

    chosen = registry.names_of(options.name, options.of_class)
    for artefact in chosen:
        figures = registry.train(
            artefact, options.data, options.out, options.seed, PROJECT / "build", options.continued
        )
        for name, value in flat(figures).items():
            print(f"{f'{artefact}: ' if len(chosen) > 1 else ''}{name}: {figure_text(value)}")
    return 0
