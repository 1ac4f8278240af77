"""python -m core design: create a run from a problem file and carry it out in this process."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.arguments import add_predictor_option, new_command
from core.cli.input_files import read_text
from core.cli.progress import work_with_bar
from core.cli.tables import best_text

if TYPE_CHECKING:
    from core.cli.arguments import Commands
    from core.problem.problem import DesignProblem


def add_parser(commands: Commands) -> None:
    """Add the command."""
    parser = new_command(
        commands, "design", "design new compositions for a problem file",
        "Search for compositions with a higher critical temperature, starting from a known material. The problem is a\n"
        "JSON file, as exported by the app. The folder receives the candidates (candidates.csv) and the record of the\n"
        "run. Ctrl-C stops the run; python -m core run FOLDER resumes or, with --keep, ends it.",
        "design assets/examples/1-raise-tc-of-LaFeAsO.json --out my_run\n"
        "  python -m core design problem.json --out quick --candidates 64 --steps 50 50\n\n"
        'The smallest problem is {"base": "LaFeAsO"}. Options override the problem file.',
    )  # fmt: skip
    parser.add_argument("problem", type=Path, metavar="PROBLEM.json", help="the problem file")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="a new folder for the run")
    parser.add_argument("--candidates", type=int, metavar="N", help="number of compositions optimised together")
    parser.add_argument("--steps", type=int, nargs=2, metavar=("A", "B"), help="steps of stage 1 and of stage 2")
    parser.add_argument("--seed", type=int, metavar="S", help="seed of the random numbers")
    parser.add_argument("--device", metavar="D", help="auto, cpu, cuda or mps")
    parser.add_argument("--precision", metavar="P", help="of the steps: auto, float32, tf32 (GPU) or bfloat16")
    parser.add_argument(
        "--method",
        metavar="M",
        help="method that proposes compositions: gradient (KIAGO), substitution (C-ES), or another registered one",
    )
    add_predictor_option(parser, "as in the problem file")
    parser.set_defaults(command=design)


def design(options: argparse.Namespace) -> int:
    """Create the run, carry it out, print the best candidates; exit code 1 unless the run has finished."""
    from core.evaluation.headline import headline
    from core.runs.status import Phase
    from core.runs.store import create_in
    from core.screening.registry import listed

    run = create_in(problem_of(options), options.out)
    status = work_with_bar(run)
    if status.phase is Phase.INTERRUPTED:
        print(f"Stopped. To resume: python -m core run {run.folder}", file=sys.stderr)
        print(f"To keep the candidates so far: python -m core run {run.folder} --keep", file=sys.stderr)
    elif status.phase is not Phase.FINISHED:
        print(status.message or f"The run is {status.phase}.", file=sys.stderr)
    if status.phase is not Phase.FINISHED:
        return 1
    summary, candidates = run.summary(), run.candidates()
    print(best_text(candidates))
    found = headline(candidates, summary["base"])
    sentence = found.sentence(run.problem().base, summary["base"]["tc_K"])
    print("\n" + " ".join(filter(None, (sentence or "No candidate passes every screen.", found.verdict))))
    print(f"Screens: {listed(run.problem().charge_rule)}.")
    print(f"All candidates are in {run.folder / 'candidates.csv'}")
    return 0


def problem_of(options: argparse.Namespace) -> DesignProblem:
    """The problem in the file, with the options of the command line applied.

    Raises InputError if the file cannot be read or holds no problem.
    """
    from core.predictors.registry import MODELS
    from core.problem.problem import DesignProblem

    problem = DesignProblem.from_json(read_text(options.problem, "problem", "Export the problem again"))
    steps = tuple(options.steps) if options.steps else None
    settings = replace(problem.settings, **_given(candidates=options.candidates, steps=steps))
    models = MODELS[options.predictor] if options.predictor else None
    changes = _given(
        seed=options.seed, device=options.device, precision=options.precision, method=options.method,
        tc_predictor=models and models.tc, formation_energy_predictor=models and models.formation_energy,
    )  # fmt: skip
    return replace(problem, settings=settings, **changes)


def _given(**values) -> dict:
    """The options that were given."""
    return {name: value for name, value in values.items() if value is not None}
