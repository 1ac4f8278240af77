"""Hostile input at every door of the engine: a right answer or a clear error, never a traceback, nothing slow.

The inputs are made from valid ones by seeded random changes, so that a case that fails can be repeated.
"""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from core.benchmarks.harness import Outcome
from core.chemistry.formula_lists import split_formulas
from core.chemistry.formula_reader import read_members
from core.errors import InputError
from core.evaluation.csv_export import to_csv
from core.generation.validation import check
from core.limits import RULE_CHARACTERS, SHOWN_CHARACTERS
from core.paths import CHECKPOINTS
from core.predictors import checkpoint
from core.predictors.checkpoint import CheckpointError
from core.predictors.registry import load_predictor
from core.problem.problem import DesignProblem
from core.problem.settings import OptimiserSettings
from core.problem.substitution_sites import Site
from core.runs import index, layout, store
from core.runs.rebuild import rebuild
from core.runs.run import Run

SLOW_S = 2.0
LONGEST_MESSAGE = SHOWN_CHARACTERS + 2 * RULE_CHARACTERS + 100
MARK = "Qq"  # of long values: a message must not repeat more than SHOWN_CHARACTERS of it
_IDENTITY = ("architecture", "name", "role")  # of a card: what the registry and the file name say
_EXPECTED = (InputError, CheckpointError, FileNotFoundError)

_TEXTS = (
    "", " ", "\0", "MgB2", "YBa2Cu3O7-d", "La2-xSrxCuO4, x = 0..0.3 in 7 steps", "((((", "H" + "9" * 400, "Fe1e999",
    "Fe1e-300", "\ud800", "＝1+1", "=cmd|'/c'!A1", "<script>alert(1)</script>", "../../etc/passwd", "%00", "𝔽𝕖",
    "x" * 300, MARK * 5_000, "(" * 1_500 + "Fe" + ")" * 1_500, "Fe" * 1_200, "x = 0..1 in 99999999 steps",
    "LaFeAsO, x=1e400", "Fe" + "\u0301" * 500, "\u202eOsAeFaL", "nan", "1/0", "Fe1/0As",
)  # fmt: skip
_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 10**18, -(10**18), 10**400, 1e308, -1e308, 5e-324, 1e-12, float("inf"), float("nan"),
    "", [], {}, [[]], {"": {}}, [1, 2], ["Fe"], {"Fe": 0.5}, {"Fe": 1e-12}, {"Fe": 10**400}, {MARK: MARK * 300},
    [None, None], [1e400, 1], *_TEXTS,
)  # fmt: skip


@dataclass(frozen=True)
class HostileOptions:
    """Options of the attack.

    cases : number of inputs, over all doors
    seed : of the random changes
    log : called with one line for every case that fails
    """

    cases: int = 10_000
    seed: int = 0
    log: Callable[[str], None] = lambda line: None

    @property
    def file_suffix(self) -> str:
        """Empty."""
        return ""


@dataclass(frozen=True)
class Door:
    """A way into the engine.

    name : for the table
    use : carries out one case with its own random numbers; raises what the engine raises
    share : of all cases
    """

    name: str
    use: Callable[[random.Random], object]
    share: float


@dataclass(frozen=True)
class Case:
    """The outcome of one case. failed : why it is no right answer and no clear error; "" otherwise"""

    answered: bool
    failed: str
    seconds: float


def hostile(options: HostileOptions) -> Outcome:
    """Attack every door: cases, answers, clear errors, failures and the slowest case of each."""
    lines = []
    with attacked_doors() as doors:
        for door in doors:
            count = max(1, round(options.cases * door.share))
            cases = [attack(door, f"{options.seed}/{door.name}/{i}", options.log) for i in range(count)]
            lines.append(
                {
                    "door": door.name, "cases": count, "answers": sum(c.answered for c in cases),
                    "clear_errors": sum(not c.answered and not c.failed for c in cases),
                    "failures": sum(bool(c.failed) for c in cases),
                    "slower_than_2_s": sum(c.seconds > SLOW_S for c in cases),
                    "slowest_s": max(c.seconds for c in cases),
                }
            )  # fmt: skip
    table = pd.DataFrame(lines)
    failures, slow = int(table["failures"].sum()), int(table["slower_than_2_s"].sum())
    sentence = f"{table['cases'].sum():,} hostile inputs: {failures} failures, {slow} slower than {SLOW_S:g} s."
    about = {"cases": options.cases, "seed": options.seed}
    return Outcome(table, (sentence,), {"data": [], "layout": {}}, about)


def attack(door: Door, seed: str, log: Callable[[str], None] = lambda line: None) -> Case:
    """Carry out one case. seed : of its random numbers; repeats the case"""
    began = time.perf_counter()
    answered, failed = False, ""
    try:
        door.use(random.Random(seed))
        answered = True
    except _EXPECTED as error:
        message = str(error)
        if len(message) > LONGEST_MESSAGE or message.count(MARK) > SHOWN_CHARACTERS:
            failed = f"a message of {len(message):,} characters"
    except Exception as error:  # whatever it is, it is what the attack is looking for
        failed = f"{type(error).__name__}: {str(error)[:200]}"
    seconds = time.perf_counter() - began
    if failed or seconds > SLOW_S:
        log(f"{door.name}, case {seed}: {failed or 'slow'}, {seconds:.1f} s")
    return Case(answered and not failed, failed, seconds)


@contextmanager
def attacked_doors() -> Generator[tuple[Door, ...]]:
    """All doors; a run and a checkpoint to damage are made for them, and removed afterwards."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        run = finished_run(folder / "whole")
        yield (
            Door("formula", _formula, 0.3),
            Door(
                "list of formulas", lambda chance: split_formulas("\n".join(_some_text(chance) for _ in range(4))), 0.1
            ),
            Door("problem as JSON", _problem_text, 0.3),
            Door("problem in Python", _problem, 0.15),
            Door("cell of a CSV", _cell, 0.05),
            Door("run folder", lambda chance: _run_folder(chance, run, folder / "runs"), 0.07),
            Door("checkpoint", lambda chance: _checkpoint(chance, folder / "checkpoints"), 0.03),
        )


def finished_run(folder: Path) -> Run:
    """A small finished run, to be damaged."""
    from core.executors.in_process import InProcessExecutor

    problem = DesignProblem(base="LaFeAsO", settings=OptimiserSettings(candidates=4, steps=(2, 2)), device="cpu")
    run = store.create_in(problem, folder)
    InProcessExecutor().submit(run)
    return run


# ---- the doors -----------------------------------------------------------------------------------------------------


def _some_text(chance: random.Random) -> str:
    """A hostile text, or a valid formula with some characters changed."""
    if chance.random() < 0.4:
        return chance.choice(_TEXTS)
    text = list(chance.choice(("LaFeAsO", "YBa2Cu3O7", "La1.85Sr0.15CuO4", "Ba(Fe0.9Co0.1)2As2", "CuSO4·5H2O")))
    for _ in range(chance.randint(1, 4)):
        text.insert(
            chance.randrange(len(text) + 1), chance.choice([*"()[]{}.,;:-+=/~^_$0123456789 \t\n", "x", "δ", "₂", "Fe"])
        )
    return "".join(text) * chance.choice((1, 1, 1, 2, 40))


def _value(chance: random.Random) -> Any:
    """A hostile value, copied: a later change inside it must not reach the next case, which could not be repeated."""
    return deepcopy(chance.choice(_VALUES))


def _formula(chance: random.Random) -> None:
    read_members(_some_text(chance), chance.random() < 0.5)


def _problem_text(chance: random.Random) -> None:
    """A valid problem as JSON, some values replaced, or the text itself damaged."""
    stored = json.loads(_valid_problem(chance).to_json())
    for _ in range(chance.randint(1, 3)):
        place = chance.choice([stored, stored, stored["settings"]])
        key = chance.choice([*place, "unknown"])
        place[key] = _value(chance)
        if not isinstance(stored.get("settings"), dict):
            break
    text = json.dumps(stored)
    if chance.random() < 0.2:
        cut = chance.randrange(len(text))
        text = chance.choice(
            (text[:cut], text[:cut] + "\0" + text[cut:], "[" * 1_100 + text, text * 3, "\ufeff" + text)
        )
    for error in check(DesignProblem.from_json(text)):
        raise error


def _valid_problem(chance: random.Random) -> DesignProblem:
    if chance.random() < 0.3:
        return DesignProblem(
            base="LaFeAsO", task="substitute", sites=(Site("La", 3, atoms=chance.choice((None, 0.5))),)
        )
    return DesignProblem(base="LaFeAsO", fixed={"Fe": 0.25}, floors={"O": 0.1}, bounds={"Cu": (0.0, 0.5)})


def _problem(chance: random.Random) -> None:
    """A problem built in Python, with numbers of any size and kind."""
    number = chance.choice([v for v in _VALUES if isinstance(v, int | float)])
    name = chance.choice(
        ("candidates", "max_elements", "learning_rate", "risk_aversion", "target_tc_K", "least_distance")
    )
    changes: tuple[dict[str, Any], ...] = (
        {"settings": replace(OptimiserSettings(), **{name: number})},
        {"settings": replace(OptimiserSettings(), steps=(number, number))},
        {"seed": number}, {"fixed": {"Fe": number}}, {"floors": {"O": number}}, {"bounds": {"Fe": (number, number)}},
        {"ratios": ({"Ba": number, "Y": 1},)}, {"tc_predictor": chance.choice(_TEXTS)}, {"base": chance.choice(_TEXTS)},
        {"task": "substitute", "sites": (Site("La", 3, atoms=number),)},
        {"task": "substitute", "sites": (Site("La", number, number),)},
        {"method": chance.choice(_TEXTS)}, {"forbidden": (chance.choice(_TEXTS),)},
    )  # fmt: skip
    for error in check(replace(DesignProblem(base="LaFeAsO"), **chance.choice(changes))):
        raise error


def _cell(chance: random.Random) -> None:
    """Text with a sign behind blanks; a cell of the CSV must not begin a formula."""
    blanks = "".join(chance.choice(" \u00a0\u200b\u3000\ufeff\t\v\u2028") for _ in range(chance.randint(0, 3)))
    text = blanks + chance.choice("=+-@＝＋－＠﹦﹢") + _some_text(chance).replace("\0", "").replace("\ud800", "")
    cell = to_csv(pd.DataFrame({"formula": [text]}), header=False).removeprefix('"')
    if not cell.startswith("'"):
        raise AssertionError(f"a spreadsheet reads {cell[:40]!r} as a formula")


def _run_folder(chance: random.Random, whole: Run, runs: Path) -> None:
    """A finished run with damaged files: read, listed, rebuilt, read again."""
    shutil.rmtree(runs, ignore_errors=True)
    shutil.copytree(whole.folder, runs / "run")
    run = Run(runs / "run")
    for _ in range(chance.randint(1, 3)):
        _damage(chance, run.folder / chance.choice((layout.PROBLEM, *layout.FILES)))
    _read_all(run)
    index.entries(runs)
    rebuild(run)
    _read_all(run)
    if (run.folder / layout.CSV).is_file() and run.status().phase == "finished" and run.csv() != whole.csv():
        raise AssertionError("another table is served")


def _read_all(run: Run) -> None:
    """Every reader; an expected error of one does not keep the others from being tried."""
    for read in (run.problem, run.created, run.status, run.progress, run.top, run.averaged_steps, run.candidates,
                 run.csv, run.summary, run.provenance, run.damages, lambda: run.trajectory(0)):  # fmt: skip
        try:
            read()
        except _EXPECTED as error:
            if len(str(error)) > LONGEST_MESSAGE:
                raise AssertionError("a long message") from error


def _damage(chance: random.Random, path: Path) -> None:
    """Remove a file, replace it by a folder, or change its bytes."""
    content = path.read_bytes() if path.is_file() else b""
    if path.is_dir():
        return
    kind = chance.randrange(6)
    if kind == 0:
        path.unlink(missing_ok=True)
    elif kind == 1:
        path.unlink(missing_ok=True)
        path.mkdir()
    elif kind == 2:
        path.write_bytes(content[: chance.randint(0, len(content))])
    elif kind == 3:
        path.write_bytes(bytes(len(content)))
    elif kind == 4:
        path.write_bytes(json.dumps(chance.choice([v for v in _VALUES if not isinstance(v, str)])).encode())
    else:
        changed = bytearray(content or b"{}")
        for _ in range(chance.randint(1, 9)):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        path.write_bytes(changed)


def _checkpoint(chance: random.Random, folder: Path) -> None:
    """A checkpoint with a changed card, or changed weights under a card with their new checksum."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    name, other = chance.choice((("formation-energy", "tc"), ("tc", "formation-energy"), ("tc", "tc-ensemble")))
    weights, card_path = checkpoint.paths(name, folder)
    card = json.loads(checkpoint.paths(name, CHECKPOINTS)[1].read_bytes())
    content = checkpoint.paths(name, CHECKPOINTS)[0].read_bytes()
    kind, field = chance.randrange(4), ""
    if kind == 0:  # another model under this name
        card = json.loads(checkpoint.paths(other, CHECKPOINTS)[1].read_bytes())
        content = checkpoint.paths(other, CHECKPOINTS)[0].read_bytes()
    elif kind == 1:
        field = chance.choice([*_IDENTITY, "settings", "known_elements"])
        card[field] = _value(chance)
        if chance.random() < 0.3:
            del card[field]
    elif kind == 2:  # an absurd shape in the header
        length = int.from_bytes(content[:8], "little")
        header = json.loads(content[8 : 8 + length])
        tensor = chance.choice([key for key in header if key != "__metadata__"])
        header[tensor][chance.choice(("shape", "data_offsets", "dtype"))] = chance.choice(
            (*_VALUES[:20], [10**9] * 3, [0])
        )
        text = json.dumps(header).encode()
        content = len(text).to_bytes(8, "little") + text + content[8 + length :]
    else:
        content = content[: chance.randrange(len(content))]
    weights.write_bytes(content)
    card_path.write_text(json.dumps({**card, "sha256": hashlib.sha256(content).hexdigest()}))
    load_predictor(name, folder)
    if kind in (0, 2, 3) or field in _IDENTITY:
        raise AssertionError("a tampered checkpoint was accepted")
