"""Structures of held-out formulas from prototypes, before and after relaxation by the potential.

The formulas are those on which `structure-ranking` is measured; no structure of them is in the library that proposes
candidates here. A formula matches at k if one of its first k distinct structures is a known one by StructureMatcher.
The first five proposals are relaxed by CHGNet; then they stay in their order, or come in the order in which the app
shows them, or in that of their energies, which for one formula is that of the energies above hull.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from core.benchmarks import figures
from core.benchmarks.harness import CACHE, Outcome
from core.chemistry.structure import Structure
from core.errors import InputError
from core.files import read_json, write_json
from core.paths import PROJECT
from core.predictors.checkpoint import read_card
from core.runs.keyed_runs import key_of
from core.structures.folder import Relaxer
from core.structures.interatomic import CHGNET
from core.structures.match import Reduced
from core.structures.packed_structure import packed as packed_structure
from core.structures.prototypes import Proposal, StructureFinder
from core.structures.ranking import NAME as RANKING
from core.structures.relaxation import Relaxation
from core.structures.relaxed_proposals import ordered, packed, unpacked

if TYPE_CHECKING:
    from core.training.structure_ranking import Split

ORDERS = PROPOSED, RELAXED, AS_IN_THE_APP, BY_ENERGY = (
    "proposed", "relaxed", "relaxed, as in the app", "relaxed, by energy"
)  # fmt: skip
TOP = 5
RANKS = (1, 2, 5)
TEN_ATOMS = (8.0, 12.0)  # mean number of atoms of the structures of a formula of "about 10 atoms"


@dataclass(frozen=True)
class RelaxedPredictionOptions:
    """Options of this benchmark.

    count : formulas, the first ones of each kind; 0: all that are held out
    data : folder of the raw data; None: as for trainings
    cache : folder of the relaxed structures, so that the benchmark resumes
    log : called with one line before each formula

    Raises InputError for a negative count.
    """

    count: int = 0
    data: Path | None = None
    cache: Path = field(default_factory=lambda: CACHE)
    log: Callable[[str], None] = field(default=lambda line: None, compare=False)

    def __post_init__(self):
        if self.count < 0:
            raise InputError("count", self.count, "a number of formulas is not negative", "Choose 0 for all")

    @property
    def file_suffix(self) -> str:
        """Empty: there is one table."""
        return ""


class Found(NamedTuple):
    """Ranks, from 1, of the first known structure of a formula in each order; inf: there is none.

    atoms : mean number of atoms of the relaxed structures; seconds : of all relaxations
    """

    kind: str
    ranks: Mapping[str, float]
    atoms: float
    seconds: float


def relaxed_prediction(options: RelaxedPredictionOptions) -> Outcome:
    """One row for each order and kind of formula: shares of formulas with a match among the first structures.

    Raises CheckpointError without the checkpoints, InputError without the raw data.
    """
    from core.structures.ranking import load_ranking
    from core.structures.relaxation import RelaxationSettings
    from core.structures.search_work import relaxed_by_chgnet
    from core.training.data import data_folder
    from core.training.structure_ranking import RankingSettings, read_split

    card = read_card(RANKING)
    options.log("the library without the held-out formulas; takes half an hour if build/ is empty")
    split = read_split(
        data_folder(options.data), PROJECT / "build", card["split"]["seed"], RankingSettings(**card["settings"])
    )
    finder = StructureFinder(split.prototypes, load_ranking())
    settings = RelaxationSettings()
    store = options.cache / "relaxed-prediction" / key_of([CHGNET, asdict(settings)])
    store.mkdir(parents=True, exist_ok=True)
    found = all_found(split, finder, relaxed_by_chgnet(settings), store, options)
    table = table_of(found)
    rows = table[table["formulas"] == "all"]
    series = {str(row["order"]): (list(RANKS), [row[f"match_at_{k}"] for k in RANKS]) for _, row in rows.iterrows()}
    figure = figures.lines(series, "structures", "share of formulas with a match")
    about = {"count": len(found), "potential": CHGNET, "checkpoints": {RANKING: card["sha256"]}}
    return Outcome(table, sentences(table), figure, about)


def all_found(
    split: Split, finder: StructureFinder, relaxer: Relaxer, store: Path, options: RelaxedPredictionOptions
) -> list[Found]:
    """The ranks of each held-out formula."""
    found = []
    for kind, formulas in split.drawn["held_out"].items():
        for formula in formulas[: options.count or None]:
            options.log(f"{formula}: up to {TOP} structures relaxed")
            known = [Reduced(each) for each in split.known[formula]]
            counts = split.known[formula][0].lowest_terms
            try:
                proposals = finder.find({symbol: float(n) for symbol, n in counts.items()}, TOP)
            except InputError:  # no prototype has this stoichiometry
                proposals = []
            start = key_of([packed_structure(each.structure) for each in proposals])
            relaxations, seconds = _relaxed(proposals, relaxer, store / f"{formula}-{start}.json")
            atoms = float(np.mean([len(each.structure.symbols) for each in proposals])) if proposals else math.nan
            found.append(Found(kind, ranks_of(proposals, relaxations, known), atoms, seconds))
    return found


def ranks_of(
    proposals: Sequence[Proposal], relaxations: Sequence[Relaxation], known: Sequence[Reduced]
) -> dict[str, float]:
    """Order -> rank of the first known structure."""
    held = [each.structure for each in relaxations if each.has_minimum]
    energies = [each.energy_eV_per_atom for each in relaxations if each.has_minimum]
    of_app = ordered(proposals, relaxations, 0.0)
    return {
        PROPOSED: first_match([each.structure for each in proposals], known),
        RELAXED: first_match(held, known),
        AS_IN_THE_APP: first_match([e.structure for e in of_app if e.relaxation and e.relaxation.has_minimum], known),
        BY_ENERGY: first_match([held[i] for i in np.argsort(energies, kind="stable")], known),
    }


def first_match(structures: Sequence[Structure], known: Sequence[Reduced]) -> float:
    """Rank of the first structure that is a known one, equal structures counted once; inf: there is none."""
    distinct: list[Reduced] = []
    for structure in structures:
        cell = Reduced(structure)
        if not any(cell.matches(other) for other in distinct):
            distinct.append(cell)
        if any(cell.matches(each) for each in known):
            return float(len(distinct))
    return math.inf


def _relaxed(proposals: Sequence[Proposal], relaxer: Relaxer, path: Path) -> tuple[list[Relaxation], float]:
    """The relaxation of each proposal and the seconds that they took, from the file if they are there."""
    stored = read_json(path)
    if stored is None:
        began = time.perf_counter()
        made = [relaxer(each.structure, lambda: False) for each in proposals]
        seconds = round(time.perf_counter() - began, 2)
        write_json(path, {"relaxations": [packed(each) for each in made], "seconds": seconds})
        return made, seconds
    return [unpacked(each) for each in stored["relaxations"]], stored["seconds"]


def table_of(found: Sequence[Found]) -> pd.DataFrame:
    """Shares for each order, for each kind of formula and all; seconds : median for formulas of about ten atoms."""
    rows = []
    for kind in (*dict.fromkeys(each.kind for each in found), "all"):
        own = [each for each in found if kind in (each.kind, "all")]
        seconds = [each.seconds for each in own if TEN_ATOMS[0] <= each.atoms <= TEN_ATOMS[1]]
        for order in ORDERS:
            ranks = np.array([each.ranks[order] for each in own])
            shares = {f"match_at_{k}": float((ranks <= k).mean()) for k in RANKS}
            timed = {} if order == PROPOSED or not seconds else {"seconds": float(np.median(seconds))}
            rows.append({"formulas": kind, "order": order, "n": len(own), **shares, **timed})
    return pd.DataFrame(rows)


def sentences(table: pd.DataFrame) -> tuple[str, ...]:
    """What relaxation and energies change."""
    rows = table[table["formulas"] == "all"].set_index("order")
    at = {order: " and ".join(f"{rows.loc[order, f'match_at_{k}']:.1%}" for k in (1, TOP)) for order in ORDERS}
    texts = [
        f"A known structure is first, or among the first {TOP}, for {at[PROPOSED]} of {int(rows.loc[PROPOSED, 'n'])} "
        f"formulas as proposed, {at[RELAXED]} after relaxation in the same order, {at[AS_IN_THE_APP]} in the order of "
        f"the app, and {at[BY_ENERGY]} by energy alone."
    ]
    seconds = float(str(rows.loc[RELAXED, "seconds"])) if "seconds" in rows else math.nan
    if np.isfinite(seconds):
        texts.append(f"{TOP} structures of about 10 atoms are relaxed in {seconds:.1f} s (median).")
    return tuple(texts)
