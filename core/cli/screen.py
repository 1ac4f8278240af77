"""python -m core screen: predictions, charge neutrality, energy above hull and nearest known superconductor."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from core.cli.assessment import new_assessment, write_assessment

if TYPE_CHECKING:
    from core.cli.arguments import Commands


def add_parser(commands: Commands) -> None:
    """Add the command."""
    parser = new_assessment(
        commands, "screen", "predict, and screen charge neutrality, stability and novelty",
        "Predict Tc and formation energy, test charge neutrality, and compute the energy above the convex hull and\n"
        "the distance to the nearest known superconductor.",
    )  # fmt: skip
    parser.add_argument(
        "--every-atom", action="store_true",
        help="let every atom take its own oxidation state, as in hydrides and doped compounds (KIAGO 3.6); "
             "default: one state per element, and the Pauling test",
    )  # fmt: skip
    parser.add_argument(
        "--states", choices=("smact14", "icsd24"), default="smact14", metavar="SET",
        help="SMACT's set of oxidation states: smact14, as in the papers, or icsd24, reported in the ICSD of 2024; "
             "default: smact14",
    )  # fmt: skip
    parser.set_defaults(command=screen)


def screen(options: argparse.Namespace) -> int:
    """Write predictions and screens; exit code 1 if a formula cannot be used."""
    from core.evaluation.user_formulas import Assessor
    from core.problem.settings import EVERY_ATOM, ONE_STATE

    charge_rule = EVERY_ATOM if options.every_atom else ONE_STATE
    return write_assessment(options, Assessor.screen, charge_rule=charge_rule, state_set=options.states)
