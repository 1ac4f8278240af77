"""What all benchmarks share: the options, the results that are kept, and the files that come out.

A benchmark is a function: options -> `Outcome`. What takes long is kept in a working folder as soon as it is done,
under a name made of all that it depends on, so that a benchmark that was stopped goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from core.files import write_atomically, write_json
from core.paths import PROJECT
from core.predictors.checkpoint import read_card
from core.predictors.control_model import NAME as JUDGE
from core.predictors.device import resolve_device
from core.problem.problem import MODELS, DesignProblem, Models
from core.problem.settings import PAPER, OptimiserSettings
from core.reference_data.references import NAME as REFERENCES
from core.runs import layout, store
from core.runs.run import Run
from core.runs.status import Phase

WORK = PROJECT / "build" / "benchmarks"


@dataclass(frozen=True)
class Options:
    """How large a benchmark is.

    candidates : compositions at once; the papers take 4,096
    steps : of the two stages
    seeds : how many; they are 0, 1, 2, ...
    bases : only these, of those that the table has; empty: all
    predictor : key of `MODELS`
    caution : kappa, see OptimiserSettings; 0 in the papers
    beside : the checkpoints that the figures depend on beside the predictors
    work : folder of what is kept
    say : called with a line at each thing that is done
    """

    candidates: int = PAPER.candidates
    steps: tuple[int, int] = PAPER.steps
    seeds: int = 3
    bases: tuple[str, ...] = ()
    device: str = "auto"
    predictor: str = "best"
    caution: float = 0.0
    beside: tuple[str, ...] = (JUDGE, REFERENCES)
    work: Path = field(default_factory=lambda: WORK)
    say: Callable[[str], None] = field(default=lambda line: None, compare=False)

    @property
    def models(self) -> Models:
        """The predictors."""
        return MODELS[self.predictor]

    @property
    def settings(self) -> OptimiserSettings:
        """The paper's settings at this size."""
        return replace(PAPER, candidates=self.candidates, steps=self.steps, caution=self.caution)

    def problem(self, base: str, seed: int, **fields: object) -> DesignProblem:
        """A problem of the paper's with these predictors; `fields` say what is different."""
        given = {"settings": self.settings, "device": self.device} | fields
        return DesignProblem(
            base=base, seed=seed, tc_predictor=self.models.tc,
            formation_energy_predictor=self.models.formation_energy, **given,
        )  # fmt: skip

    def weights(self) -> dict[str, str]:
        """Name -> checksum of every checkpoint that the figures depend on."""
        names = (self.models.tc, self.models.formation_energy, *self.beside)
        return {name: read_card(name)["sha256"] for name in names}

    def about(self) -> dict:
        """What a reader must know of how the figures were made."""
        return {
            "candidates": self.candidates, "steps": list(self.steps), "seeds": self.seeds, "bases": list(self.bases),
            "predictor": self.predictor, "caution": self.caution, "device": self.device, "checkpoints": self.weights(),
        }  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """What a benchmark gives back.

    table : one row per line that is printed; units in the names of the columns
    sentences : what it says, for somebody who knows the paper
    figure : a plotly figure as plain data: {"data": [...], "layout": {...}}
    about : see `Options.about`
    picture : the figure as SVG, for the README; empty where it is not wanted
    """

    table: pd.DataFrame
    sentences: tuple[str, ...]
    figure: dict
    about: dict
    picture: str = ""


def finished(problem: DesignProblem, options: Options) -> Run:
    """The finished run of a problem: as kept, gone on with, or done now. Raises RuntimeError if it fails."""
    from core.executors.in_process import InProcessExecutor

    folder = options.work / "runs" / _key([problem.to_json(), options.weights()])
    run = Run(folder) if layout.is_run(folder) else store.create_in(problem, folder)
    status = run.stored_status()
    if status.phase is not Phase.FINISHED:
        options.say(f"{problem.base}, {problem.method}, seed {problem.seed}")
        executor = InProcessExecutor()
        executor.submit(run)
        status = executor.poll(run)
        (folder / layout.TRAJECTORY).unlink(missing_ok=True)  # megabytes that no table needs
    if status.phase is Phase.INTERRUPTED:
        raise KeyboardInterrupt
    if status.phase is not Phase.FINISHED:
        raise RuntimeError(f"{problem.base}: {status.message or status.phase}")
    return run


def kept(what: Sequence, options: Options, make: Callable[[], dict]) -> dict:
    """What `make` gives (plain data), kept under `what` (plain data: all that it depends on), the device ("auto" is
    another one elsewhere, and sums in another order) and the weights."""
    device = str(resolve_device(options.device))
    path = options.work / "parts" / f"{_key([*what, device, options.weights()])}.json"
    if not path.exists():
        options.say(", ".join(str(part) for part in what[:3]))
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, make())
    return json.loads(path.read_text(encoding="utf-8"))


def _key(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()[:20]


def mean_and_spread(values: Sequence[float | None]) -> tuple[float, float]:
    """Mean and standard deviation (between seeds, n - 1) of what is there; NaN where there is too little."""
    series = pd.Series([v for v in values if v is not None], dtype="float64")
    return float(series.mean()), float(series.std())


def write(outcome: Outcome, name: str, folder: Path) -> list[Path]:
    """Write NAME.csv (the table), NAME.json (figure, sentences, how it was made), NAME.svg if there is a picture."""
    from core.evaluation.table import to_csv

    folder.mkdir(parents=True, exist_ok=True)
    table, rest = folder / f"{name}.csv", folder / f"{name}.json"
    write_atomically(table, to_csv(outcome.table.round(4)))
    about = {"about": outcome.about, "sentences": list(outcome.sentences), "figure": outcome.figure}
    write_atomically(rest, json.dumps(about, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    written = [table, rest]
    if outcome.picture:
        written.append(folder / f"{name}.svg")
        write_atomically(written[-1], outcome.picture)
    return written


def text(table: pd.DataFrame) -> str:
    """The table for a terminal: two decimals, a dash where there is nothing."""
    return table.to_string(index=False, na_rep="-", float_format=lambda x: f"{x:.2f}")


def read(name: str, folder: Path) -> Outcome | None:
    """What `write` wrote; None if one of the files is not there."""
    table, rest = folder / f"{name}.csv", folder / f"{name}.json"
    if not (table.exists() and rest.exists()):
        return None
    stored = json.loads(rest.read_text(encoding="utf-8"))
    return Outcome(pd.read_csv(table), tuple(stored["sentences"]), stored["figure"], stored["about"])
