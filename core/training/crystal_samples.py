"""Figures of samples for the cards: validity, coverage, and match rates for held-out formulas.

Validity is that of DiffCSP. A held-out formula matches at k if one of its first k samples is a known structure of it;
samples have the atoms of its smallest known cell, of at most 20 atoms, as DiffCSP gives the number of atoms too. The
formulas are those on which `structure-ranking` is measured. Their samples have any symmetry, as in DiffCSP, and once
more the symmetry of prototypes, drawn with the compounds of formulas that the network knows, see `template_draw`. By
likelihood, the valid sample comes first in which the network errs least, see `denoising_error`.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from core.chemistry.formula_reader import parse_formula
from core.chemistry.structure import Structure
from core.predictors.checkpoint import read_card
from core.reference_data.prototypes import NAME as LIBRARY
from core.reference_data.prototypes import load_prototypes
from core.structures.diffusion.blocks import sampled
from core.structures.diffusion.denoising_error import denoising_errors
from core.structures.diffusion.sampler import BLOCK, VERSION, SamplerSettings, State, Task, Wanted
from core.structures.diffusion.template_draw import VERSION as DRAW_VERSION
from core.structures.diffusion.template_draw import Formula, TemplateDraw
from core.structures.diffusion.validity import structurally_valid, valid_compositions
from core.structures.diffusion.weights import CrystalModel, load_crystal_network
from core.structures.diffusion.wyckoff_templates import BlockSymmetry
from core.structures.match import Reduced
from core.training import structure_data
from core.training.crystal_coverage import coverage
from core.training.crystal_data import BASE_FILE
from core.training.loop import training_device
from core.training.structure_ranking import MOST_ATOMS, RankingSettings, drawn_formulas, formula_key


@dataclass(frozen=True)
class SampleSettings:
    """What is sampled for a card.

    unconditional : samples of any formula; per_formula : samples of each held-out formula
    steps : of the sampler, without corrector; bfloat16 : whether it multiplies in bfloat16
    """

    unconditional: int = 1000
    per_formula: int = 20
    steps: int = 100
    bfloat16: bool = False


def figures(
    model: CrystalModel, folder: Path, resume: Path, seed: int, settings: SampleSettings, held_out: RankingSettings
) -> dict:
    """Figures of samples of a network; finished blocks are kept in `resume`. Raises InputError for missing data."""
    store, base = resume / folder_name(model, settings), task_of(model, seed, settings)
    known = held_out_structures(folder, seed, held_out)
    free = unconditional(base, settings.unconditional, store)
    return {
        "sampler": {"steps": settings.steps, "corrector": False},
        "unconditional": validity(free),
        "coverage": coverage(both_valid(free), *unseen(folder, seed, held_out)),
        "held_out_formulas": match_rates(base, known, settings.per_formula, store),
        "held_out_formulas_symmetric": match_rates(
            base, known, settings.per_formula, store, unknown_formulas(folder, seed, held_out)
        ),
    }


def figures_again(name: str, folder: Path, checkpoints: Path, resume: Path) -> dict:
    """The figures of samples of a stored network, with the settings on its card; finished blocks are kept in `resume`.

    Raises CheckpointError; InputError if the raw data are missing.
    """
    loaded = load_crystal_network(name, checkpoints)
    settings, seed = loaded.card["settings"], loaded.card["split"]["seed"]
    samples, held_out = SampleSettings(**settings["samples"]), RankingSettings(**settings["held_out"])
    return figures(loaded, folder, resume / name / "samples", seed, samples, held_out)


def folder_name(model: CrystalModel, settings: SampleSettings) -> str:
    """Name of the folder of samples: another network, or another sampler, has another one."""
    precision = "bfloat16" if settings.bfloat16 else "float32"
    return f"{model.card['sha256'][:12]}-{settings.steps}-{precision}-sampler-{VERSION}"


def task_of(model: CrystalModel, seed: int, settings: SampleSettings) -> Task:
    """A block of samples of any formula, on the device of trainings."""
    network = model.network.to(training_device())
    sampler = SamplerSettings(settings.steps, bfloat16=settings.bfloat16)
    return Task(network, model.sizes, seed, 0, BLOCK, Wanted(), sampler, training_device())


def unconditional(base: Task, count: int, store: Path) -> list[Structure | None]:
    """Samples of any formula."""
    found = []
    for first in tqdm(range(0, count, BLOCK), desc="samples of any formula"):
        task = _changed(base, first, min(BLOCK, count - first), Wanted())
        found += sampled(task, store / f"any-{first}-{task.count}.json", _never, _nothing)
    return found


def both_valid(samples: Sequence[Structure | None]) -> list[Structure]:
    """The samples with a valid structure and a valid composition."""
    structural = [each for each in samples if each is not None and structurally_valid(each)]
    return [each for each, valid in zip(structural, valid_compositions(structural), strict=True) if valid]


def unseen(folder: Path, seed: int, settings: RankingSettings) -> tuple[list[Structure], list[Structure]]:
    """Crystals of the Materials Project from which nothing was learned, in two parts of different formulas.

    Raises InputError if the raw data are missing.
    """
    drawn = drawn_formulas(folder, seed, settings)
    outside = sorted(drawn["outside"] - drawn["held_out"])
    part_of = {key: place % 2 for place, key in enumerate(outside)}
    parts: tuple[list[Structure], list[Structure]] = ([], [])
    for row in structure_data.read_rows(folder / f"{BASE_FILE}.jsonl.gz"):
        part = part_of.get(formula_key(row["species"]))
        if part is not None and len(row["species"]) <= MOST_ATOMS:
            parts[part].append(structure_data.structure_of(row))
    return parts


def validity(samples: Sequence[Structure | None]) -> dict[str, float]:
    """Shares of valid samples."""
    structural = np.array([structurally_valid(each) for each in samples])
    composition = np.zeros(len(samples), dtype=bool)
    composition[[i for i, each in enumerate(samples) if each is not None]] = valid_compositions(
        [each for each in samples if each is not None]
    )
    return {
        "n": len(samples),
        "valid_structure": float(structural.mean()),
        "valid_composition": float(composition.mean()),
        "valid": float((structural & composition).mean()),
    }


def held_out_structures(folder: Path, seed: int, settings: RankingSettings) -> dict[str, list[Structure]]:
    """The known structures of each held-out formula that has one of at most 20 atoms, smallest cells first."""
    held_out = drawn_formulas(folder, seed, settings)["held_out"]
    found: dict[str, list[Structure]] = defaultdict(list)
    for name in structure_data.FILES:
        for row in structure_data.read_rows(folder / f"{name}.jsonl.gz"):
            key = formula_key(row["species"])
            if key in held_out:
                found[key].append(structure_data.structure_of(row))
    ordered = {key: sorted(found[key], key=lambda each: len(each.symbols)) for key in sorted(found)}
    return {key: own for key, own in ordered.items() if len(own[0].symbols) <= MOST_ATOMS}


@dataclass(frozen=True)
class Guesses:
    """The samples of one held-out formula, in their order; None for numbers that are no crystal.

    matches : whether each is a known structure; valid : whether each has a valid structure
    errors : of the network, see `denoising_error`; NaN for one that it cannot read
    """

    samples: tuple[Structure | None, ...]
    matches: tuple[bool, ...]
    valid: tuple[bool, ...]
    errors: tuple[float, ...]

    @property
    def likeliest_first(self) -> list[int]:
        """The samples in the order of the errors, those that are not valid last."""
        errors = np.where(np.array(self.valid, dtype=bool), np.nan_to_num(self.errors, nan=np.inf), np.inf)
        return np.argsort(errors, kind="stable").tolist()

    def first_match(self, order: Sequence[int] | None = None) -> float:
        """Rank of the first sample that is a known structure, from 1, in an order of the samples; inf: none is."""
        ordered = [self.matches[place] for place in (range(len(self.matches)) if order is None else order)]
        return float(ordered.index(True) + 1) if any(ordered) else math.inf


def unknown_formulas(folder: Path, seed: int, settings: RankingSettings) -> frozenset[Formula]:
    """The formulas of which the network learned nothing. Raises InputError if the raw data are missing."""
    keys = drawn_formulas(folder, seed, settings)["outside"]
    return frozenset(frozenset((s, round(n)) for s, n in parse_formula(key).items()) for key in keys)


def prototypes_key() -> str:
    """What symmetric samples depend on besides the network: library of prototypes and draw. Raises CheckpointError."""
    return f"{read_card(LIBRARY)['sha256'][:12]}-draw-{DRAW_VERSION}"


def guesses_of(
    base: Task, known: Mapping[str, Sequence[Structure]], count: int, store: Path,
    unknown: frozenset[Formula] | None = None,
) -> dict[str, Guesses]:  # fmt: skip
    """`count` samples of each held-out formula, compared with its known structures.

    unknown : formulas whose compounds are left out where templates of their symmetry are drawn; None: any symmetry
    """
    found, name = {}, "formula" if unknown is None else f"symmetric-{prototypes_key()}"
    for key, own in tqdm(known.items(), desc="samples of held-out formulas"):
        task = _changed(base, 0, count, Wanted(composition=own[0].symbols))
        if unknown is not None:
            templates = TemplateDraw(load_prototypes(), own[0].symbols, unknown).templates(base.seed, range(count))
            task = replace(task, symmetry=BlockSymmetry(templates, base.device))
        samples = sampled(task, store / f"{name}-{key}-{count}.json", _never, _nothing)
        reduced = [Reduced(structure) for structure in own]
        found[key] = Guesses(
            tuple(samples),
            tuple(_matches(each, reduced) for each in samples),
            tuple(structurally_valid(each) for each in samples),
            _errors(base, samples),
        )
    return found


def first_match_of_templates(known: Sequence[Structure], unknown: frozenset[Formula], seed: int, count: int) -> float:
    """Rank of the first known structure, from 1, among the templates of symmetric samples as they are; inf: none is.

    known : the known structures of the formula, smallest cells first; seed, count, unknown : of the samples
    """
    draw, reduced = TemplateDraw(load_prototypes(), known[0].symbols, unknown), [Reduced(each) for each in known]
    matches = (_matches(each, reduced) for each in draw.structures(seed, range(count)))
    return next((float(rank) for rank, match in enumerate(matches, start=1) if match), math.inf)


def _errors(base: Task, samples: Sequence[Structure | None]) -> tuple[float, ...]:
    """The error of the network for each sample; NaN for what is no crystal."""
    errors = np.full(len(samples), np.nan)
    there = [place for place, each in enumerate(samples) if each is not None]
    crystals = [each for each in samples if each is not None]
    errors[there] = denoising_errors(base.network, crystals, base.device).total
    return tuple(errors.tolist())


def match_rates(
    base: Task, known: Mapping[str, Sequence[Structure]], count: int, store: Path,
    unknown: frozenset[Formula] | None = None,
) -> dict[str, float]:  # fmt: skip
    """Shares of formulas of which the first sample, the likeliest one, or one of `count`, is a known structure."""
    found = guesses_of(base, known, count, store, unknown).values()
    return {
        "n": len(known),
        "match_at_1": float(np.mean([each.matches[0] for each in found])),
        "match_at_1_by_likelihood": float(np.mean([each.matches[each.likeliest_first[0]] for each in found])),
        f"match_at_{count}": float(np.mean([any(each.matches) for each in found])),
        "valid_structure": float(np.mean([each.valid for each in found])),
    }


def _matches(sample: Structure | None, known: Sequence[Reduced]) -> bool:
    """Whether a sample is one of the known structures; one that is not valid is none."""
    if sample is None or not structurally_valid(sample):
        return False
    cell = Reduced(sample)
    return any(cell.matches(each) for each in known)


def _changed(base: Task, first: int, count: int, wanted: Wanted) -> Task:
    return replace(base, first=first, count=count, wanted=wanted)


def _never() -> bool:
    return False


def _nothing(state: State) -> None:
    pass
