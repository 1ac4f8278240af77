"""python -m core predict: critical temperature and formation energy of formulas."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from core.cli.assessment import new_assessment, write_assessment
from core.predictors.info import ENERGY_REFERENCES

if TYPE_CHECKING:
    from core.cli.arguments import Commands


def add_parser(commands: Commands) -> None:
    """Add the command."""
    parser = new_assessment(
        commands, "predict", "critical temperature and formation energy of formulas",
        "Predict the critical temperature (K) and the formation energy (eV/atom) from the composition alone.",
    )  # fmt: skip
    parser.add_argument(
        "--reference", choices=ENERGY_REFERENCES, default=ENERGY_REFERENCES[0],
        help="formation energy on the references of the Materials Project (mp, the default) or of OQMD (oqmd)",
    )  # fmt: skip
    parser.set_defaults(command=predict)


def predict(options: argparse.Namespace) -> int:
    """Write the predictions; exit code 1 if a formula cannot be used."""
    from core.evaluation.user_formulas import Assessor

    return write_assessment(options, Assessor.predict, reference=options.reference)
