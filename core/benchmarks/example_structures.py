"""The ten best candidates of shipped examples with their likeliest crystal structures, one line each."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from core.benchmarks import figures
from core.benchmarks.harness import CACHE, Options, Outcome, finished_run
from core.benchmarks.structure_hull import REFERENCES
from core.benchmarks.top_ten import shown_first
from core.chemistry.exact_formula import literal_amounts
from core.paths import ASSETS
from core.problem.problem import DesignProblem
from core.problem.settings import OptimiserSettings
from core.structures.folder import TABLE, Request, find_all
from core.structures.relaxing_processes import RelaxingProcesses
from core.structures.search_work import SearchSettings, folder_settings, work_of

EXAMPLES = ("1-raise-tc-of-LaFeAsO", "2-replace-La-in-LaFeAsO", "3-cuprate-with-CuO2-kept")
KEPT = (
    "prototype", "example", "space_group", "n_atoms", "shortest_distance_A", "coordination", "band_gap_class",
    "tc_structure_K", "matches_known", "relaxation", "note", "error",
)  # fmt: skip
BY_POTENTIAL, BY_COMPOSITION = "above_hull_by_potential_eV_per_atom", "above_hull_by_composition_eV_per_atom"


@dataclass(frozen=True)
class ExampleStructuresOptions:
    """Options of this benchmark.

    count : candidates of an example
    bases : names of examples in assets/examples, without .json
    candidates, steps : of the designs; 0 and (): as in the examples
    cache : folder of the runs, the structures and the energies of the references
    log : called with one line before each slow part
    """

    count: int = 10
    bases: tuple[str, ...] = EXAMPLES
    candidates: int = 0
    steps: tuple[int, ...] = ()
    device: str = "auto"
    cache: Path = field(default_factory=lambda: CACHE)
    log: Callable[[str], None] = field(default=lambda line: None, compare=False)

    @property
    def file_suffix(self) -> str:
        """Empty: there is one table."""
        return ""


def example_structures(options: ExampleStructuresOptions) -> Outcome:
    """The candidates that the results page shows first, with seed 0, and the first structure of each."""
    table = pd.concat([_of_example(name, options) for name in options.bases], ignore_index=True)
    about = {"examples": list(options.bases), "count": options.count, "candidates": options.candidates,
             "steps": list(options.steps), "seed": 0}  # fmt: skip
    bars = table[["formula", BY_POTENTIAL]].dropna().assign(unit="eV/atom")
    figure = figures.bars(bars, "formula", BY_POTENTIAL, "unit", "energy above hull by the potential (eV/atom)")
    return Outcome(table, sentences(table), figure, about)


def problem_of(name: str, options: ExampleStructuresOptions) -> DesignProblem:
    """The example with seed 0."""
    problem = DesignProblem.from_json((ASSETS / "examples" / f"{name}.json").read_text(encoding="utf-8"))
    settings: OptimiserSettings = problem.settings
    if options.candidates:
        settings = replace(settings, candidates=options.candidates)
    if options.steps:
        settings = replace(settings, steps=(options.steps[0], options.steps[1]))
    return replace(problem, seed=0, settings=settings, device=options.device)


def _of_example(name: str, options: ExampleStructuresOptions) -> pd.DataFrame:
    from core.structures.prototypes import load_finder

    run = finished_run(problem_of(name, options), Options(device=options.device, cache=options.cache, log=options.log))
    candidates = shown_first(run.candidates()).head(options.count).reset_index(drop=True)
    settings = SearchSettings(top=5, hull=True)
    finder = load_finder()
    folder, references = options.cache / "example-structures" / run.folder.name, options.cache / REFERENCES
    requests = [Request(formula, literal_amounts(formula)) for formula in candidates["formula"]]
    with RelaxingProcesses() as processes:
        work = work_of(settings, finder, references, told=options.log, processes=processes)
        find_all(folder, requests, finder, folder_settings(settings), work=work,
                 progress=lambda done: options.log(f"{name}: {done} of {len(requests)}"))  # fmt: skip
    with (folder / TABLE).open(encoding="utf-8", newline="") as file:
        first = {row["formula"]: row for row in csv.DictReader(file) if row["rank"] in ("1", "")}
    return pd.DataFrame(
        [line(name, candidate, first.get(candidate["formula"], {})) for _, candidate in candidates.iterrows()]
    )


def line(example: str, candidate: pd.Series, structure: dict[str, str]) -> dict[str, object]:
    """One line of the table. structure : the row of structures.csv, empty if there is none"""
    above = structure.get("energy_above_hull_eV_per_atom", "")
    return {
        "example": example,
        "formula": candidate["formula"],
        "tc_K": float(candidate["tc_K"]),
        **{"like" if name == "example" else name: structure.get(name, "") for name in KEPT},
        BY_POTENTIAL: float(above) if above else None,
        BY_COMPOSITION: float(candidate["energy_above_hull_eV_per_atom"]),
    }


def sentences(table: pd.DataFrame) -> tuple[str, ...]:
    """How many have a structure, are known, and are near the hull by both."""
    n, found = len(table), int((table["prototype"] != "").sum())
    potential = table[BY_POTENTIAL].astype(float)
    return (
        f"{found} of {n} candidates have a structure, {int((table['matches_known'] == 'true').sum())} a known one; "
        f"{int(potential.notna().sum())} are placed on the hull of the potential.",
        f"At most 0.1 eV/atom above it: {int((potential <= 0.1).sum())} by the potential, "
        f"{int((table[BY_COMPOSITION] <= 0.1).sum())} by the composition model.",
    )
