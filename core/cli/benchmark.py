"""python -m core benchmark: reproduce a table of the papers, or measure the speed."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from core.benchmarks.paper import METHODS
from core.benchmarks.registry import BENCHMARKS
from core.cli.arguments import add_predictor_option, new_command
from core.paths import ASSETS

if TYPE_CHECKING:
    from core.cli.arguments import Commands


STORED = ASSETS / "benchmarks"


def add_parser(commands: Commands) -> None:
    """Add the command."""
    wide = max(map(len, BENCHMARKS)) + 2
    parser = new_command(
        commands, "benchmark", "reproduce the tables of the papers, or measure the speed",
        "Reproduce a table of the papers with our models: the protocol of KIAGO and GDMCD, our results beside\n"
        "the published ones, and the predictions of the control model. Writes NAME.csv, and NAME.json with the plot.\n"
        "Finished parts are kept in build/benchmarks/, so that an interrupted benchmark resumes; delete that folder\n"
        "to start again.\n\n"
        + "\n".join(f"  {name:<{wide}}{benchmark.summary}" for name, benchmark in BENCHMARKS.items()),
        "benchmark table2 --predictor published\n"
        "  python -m core benchmark table2 --candidates 256 --seeds 1 --bases LaNiAsO --out quick",
    )  # fmt: skip
    parser.add_argument("name", choices=BENCHMARKS, metavar="NAME", help="one of the benchmarks above")
    parser.add_argument("--candidates", type=int, nargs="+", metavar="N",
                        help="compositions optimised together; default: 4096; speed: 256 1024 4096")  # fmt: skip
    parser.add_argument(
        "--steps", type=int, nargs=2, metavar=("A", "B"), help="steps of the two stages; default: 500 500"
    )
    parser.add_argument("--seeds", type=int, metavar="N", help="number of runs of each kind; default: 3")
    parser.add_argument(
        "--seconds", type=float, metavar="T", help="search: time of each search; default: 30. load: default: 120"
    )
    parser.add_argument("--rival-seconds", type=float, metavar="T",
                        help="search: time of the genetic search whose end memetic search has to reach; default: the "
                             "same as all others")  # fmt: skip
    parser.add_argument(
        "--per-element-set",
        type=int,
        metavar="K",
        help="search: most formulas with the same elements in the lines of table 2; default: 0, any",
    )
    parser.add_argument("--margin", type=float, metavar="K", dest="margin_K",
                        help="search: a rival that is behind by more than K kelvin with the first seed has no further "
                             "seeds; inf: all have the same; default: 0.5")  # fmt: skip
    parser.add_argument("--kept", type=Path, metavar="FILE", nargs="?", const=STORED / "search-parts.jsonl",
                        help="search: take finished searches from FILE and add those that were missing; default of "
                             "FILE: the one beside the stored table")  # fmt: skip
    parser.add_argument("--cases", type=int, metavar="N", help="hostile: number of inputs; default: 10000")
    parser.add_argument("--count", type=int, metavar="N",
                        help="structure-hull: number of structures; default: 300. example-structures: candidates of "
                             "an example; default: 10. crystal-guidance: crystals of each kind; default: 1000. "
                             "crystal-prediction: samples of each formula; default: 20. crystal-funnel: crystals; "
                             "default: 1000. crystal-constraints: crystals of each kind; default: 500. "
                             "relaxed-prediction: formulas of each kind; default: all"
                        )  # fmt: skip
    parser.add_argument(
        "--samples",
        type=int,
        metavar="N",
        help="SuperDiff in the tables, and superdiff: samples of each base or class; default: 1024",
    )
    parser.add_argument("--relaxed", type=int, metavar="N",
                        help="crystal-guidance: crystals of each kind that are relaxed too; default: 200. "
                             "crystal-funnel: crystals that are placed on the hull; default: 100")  # fmt: skip
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="structure-hull, crystal-guidance, crystal-prediction, relaxed-prediction: folder of the raw data",
    )
    parser.add_argument("--seed", type=int, metavar="S",
                        help="hostile, durability: seed of the random numbers; another one makes the same attack with "
                             "other inputs; default: 0")  # fmt: skip
    parser.add_argument("--kills", type=int, metavar="N", help="durability: number of kills; default: 100")
    parser.add_argument("--users", type=int, metavar="N", help="load: sessions at the same time; default: 20")
    parser.add_argument("--reloads", type=int, metavar="N",
                        help="load: reloads of pages after the measurement, for the memory; default: 500")  # fmt: skip
    parser.add_argument("--bases", nargs="+", default=(), metavar="FORMULA", help="only these bases of the table")
    parser.add_argument("--methods", nargs="+", default=(), metavar="METHOD",
                        help="carry out only these methods of a table: " + ", ".join(map(repr, METHODS))
                             + "; the others keep their stored results")  # fmt: skip
    parser.add_argument("--device", metavar="D", help="auto, cpu, cuda or mps")
    parser.add_argument("--risk-aversion", "--caution", type=float, metavar="K",
                        help="kappa: the optimiser maximises Tc minus kappa times its expected error; "
                             "default: 0, as in the papers")  # fmt: skip
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: assets/benchmarks/")
    add_predictor_option(parser, "best")
    parser.set_defaults(command=benchmark)


def benchmark(options: argparse.Namespace) -> int:
    """Carry out the benchmark, print the table and its conclusions, write the files."""
    from core.benchmarks import harness, registry

    name, outcome = registry.run_benchmark(options.name, given_options(options))
    print(harness.text(outcome.table))
    for sentence in outcome.sentences:
        print(sentence)
    for path in harness.write(outcome, name, options.out or STORED):
        print(path, file=sys.stderr)
    return 0


def given_options(options: argparse.Namespace) -> dict:
    """The options that were given, in the form of `run_benchmark`: lists as tuples, the log on standard error."""
    values = {name: getattr(options, name) for name in ("seeds", "seconds", "device", "predictor", "risk_aversion")}
    values |= {name: getattr(options, name) for name in ("per_element_set", "rival_seconds", "margin_K", "kept")}
    values |= {
        name: getattr(options, name)
        for name in ("cases", "seed", "kills", "users", "reloads", "count", "data", "relaxed", "samples")
    }
    values |= {name: tuple(getattr(options, name) or ()) for name in ("candidates", "steps", "bases", "methods")}
    given = {name: value for name, value in values.items() if value not in (None, ())}
    return given | {"log": lambda line: print(line, file=sys.stderr, flush=True)}
