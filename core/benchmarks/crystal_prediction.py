"""Structures of held-out formulas: prototypes, diffusion as it comes, by likelihood and by energy, and both in turn.

The formulas are those on which `structure-ranking` and `crystal-base` are measured; no structure of them is in the
library of prototypes that proposes candidates here, or was learned by the network. A formula matches at k if one of
its first k structures is a known one by StructureMatcher. Equal candidates from prototypes count once; samples are
counted as they come, and they are told the number of atoms of the smallest known cell, as in DiffCSP, which prototypes
are not. By likelihood: the valid sample comes first in which the network errs least. By energy: that of the lowest
energy by CHGNet, unrelaxed; CHGNet has learned from the Materials Project, from structures of these formulas too.
Symmetric: samples with the symmetry of prototypes, drawn with the compounds of formulas that the network knows; beside
them the geometries of these prototypes as they are, which are no work of the network. In turn: the first of the
prototypes, the likeliest symmetric sample, the second of the prototypes, and so on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
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
from core.reference_data.prototypes import NAME as LIBRARY
from core.structures.diffusion.names import BASE
from core.structures.interatomic import CHGNET, Potential, PotentialError, load_chgnet
from core.structures.ranking import NAME as RANKING

if TYPE_CHECKING:
    from core.training.crystal_samples import Guesses

(
    PROTOTYPES, DIFFUSION, LIKELIEST, BY_ENERGY, SYMMETRIC, SYMMETRIC_LIKELIEST, SYMMETRIC_BY_ENERGY, TEMPLATES, IN_TURN
) = SOURCES = (
    "prototypes", "diffusion", "diffusion, by likelihood", "diffusion, by energy", "symmetric diffusion",
    "symmetric diffusion, by likelihood", "symmetric diffusion, by energy", "drawn prototypes as they are",
    "both in turn",
)  # fmt: skip
DRAWN = (PROTOTYPES, DIFFUSION, SYMMETRIC, SYMMETRIC_LIKELIEST, IN_TURN)  # in the figure
RANKS = (1, 5, 10, 20)


@dataclass(frozen=True)
class CrystalPredictionOptions:
    """Options of this benchmark.

    count : samples of each formula, at least the largest of RANKS
    data : folder of the raw data; None: as for trainings
    cache : folder of the samples, so that the benchmark resumes
    log : called with one line before each slow part

    Raises InputError for too few samples.
    """

    count: int = 20
    data: Path | None = None
    cache: Path = field(default_factory=lambda: CACHE)
    log: Callable[[str], None] = field(default=lambda line: None, compare=False)

    def __post_init__(self):
        if self.count < max(RANKS):
            raise InputError("count", self.count, f"the table has the first {max(RANKS)} structures",
                             f"Choose {max(RANKS)} or more")  # fmt: skip

    @property
    def file_suffix(self) -> str:
        """Empty: there is one table."""
        return ""


class OfSamples(NamedTuple):
    """Rank, from 1, of the first known structure among samples as they come and in two orders; inf: there is none."""

    as_drawn: float
    by_likelihood: float
    by_energy: float


class Ranks(NamedTuple):
    """Rank, from 1, of the first known structure of a formula among candidates of all sources; inf: there is none."""

    kind: str
    prototypes: float
    free: OfSamples
    symmetric: OfSamples
    templates: float

    def of(self, source: str) -> float:
        """The rank in a source, or in prototypes and symmetric samples in turn."""
        return {
            PROTOTYPES: self.prototypes,
            TEMPLATES: self.templates,
            **dict(zip((DIFFUSION, LIKELIEST, BY_ENERGY), self.free, strict=True)),
            **dict(zip((SYMMETRIC, SYMMETRIC_LIKELIEST, SYMMETRIC_BY_ENERGY), self.symmetric, strict=True)),
            IN_TURN: min(2 * self.prototypes - 1, 2 * self.symmetric.by_likelihood),
        }[source]


def crystal_prediction(options: CrystalPredictionOptions) -> Outcome:
    """One row for each source and kind of formula: shares of formulas with a match among the first structures.

    Raises CheckpointError without the checkpoints, InputError without the raw data.
    """
    ranks = list(_ranks(options).values())
    table = table_of(ranks)
    about = {
        "count": options.count,
        "potential": CHGNET,
        "checkpoints": {name: read_card(name)["sha256"] for name in (BASE, RANKING, LIBRARY)},
    }
    return Outcome(table, sentences(table), figure_of(table), about)


def table_of(ranks: list[Ranks]) -> pd.DataFrame:
    """Shares for each source, for each kind of formula and all."""
    rows = []
    for kind in (*dict.fromkeys(each.kind for each in ranks), "all"):
        own = [each for each in ranks if kind in (each.kind, "all")]
        for source in SOURCES:
            found = np.array([each.of(source) for each in own])
            shares = {f"match_at_{k}": float((found <= k).mean()) for k in RANKS}
            rows.append({"formulas": kind, "source": source, "n": len(own), **shares})
    return pd.DataFrame(rows)


def figure_of(table: pd.DataFrame) -> dict:
    """Shares of all formulas against the number of structures, for the sources DRAWN."""
    rows = table[table["formulas"] == "all"].set_index("source")
    series = {source: (list(RANKS), [float(rows.loc[source, f"match_at_{k}"]) for k in RANKS]) for source in DRAWN}
    return figures.lines(series, "structures", "share of formulas with a match")


def sentences(table: pd.DataFrame) -> tuple[str, ...]:
    """Whether both together are better than either."""
    rows = table[table["formulas"] == "all"].set_index("source")
    last = f"match_at_{max(RANKS)}"
    one, free, two, both = (rows.loc[source, last] for source in (PROTOTYPES, DIFFUSION, SYMMETRIC, IN_TURN))
    first = {source: f"{rows.loc[source, 'match_at_1']:.0%}" for source in SOURCES}
    return (
        f"Among {max(RANKS)} structures of a formula is a known one for {one:.0%} by prototypes, {free:.0%} by "
        f"diffusion, {two:.0%} by diffusion with the symmetry of prototypes and {both:.0%} by this and prototypes in "
        f"turn, of {int(rows.loc[PROTOTYPES, 'n'])} formulas of which neither saw a structure.",
        f"The first structure is a known one for {first[PROTOTYPES]} by prototypes and {first[DIFFUSION]} by "
        f"diffusion, {first[LIKELIEST]} if the likeliest sample comes first and {first[BY_ENERGY]} if that of lowest "
        "energy does; "
        f"with the symmetry of prototypes {first[SYMMETRIC]}, {first[SYMMETRIC_LIKELIEST]} and "
        f"{first[SYMMETRIC_BY_ENERGY]}.",
        f"The prototypes that were drawn for these samples are right as they are for {first[TEMPLATES]}, and one of "
        f"{max(RANKS)} for {rows.loc[TEMPLATES, last]:.0%}: which structure it is comes from them, not from the "
        "coordinates that the network makes.",
    )


def _ranks(options: CrystalPredictionOptions) -> Mapping[str, Ranks]:
    """Formula -> its ranks, for the formulas that have samples. Raises InputError if the draws differ."""
    from core.structures.diffusion.weights import load_crystal_network
    from core.structures.ranking import load_ranking
    from core.training import crystal_samples, structure_ranking
    from core.training.data import data_folder

    folder, model, card = data_folder(options.data), load_crystal_network(BASE), read_card(RANKING)
    settings = structure_ranking.RankingSettings(**card["settings"])
    drawn = structure_ranking.RankingSettings(**model.card["settings"]["held_out"])
    seed = card["split"]["seed"]
    if (seed, drawn) != (model.card["split"]["seed"], settings):
        raise InputError("checkpoints", BASE, f"{BASE} and {RANKING} must be measured on the same formulas",
                         "Train both with the same seed")  # fmt: skip
    options.log("candidates from prototypes; takes half an hour if build/ is empty")
    queries, _ = structure_ranking.read_queries(folder, PROJECT / "build", seed, settings, ("held_out",))
    ranking = load_ranking()
    options.log(f"{options.count} samples of each formula")
    samples = replace(crystal_samples.SampleSettings(**model.card["settings"]["samples"]), per_formula=options.count)
    store = options.cache / "crystal-prediction" / crystal_samples.folder_name(model, samples)
    known = crystal_samples.held_out_structures(folder, seed, drawn)
    task = crystal_samples.task_of(model, seed, samples)
    free = crystal_samples.guesses_of(task, known, options.count, store)
    unknown = crystal_samples.unknown_formulas(folder, seed, drawn)
    symmetric = crystal_samples.guesses_of(task, known, options.count, store, unknown)
    options.log("energies of the samples")
    prototypes = crystal_samples.prototypes_key()
    found = {}
    for each in queries["held_out"]:
        if (formula := each.formula) in free:
            order = np.argsort(-ranking.scores(each.ranked.features), kind="stable")
            ranks = [
                _of_samples(guesses[formula], store / f"energies-{name}-{formula}-{options.count}.json")
                for name, guesses in (("free", free), (f"symmetric-{prototypes}", symmetric))
            ]
            templates = crystal_samples.first_match_of_templates(known[formula], unknown, seed, options.count)
            found[formula] = Ranks(each.kind, structure_ranking.first_match(each, order), *ranks, templates)
    return found


def _of_samples(own: Guesses, path: Path) -> OfSamples:
    """path : of the file that keeps the energies"""
    by_energy = np.argsort(_energies(own, path), kind="stable").tolist()
    return OfSamples(own.first_match(), own.first_match(own.likeliest_first), own.first_match(by_energy))


def _energies(own: Guesses, path: Path) -> list[float]:
    """Energies by CHGNet in eV/atom; infinite for a sample that is not valid or that CHGNet cannot evaluate."""
    stored = read_json(path)
    if stored is None:
        potential = load_chgnet()
        stored = {"energies_eV_per_atom": [
            _energy(potential, sample) if sample is not None and valid else None
            for sample, valid in zip(own.samples, own.valid, strict=True)
        ]}  # fmt: skip
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, stored)
    return [math.inf if each is None else each for each in stored["energies_eV_per_atom"]]


def _energy(potential: Potential, sample: Structure) -> float | None:
    try:
        return potential.evaluate(sample).energy_eV / len(sample.symbols)
    except PotentialError:
        return None
