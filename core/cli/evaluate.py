"""python -m core evaluate: recompute the held-out figures of the model cards and compare."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.arguments import add_data_option, new_command
from core.cli.tables import figure_text
from core.paths import CHECKPOINTS, PROJECT
from core.training.registry import EVALUATED, SAMPLED

if TYPE_CHECKING:
    from core.cli.arguments import Commands


def add_parser(commands: Commands) -> None:
    """Add the command."""
    parser = new_command(
        commands, "evaluate", "compare the figures on the model cards with the raw data",
        "Recompute every held-out figure of a model card from the weights and the raw data; without NAME, of every\n"
        "card in the folder. The exit code is 1 if a figure differs from its card.",
        "evaluate tc --data raw_data",
    )  # fmt: skip
    parser.add_argument("name", nargs="?", choices=EVALUATED, metavar="NAME", help=", ".join(EVALUATED))
    add_data_option(parser)
    parser.add_argument("--checkpoints", type=Path, default=CHECKPOINTS, metavar="DIR", help="default: checkpoints/")
    parser.add_argument("--samples", action="store_true",
                        help="the figures of samples instead, which are drawn again, for an hour on a CPU: "
                             + ", ".join(SAMPLED))  # fmt: skip
    parser.add_argument("--write", action="store_true", help="write the recomputed figures to the cards")
    parser.set_defaults(command=evaluate)


def evaluate(options: argparse.Namespace) -> int:
    """Print every figure beside that of the card; exit code 1 if a figure differs and --write is not given."""
    from core.training import data, evaluation

    folder = data.data_folder(options.data)
    different = 0
    for name in [options.name] if options.name else _models_in(options.checkpoints, options.samples):
        if options.samples:
            figures = evaluation.evaluate_samples(name, folder, options.checkpoints, PROJECT / "build")
        else:
            figures = evaluation.evaluate(name, folder, options.checkpoints)
        print(name)
        for figure in figures:
            verdict = "ok" if figure.agrees else "DIFFERS"
            card, found = figure_text(figure.on_card), figure_text(figure.found)
            print(f"  {figure.name}: {card} on the card, {found} found, {verdict}")
        different += sum(not figure.agrees for figure in figures)
        if options.write:
            part = "samples" if options.samples else "metrics_held_out"
            evaluation.write(name, figures, options.checkpoints, part)
    print(f"{different} figures differ from their card." if different else "All model cards match the data.")
    return 1 if different and not options.write else 0


def _models_in(folder: Path, sampled: bool) -> list[str]:
    """Names of the models whose card is in the folder. sampled : only those that have figures of samples"""
    from core.predictors import checkpoint

    return [name for name in (SAMPLED if sampled else EVALUATED) if checkpoint.paths(name, folder)[1].exists()]
