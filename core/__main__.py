"""The command line: python -m core --help.

Exit codes: 0 all went well; 1 a row, or the run, was bad; 2 wrong usage or wrong input. Modules that take seconds to
import are imported by the command that needs them, so that --help is quick.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import InputError
from core.paths import ASSETS, CHECKPOINTS, PROJECT

if TYPE_CHECKING:
    import pandas as pd

    from core.problem.problem import DesignProblem

TRAINED = ("tc", "judge", "formation-energy", "formation-energy-ensemble", "tc-ensemble", "references", "elements")
EVALUATED = ("tc", "judge", "formation-energy", "formation-energy-ensemble", "tc-ensemble", "references")
PREDICTORS = ("best", "published")
BENCHMARKS = {
    "table1": "KIAGO: what whole numbers of atoms cost, by integer loss and by rounding",
    "table2": "KIAGO: higher Tc from known superconductors, against element substitution",
    "table5-7": "KIAGO: one element substituted; success, neutrality, gain",
    "table8": "KIAGO: the best substitutions beside the best known ones",
    "table9-10": "KIAGO: hydrides",
    "figure3": "KIAGO: starts from a known superconductor, and at random",
    "gdmcd-table2": "GDMCD: whole numbers of atoms, with and without exempt elements",
    "neutral": "bases of table 2: proposals that pass the charge screens, by plain rounding and by ours",
    "exploitation": "bases of table 2: the gain that the model claims, and what a judge sees of it",
    "speed": "candidate-steps per second of a plain loop and of ours, memory, screens",
    "time-to-quality": "seconds until ours is as good as a plain run of 4,096 x 1,000",
}
BEST_COLUMNS = {
    "rank": "Rank",
    "formula": "Formula",
    "tc_K": "Tc (K)",
    "tc_gain_K": "Gain (K)",
    "formation_energy_eV_per_atom": "Ef (eV/atom)",
    "energy_above_hull_eV_per_atom": "Above hull",
    "passes": "Passes",
    "nearest_known": "Nearest known",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code. Wrong usage ends in SystemExit(2), as argparse does."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # formulas and messages are not always ASCII, terminals sometimes are
            stream.reconfigure(errors="replace")
    options = _parser().parse_args(arguments)
    try:
        return options.command(options)
    except InputError as error:
        print(error.message, file=sys.stderr)
        if error.pointer():
            print(error.pointer(), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 1
    except RuntimeError as error:
        from core.predictors.checkpoint import CheckpointError

        if not isinstance(error, CheckpointError):
            raise
        print(error, file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m core",
        description="Tc Studio: predict, screen and design superconductor compositions.",
        epilog="python -m core COMMAND --help shows an example of each command.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_assessment(
        commands, "predict", "critical temperature and formation energy of formulas",
        "Predict the critical temperature (K) and the formation energy (eV/atom) from the composition alone.",
    )  # fmt: skip
    _add_assessment(
        commands, "screen", "the same, and charge balance, stability, nearest known superconductor",
        "Predict, and test what a chemist would ask first: can the charges balance, is it more stable than the\n"
        "compounds it competes with, and which known superconductor is it close to?",
    )  # fmt: skip
    _add_design(commands)
    _add_run(commands)
    _add_train(commands)
    _add_evaluate(commands)
    _add_benchmark(commands)
    return parser


def _add(commands, name: str, summary: str, description: str, example: str) -> argparse.ArgumentParser:
    return commands.add_parser(
        name,
        help=summary,
        description=description,
        epilog=f"example:\n  python -m core {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _add_assessment(commands, name: str, summary: str, description: str) -> None:
    example = (
        f'{name} LaFeAsO "La1.85Sr0.15CuO4"\n'
        f"  python -m core {name} --csv my_compounds.csv --out answers.csv\n\n"
        "A formula may have any amounts and brackets; put it in quotes if it has brackets. A CSV file needs a column\n"
        "named formula, or the formulas in its first column; other columns are ignored. Rows that cannot be read are\n"
        "kept, with the reason in the column error, and the exit code is 1."
    )
    parser = _add(commands, name, summary, description, example)
    parser.add_argument("formulas", nargs="*", metavar="FORMULA", help="a chemical formula, for example LaFeAsO")
    parser.add_argument("--csv", type=Path, metavar="IN", help="read the formulas from this CSV file instead")
    parser.add_argument("--out", type=Path, metavar="OUT", help="write the CSV here instead of on the screen")
    _add_predictor(parser, "best")
    if name == "screen":
        parser.add_argument(
            "--every-atom", action="store_true",
            help="let every atom take its own oxidation state, as in hydrides and doped compounds (KIAGO 3.6); "
                 "default: one state per element, and the Pauling test",
        )  # fmt: skip
    parser.set_defaults(command=_assess, assessment=name, parser=parser)


def _add_design(commands) -> None:
    parser = _add(
        commands, "design", "search for new compositions from a problem file",
        "Search for compositions with a higher critical temperature, starting from a known material. The problem is a\n"
        "JSON file, as the app exports it; the folder receives the candidates (candidates.csv) and all else about the\n"
        "run. Ctrl-C stops it; python -m core run FOLDER goes on from there.",
        "design assets/examples/lafeaso.json --out my_run\n"
        "  python -m core design problem.json --out quick --candidates 64 --steps 50 50\n\n"
        'The smallest problem is {"base": "LaFeAsO"}.',
    )  # fmt: skip
    parser.add_argument("problem", type=Path, metavar="PROBLEM.json", help="what to search for")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="a new folder for the run")
    parser.add_argument("--candidates", type=int, metavar="N", help="compositions optimised at once")
    parser.add_argument("--steps", type=int, nargs=2, metavar=("A", "B"), help="steps of the two stages")
    parser.add_argument("--seed", type=int, metavar="S", help="another seed gives other candidates")
    parser.add_argument("--device", metavar="D", help="auto, cpu, cuda or mps")
    parser.add_argument("--precision", metavar="P", help="of the steps: auto, float32 or bfloat16")
    parser.add_argument("--method", metavar="M", help="gradient (KIAGO), or substitution: C-ES, the paper's baseline")
    _add_predictor(parser, "what the problem says")
    parser.set_defaults(command=_design)


def _add_predictor(parser: argparse.ArgumentParser, usual: str) -> None:
    parser.add_argument(
        "--predictor", choices=PREDICTORS, metavar="P",
        help=f"best, or published: ResNet18 and ElemNet as in the papers; default: {usual}",
    )  # fmt: skip


def _add_run(commands) -> None:
    parser = _add(
        commands, "run", "do a run that lies in a folder, or go on with it",
        "Do the run whose problem.json lies in the folder, or go on with one that was interrupted. Runs side by side\n"
        "in one folder take turns (TC_STUDIO_WORKERS says how many work at once). The app starts its runs with this.",
        "run my_run",
    )  # fmt: skip
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="the run's folder; - reads it from standard input")
    parser.set_defaults(command=_run)


def _add_train(commands) -> None:
    parser = _add(
        commands, "train", "make one of the files in checkpoints/ again from the raw data",
        "Train a predictor, or build a table, again from the raw data. An interrupted training goes on where it was.",
        "train tc --data ../shared/data",
    )  # fmt: skip
    parser.add_argument("name", choices=TRAINED, metavar="NAME", help=", ".join(TRAINED))
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of the raw data (or TC_STUDIO_DATA)")
    parser.add_argument("--out", type=Path, default=CHECKPOINTS, metavar="DIR", help="default: checkpoints/")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the split and the training; default 0")
    parser.set_defaults(command=_train)


def _add_evaluate(commands) -> None:
    parser = _add(
        commands, "evaluate", "hold the figures on the cards of the models to the raw data",
        "Compute every held-out figure of a model's card again, from its weights and the raw data; without NAME, of\n"
        "all models that are there. The exit code is 1 if a card does not tell the truth.",
        "evaluate tc --data ../shared/data",
    )  # fmt: skip
    parser.add_argument("name", nargs="?", choices=EVALUATED, metavar="NAME", help=", ".join(EVALUATED))
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of the raw data (or TC_STUDIO_DATA)")
    parser.add_argument("--checkpoints", type=Path, default=CHECKPOINTS, metavar="DIR", help="default: checkpoints/")
    parser.add_argument("--write", action="store_true", help="put the figures found into the card")
    parser.set_defaults(command=_evaluate)


def _add_benchmark(commands) -> None:
    parser = _add(
        commands, "benchmark", "make the tables of the papers again, or measure the speed",
        "Make a table of the papers again with our models: the protocol of KIAGO and GDMCD, our figures beside\n"
        "theirs, and what the judge says. Writes NAME.csv, and NAME.json with the plot. What is done is kept in\n"
        "build/benchmarks/; a benchmark that was stopped goes on from there. Delete that folder to begin anew.\n\n"
        + "\n".join(f"  {name:<16}{summary}" for name, summary in BENCHMARKS.items()),
        "benchmark table2 --predictor published\n"
        "  python -m core benchmark table2 --candidates 256 --seeds 1 --bases LaNiAsO --out quick",
    )  # fmt: skip
    parser.add_argument("name", choices=BENCHMARKS, metavar="NAME", help="one of those above")
    parser.add_argument("--candidates", type=int, nargs="+", metavar="N",
                        help="compositions at once; default: 4096; speed: 256 1024 4096")  # fmt: skip
    parser.add_argument("--steps", type=int, nargs=2, metavar=("A", "B"), help="of the two stages; default: 500 500")
    parser.add_argument("--seeds", type=int, metavar="N", help="runs of each kind; default: 3")
    parser.add_argument("--bases", nargs="+", default=(), metavar="FORMULA", help="only these of the table")
    parser.add_argument("--device", metavar="D", help="auto, cpu, cuda or mps")
    parser.add_argument("--caution", type=float, metavar="K", help="kappa; default: 0, as in the papers")
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: assets/benchmarks/")
    _add_predictor(parser, "best")
    parser.set_defaults(command=_benchmark)


# predict, screen


def _assess(options: argparse.Namespace) -> int:
    if bool(options.formulas) == (options.csv is not None):
        options.parser.error("give formulas, or --csv with a file")
    formulas = options.formulas or read_formulas(options.csv)
    from core.evaluation import user_formulas
    from core.problem.problem import MODELS
    from core.problem.settings import EVERY_ATOM

    rule = {"charge_rule": EVERY_ATOM} if getattr(options, "every_atom", False) else {}
    table = getattr(user_formulas, options.assessment)(formulas, MODELS[options.predictor or "best"], **rule)
    _write_table(table, options.out)
    bad = int((table["error"] != "").sum())
    if bad:
        print(f"{bad} of {len(table)} rows could not be used; see the column error.", file=sys.stderr)
    return 1 if bad else 0


def read_formulas(path: Path) -> list[str]:
    """The formulas in a CSV file: the column named formula, else the first. Raises InputError.

    The first line is a header unless its first cell is itself a formula. Commas, semicolons and tabs are understood.
    """
    text = _text(path, "csv", "Save it as CSV in UTF-8")
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row]
    except csv.Error as error:
        raise InputError("csv", path, f"this is no CSV ({error})", "Save it as CSV in UTF-8") from None
    if not rows:
        raise InputError("csv", path, "there is nothing in this file", "Put one formula on each line")
    header = [cell.strip().lower() for cell in rows[0]]
    column = header.index("formula") if "formula" in header else 0
    start = 0 if "formula" not in header and _is_formula(rows[0][0]) else 1
    return [row[column] if column < len(row) else "" for row in rows[start:]]


def _text(path: Path, field: str, remedy: str) -> str:
    """The text of a UTF-8 file, with or without a byte-order mark. Raises InputError."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise InputError(field, path, "there is no such file", "Check the name") from None
    except UnicodeDecodeError:
        raise InputError(field, path, "this file is not text in UTF-8", remedy) from None
    except OSError as error:
        raise InputError(field, path, f"this file cannot be read ({error.strerror})", "Check the name") from None


def _is_formula(text: str) -> bool:
    from core.chemistry.composition import parse_formula

    try:
        parse_formula(text)
    except InputError:
        return False
    return True


def _write_table(table: pd.DataFrame, out: Path | None) -> None:
    from core.evaluation.table import to_csv

    if out is None:
        sys.stdout.write(to_csv(table))
        return
    from core.files import write_atomically

    try:
        write_atomically(out, to_csv(table))
    except OSError as error:
        raise InputError("out", out, f"this file cannot be written ({error.strerror})", "Name another") from None


# design, run


def _design(options: argparse.Namespace) -> int:
    from core.runs.status import Phase
    from core.runs.store import create_in

    run = create_in(_problem(options), options.out)
    status = _with_bar(run)
    if status.phase is Phase.INTERRUPTED:
        print(f"Stopped. To go on: python -m core run {run.folder}", file=sys.stderr)
    elif status.phase is not Phase.FINISHED:
        print(status.message or f"The run was {status.phase}.", file=sys.stderr)
    if status.phase is not Phase.FINISHED:
        return 1
    summary = run.summary()
    print(best_text(run.candidates()))
    print(f"\n{summary['n_passing']} candidates pass every screen; all are in {run.folder / 'candidates.csv'}")
    return 0


def _problem(options: argparse.Namespace) -> DesignProblem:
    """The problem file, with what the command line says instead. Raises InputError."""
    from core.problem.problem import MODELS, DesignProblem

    text = _text(options.problem, "problem", "Export the problem again")
    problem = DesignProblem.from_json(text)
    named = {"candidates": options.candidates, "steps": options.steps and tuple(options.steps)}
    settings = replace(problem.settings, **{k: v for k, v in named.items() if v is not None})
    named = {name: getattr(options, name) for name in ("seed", "device", "precision", "method")}
    if options.predictor:
        models = MODELS[options.predictor]
        named |= {"tc_predictor": models.tc, "formation_energy_predictor": models.formation_energy}
    return replace(problem, settings=settings, **{k: v for k, v in named.items() if v is not None})


def _with_bar(run):
    """Do the run in this process with a progress bar; returns its last status."""
    from tqdm import tqdm

    from core.executors.in_process import InProcessExecutor
    from core.runs.status import Phase

    with tqdm(unit="step", file=sys.stderr) as bar:

        def show(status) -> None:
            bar.total = status.total_steps
            screening = status.phase is Phase.SCREENING
            bar.set_description("screening" if screening else f"stage {status.stage}", refresh=False)
            bar.update(status.step - bar.n)

        executor = InProcessExecutor(show)
        executor.submit(run)
        return executor.poll(run)


def best_text(candidates: pd.DataFrame, count: int = 10) -> str:
    """The first rows of a candidate table as aligned text; numbers to the digits of their columns."""
    from core.evaluation.table import BY_NAME

    def cell(name: str, value: object) -> str:
        if value != value or value == "":
            return "-"
        if name == "passes":
            return "yes" if value else "no"
        digits = BY_NAME[name].digits
        return f"{value:.{digits}f}" if digits is not None else str(value)

    rows = [list(BEST_COLUMNS.values())]
    for record in candidates.head(count).to_dict("records"):
        rows.append([cell(name, record[name]) for name in BEST_COLUMNS])
    widths = [max(len(row[i]) for row in rows) for i in range(len(BEST_COLUMNS))]
    left = [name in ("formula", "passes", "nearest_known") for name in BEST_COLUMNS]
    return "\n".join(
        "  ".join(c.ljust(w) if at else c.rjust(w) for c, w, at in zip(row, widths, left, strict=True)).rstrip()
        for row in rows
    )


def _run(options: argparse.Namespace) -> int:
    from core.executors.worker import FOLDER_FROM_STDIN, receive_folder, work
    from core.runs.status import Phase

    folder = receive_folder() if str(options.folder) == FOLDER_FROM_STDIN else options.folder
    if folder is None:
        return 0
    status = work(folder)
    print(status.message or f"The run is {status.phase}.", file=sys.stderr)
    return 0 if status.phase is Phase.FINISHED else 1


# train, evaluate


def _train(options: argparse.Namespace) -> int:
    if options.name == "elements":
        from core.training.element_table import write_element_table

        write_element_table(ASSETS / "elements.json")
        return 0
    from core.training import control_model, data, formation_energy, references, tc, tc_ensemble

    if options.name in formation_energy.RECIPES:
        train = partial(formation_energy.train, recipe=formation_energy.RECIPES[options.name])
    else:
        train = {"tc": tc, "tc-ensemble": tc_ensemble, "judge": control_model, "references": references}[
            options.name
        ].train
    card = train(data.data_folder(options.data), options.out, options.seed, PROJECT / "build")
    from core.training.evaluation import flat

    for name, value in flat(card["metrics_held_out"]).items():
        print(f"{name}: {_short(value)}")
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    from core.predictors import checkpoint
    from core.training import data, evaluation

    folder = data.data_folder(options.data)
    there = [n for n in EVALUATED if checkpoint.paths(n, options.checkpoints)[1].exists()]
    lies = 0
    for name in [options.name] if options.name else there:
        figures = evaluation.evaluate(name, folder, options.checkpoints)
        print(name)
        for figure in figures:
            mark = "ok" if figure.agrees else "DIFFERS"
            print(f"  {figure.name}: {_short(figure.on_card)} on the card, {_short(figure.found)} found, {mark}")
        lies += sum(not figure.agrees for figure in figures)
        if options.write:
            evaluation.write(name, figures, options.checkpoints)
    print(f"{lies} figures differ from their card." if lies else "Every card tells the truth.")
    return 1 if lies and not options.write else 0


def _benchmark(options: argparse.Namespace) -> int:
    from core.benchmarks import harness, registry

    pairs = {name: getattr(options, name) for name in ("candidates", "steps", "bases")}
    named = {name: value and tuple(value) for name, value in pairs.items()}
    named |= {name: getattr(options, name) for name in ("seeds", "device", "predictor", "caution")}
    given = {name: value for name, value in named.items() if value not in (None, ())}
    given["say"] = lambda line: print(line, file=sys.stderr, flush=True)
    name, outcome = registry.carry_out(options.name, given)
    print(harness.text(outcome.table))
    for sentence in outcome.sentences:
        print(sentence)
    for path in harness.write(outcome, name, options.out or ASSETS / "benchmarks"):
        print(path, file=sys.stderr)
    return 0


def _short(value: float | None) -> str:
    """A figure to four digits; a count as it is."""
    return "nothing" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    # Threads that wait for each other sleep instead of spinning. Where another program wants the processors too, the
    # same steps then take a fifth of the time. It must be said before torch is imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    sys.exit(main())
