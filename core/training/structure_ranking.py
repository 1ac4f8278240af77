"""Fit `structure-ranking`, the order of candidate structures, and measure it on held-out formulas.

Formulas are drawn in equal parts from those of 3DSC, superconductors and their parents, and from all others. No
structure of a drawn formula, in any file, is in the library that proposes candidates for it.
"""

from __future__ import annotations

import datetime
import json
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import lightgbm
import numpy as np

from core.chemistry import elements
from core.chemistry.structure import Structure, reduced_counts
from core.errors import InputError
from core.files import write_atomically
from core.paths import PROJECT
from core.predictors import checkpoint
from core.predictors.control_model import pack
from core.reference_data.prototypes import Prototypes
from core.structures.match import Reduced
from core.structures.ranking import ARCHITECTURE, NAME, Ranking, load_ranking
from core.structures.ranking_features import NAMES, Ranked, ranked_by_distance
from core.structures.symmetry import symmetric
from core.structures.templates import ElementTables, Templates, templates
from core.structures.volume import volumes_A3_per_atom
from core.training import boosted_trees, structure_data
from core.training.prototypes import library_of
from core.training.structure_data import Entry

MOST_ATOMS = 20  # in the primitive cell of at least one structure of a formula
SUPERCONDUCTORS, OTHERS = "3dsc", "others"
RANKS = (1, 5, 10)


@dataclass(frozen=True)
class RankingSettings:
    """Numbers of formulas of each kind, and settings of the trees; all of them are written to the card.

    outside : formulas whose structures are not in the library; of them the first are held out, the next are fitted
    """

    outside: int = 550
    held_out: int = 110
    fitted: int = 440
    trees: int = 200
    leaves: int = 15
    learning_rate: float = 0.04
    least_in_leaf: int = 30
    share_of_features: float = 0.5
    share_of_rows: float = 0.8


@dataclass(frozen=True)
class Query:
    """A formula with its candidates, and which of them are known structures of it.

    known : the known structures
    matches : (n,) bool for the candidates in `ranked`
    same_as : (n,) index of the first candidate that is the same structure
    """

    kind: str
    formula: str
    found: Templates
    ranked: Ranked
    matches: np.ndarray
    same_as: np.ndarray
    volume_ratio: float


def train(folder: Path, out: Path, seed: int, build: Path, settings: RankingSettings | None = None) -> dict:
    """Fit the trees, measure them on the held-out formulas, write trees and card; returns the card.

    Raises InputError if the raw data are missing.
    """
    settings = settings or RankingSettings()
    queries, about = read_queries(folder, build, seed, settings)
    trees = fitted(queries["fitted"], settings, seed)
    card = {
        "name": NAME,
        "architecture": ARCHITECTURE,
        "what": "Order of the candidate structures of a formula: boosted trees",
        "papers": ["LightGBM, Ke et al. 2017"],
        "data": structure_data.ATTRIBUTION,
        "licence": "CC BY 4.0, as the data",
        "split": {"seed": seed, "by": "formula; no structure of a drawn formula is in the library", **about},
        "settings": asdict(settings),
        "features": list(NAMES),
        "metrics_held_out": figures(queries["held_out"], Ranking(trees)),
        "date": datetime.date.today().isoformat(),
    }
    checkpoint.save(NAME, {"trees": pack(trees)}, card, out)
    return card


def held_out_figures(name: str, folder: Path, checkpoints: Path) -> dict:
    """The figures of the card, computed from the trees. Takes minutes, and half an hour if `build/` is empty.

    Raises CheckpointError; InputError if the data are missing.
    """
    card = checkpoint.read_card(name, checkpoints)
    settings = RankingSettings(**card["settings"])
    queries, _ = read_queries(folder, PROJECT / "build", card["split"]["seed"], settings, ("held_out",))
    return figures(queries["held_out"], load_ranking(checkpoints))


def formula_key(symbols: Sequence[str]) -> str:
    """A text that is equal for equal formulas: symbols in alphabetical order with amounts in lowest terms."""
    counts = reduced_counts(Counter(symbols))
    return "".join(f"{symbol}{counts[symbol]}" for symbol in sorted(counts))


def draw(kinds: Mapping[str, Sequence[str]], settings: RankingSettings, seed: int) -> dict[str, dict[str, list[str]]]:
    """Formulas of each kind for "held_out", for "fitted", and all those "outside" the library, drawn with a seed."""
    generator = np.random.default_rng(seed)
    drawn: dict[str, dict[str, list[str]]] = {"held_out": {}, "fitted": {}, "outside": {}}
    for kind, formulas in kinds.items():
        ordered = sorted(formulas)
        order = [ordered[i] for i in generator.permutation(len(ordered))]
        drawn["held_out"][kind] = order[: settings.held_out]
        drawn["fitted"][kind] = order[settings.held_out : settings.held_out + settings.fitted]
        drawn["outside"][kind] = order[: settings.outside]
    return drawn


def kinds_of(found: Mapping[str, Sequence[tuple[str, int]]]) -> dict[str, list[str]]:
    """The formulas of each kind that have a structure of at most MOST_ATOMS atoms.

    found : formula -> source and number of atoms in the primitive cell of each of its structures
    """
    kinds: dict[str, list[str]] = {SUPERCONDUCTORS: [], OTHERS: []}
    for formula, own in found.items():
        if min(atoms for _, atoms in own) <= MOST_ATOMS:
            kinds[SUPERCONDUCTORS if any(source == "3DSC" for source, _ in own) else OTHERS].append(formula)
    return kinds


def drawn_formulas(folder: Path, seed: int, settings: RankingSettings | None = None) -> dict[str, set[str]]:
    """The formulas that `read_queries` draws for "held_out", "fitted" and "outside", of both kinds together.

    The symmetry is found only where the number of atoms in the primitive cell matters, which takes a minute instead of
    half an hour. Equal to the draw of `read_queries` because spglib finds a symmetry for every structure of the data.

    Raises InputError if the raw data are missing.
    """
    found: dict[str, list[tuple[str, int]]] = defaultdict(list)
    large: dict[str, list[Structure]] = defaultdict(list)
    for name in structure_data.FILES:
        for row in structure_data.read_rows(folder / f"{name}.jsonl.gz"):
            key, atoms = formula_key(row["species"]), len(row["species"])
            found[key].append((row["source"], atoms))
            if atoms > MOST_ATOMS:
                large[key].append(structure_data.structure_of(row))
    for key, given in large.items():
        if min(atoms for _, atoms in found[key]) > MOST_ATOMS:
            primitive = [symmetric(each) for each in given]
            sizes = [len(each.structure.symbols) for each in primitive if each is not None]
            found[key] = [(source, size) for (source, _), size in zip(found[key], sizes, strict=True)]
    drawn = draw(kinds_of(found), settings or RankingSettings(), seed)
    return {part: {formula for own in kinds.values() for formula in own} for part, kinds in drawn.items()}


def read_queries(
    folder: Path, build: Path, seed: int, settings: RankingSettings, parts: Sequence[str] = ("fitted", "held_out")
) -> tuple[dict[str, list[Query]], dict]:
    """The queries of each part, and numbers for the card.

    Matches, which take most of the time, are kept in `build` and read again if nothing that they depend on changes.

    Raises InputError if the raw data are missing, or fewer formulas than the settings draw.
    """
    split = read_split(folder, build, seed, settings)
    tables, queries = ElementTables.of(split.prototypes), {}
    for part in parts:
        store = _Matches(build / "prototypes" / f"matches-{part}-{seed}.json")
        queries[part] = [
            query(split.prototypes, tables, kind, formula, split.known[formula], store, compared=part == "held_out")
            for kind, formulas in split.drawn[part].items()
            for formula in formulas
        ]
        store.write()
    numbers = {name: {kind: len(formulas) for kind, formulas in part.items()} for name, part in split.drawn.items()}
    return queries, {"formulas": numbers, "prototypes_in_library": len(split.prototypes)}


@dataclass(frozen=True)
class Split:
    """The library without the drawn formulas, and these.

    prototypes : the library
    drawn : part -> kind -> formulas, see `draw`
    known : formula outside the library -> its known structures, as the files give them
    """

    prototypes: Prototypes
    drawn: dict[str, dict[str, list[str]]]
    known: dict[str, list[Structure]]


def read_split(folder: Path, build: Path, seed: int, settings: RankingSettings) -> Split:
    """The library without the drawn formulas. Takes half an hour if `build` is empty.

    Raises InputError if the raw data are missing, or fewer formulas than the settings draw.
    """
    entries, _ = structure_data.read_entries(folder, build / "prototypes")
    by_formula: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_formula[formula_key(entry.symmetric.structure.symbols)].append(entry)
    kinds = kinds_of(
        {key: [(e.source, len(e.symmetric.structure.symbols)) for e in own] for key, own in by_formula.items()}
    )
    drawn = draw(kinds, settings, seed)
    if any(len(formulas) < settings.outside for formulas in kinds.values()):
        raise InputError("data", folder, "there are too few structures", "Use the whole files")
    outside = {formula for formulas in drawn["outside"].values() for formula in formulas}
    library = library_of(e for formula, own in by_formula.items() if formula not in outside for e in own)
    given = structure_data.known_structures(folder, {e.id for formula in outside for e in by_formula[formula]})
    known = {formula: _of_formula(formula, by_formula[formula], given) for formula in sorted(outside)}
    return Split(library, drawn, known)


def _of_formula(formula: str, own: Sequence[Entry], given: Mapping[str, Sequence[Structure]]) -> list[Structure]:
    """The structures of a formula as the files give them."""
    ids = sorted({entry.id for entry in own})
    return [each for one in ids for each in given.get(one, ()) if formula_key(each.symbols) == formula]


class _Matches:
    """Results of the matcher for each formula and list of candidates, kept in a file."""

    def __init__(self, path: Path):
        self._path = path
        self._found: dict[str, list] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        self._new = 0

    def get(self, key: str) -> list | None:
        return self._found.get(key)

    def put(self, key: str, value: list) -> None:
        self._found[key] = value
        self._new += 1
        if self._new % 50 == 0:
            self.write()

    def write(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self._path, json.dumps(self._found))


def query(
    library: Prototypes,
    tables: ElementTables,
    kind: str,
    formula: str,
    own: Sequence[Structure],
    store: _Matches,
    compared: bool = True,
) -> Query:
    """The candidates of a formula, compared with its known structures, `own`, and with each other if `compared`."""
    found = templates(library, tables, reduced_counts(Counter(own[0].symbols)))
    ranked = ranked_by_distance(library, tables, found)
    names = elements.symbols()
    chosen = [(int(found.prototypes[c]), [names[e] for e in found.species[c]]) for c in ranked.candidates]
    made = [library.structure(*each) for each in chosen]
    checks = [f"{m.volume_A3:.3f}:{''.join(species)}" for m, (_, species) in zip(made, chosen, strict=True)]
    key = f"{formula} {' '.join(checks)}"
    result = store.get(key)
    if result is None:
        known = [Reduced(each) for each in own]
        result = [[_matches(each, known) for each in made], _first_equal(made if compared else [])]
        store.put(key, result)
    matches, same_as = np.array(result[0], dtype=bool), np.array(result[1], dtype=int)
    hits = np.flatnonzero(matches)
    ratio = math.nan
    if len(hits):
        expected = volumes_A3_per_atom(library, found, int(ranked.candidates[hits[0]]))
        volumes = [each.volume_A3_per_atom for each in own]
        ratio = expected / min(volumes, key=lambda volume: abs(volume - expected))
    return Query(kind, formula, found, ranked, matches, same_as, ratio)


def _matches(made: Structure, known: Sequence[Reduced]) -> bool:
    """Whether a structure is one of the known ones; the size of a reduced cell divides that of the cell."""
    sizes = {len(each.cell) for each in known}
    if all(len(made.symbols) % size for size in sizes):
        return False
    cell = Reduced(made)
    return any(cell.matches(each) for each in known)


def _first_equal(made: Sequence[Structure]) -> list[int]:
    """Index of the first structure that equals each."""
    cells = [Reduced(each) for each in made]
    same_as: list[int] = []
    for i, cell in enumerate(cells):
        same_as.append(next((j for j in range(i) if same_as[j] == j and cells[j].matches(cell)), i))
    return same_as


def fitted(queries: Sequence[Query], settings: RankingSettings, seed: int) -> lightgbm.Booster:
    """Trees for the probability that a candidate is a known structure, fitted on all candidates of the queries."""
    features = np.concatenate([each.ranked.features for each in queries])
    matches = np.concatenate([each.matches for each in queries])
    return boosted_trees.fit("binary", features, matches, settings.trees, settings, seed)


def figures(queries: Sequence[Query], ranking: Ranking) -> dict:
    """For each kind of formula and all: the share with a known structure among the first candidates, both orders.

    Candidates that are the same structure count as one. Also the share with one among all candidates, and the mean
    absolute error of the logarithm of the volume of matching candidates.
    """
    found = {}
    for kind in (SUPERCONDUCTORS, OTHERS, "all"):
        own = [each for each in queries if kind in (each.kind, "all")]
        if not own:
            continue
        learned = [first_match(each, np.argsort(-ranking.scores(each.ranked.features), kind="stable")) for each in own]
        nearest = [first_match(each, np.arange(len(each.matches))) for each in own]
        ratios = np.array([each.volume_ratio for each in own])
        found[kind] = {
            "n": len(own),
            **{f"match_at_{rank}": float(np.mean(np.array(learned) <= rank)) for rank in RANKS},
            **{f"nearest_template_match_at_{rank}": float(np.mean(np.array(nearest) <= rank)) for rank in RANKS},
            "match_anywhere": float(np.mean([each.matches.any() for each in own])),
            "candidates": float(np.mean([len(each.matches) for each in own])),
            "volume_mean_abs_log_error": float(np.abs(np.log(ratios[~np.isnan(ratios)])).mean()),
        }
    return found


def first_match(each: Query, order: np.ndarray) -> float:
    """Rank of the first known structure in an order of the candidates, equal structures counted once; inf: none."""
    seen: set[int] = set()
    for candidate in order:
        seen.add(int(each.same_as[candidate]))
        if each.matches[candidate]:
            return float(len(seen))
    return math.inf
