"""Constraints on generated crystals: whether they hold, and what they cost in validity.

Crystals of any formula, of allowed elements, and of given formulas, by `crystal-base`; validity by the definitions of
DiffCSP.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from core.benchmarks import figures
from core.benchmarks.crystal_guidance import made
from core.benchmarks.harness import CACHE, Outcome
from core.chemistry.formula_reader import parse_formula
from core.chemistry.structure import Structure
from core.predictors.checkpoint import read_card
from core.runs.keyed_runs import key_of
from core.structures.diffusion import folder as samples
from core.structures.diffusion.names import BASE
from core.structures.diffusion.request import GenerationRequest, cell_of, uses_bfloat16
from core.structures.diffusion.sampler import SamplerSettings
from core.structures.diffusion.validity import structurally_valid, valid_compositions

ELEMENTS = ("B", "C", "N", "Mg", "Al", "Si", "Ti", "V", "Y", "Zr", "Nb", "Mo", "La", "Ta")
FORMULAS = ("MgB2", "NbN", "Nb3Sn", "LaFeAsO", "CaCuO2", "YNi2B2C", "FeSe", "V3Si", "LaH10", "La2CuO4")
FREE, OF_ELEMENTS, OF_FORMULAS = "any formula", f"{len(ELEMENTS)} elements allowed", f"{len(FORMULAS)} formulas"


@dataclass(frozen=True)
class CrystalConstraintsOptions:
    """Options of this benchmark.

    count : crystals of each kind; those of given formulas are as many in all
    seed : of the noise
    device : auto, cpu, cuda or mps
    cache : folder of the crystals, so that the benchmark resumes
    log : called with one line before each kind
    """

    count: int = 500
    seed: int = 0
    device: str = "auto"
    cache: Path = field(default_factory=lambda: CACHE)
    log: Callable[[str], None] = field(default=lambda line: None, compare=False)

    @property
    def file_suffix(self) -> str:
        """Empty: there is one table."""
        return ""


def crystal_constraints(options: CrystalConstraintsOptions) -> Outcome:
    """One row for each kind of crystals. Raises CheckpointError without the checkpoint."""
    from core.predictors.device import resolve_device
    from core.structures.diffusion import weights

    model, device = weights.load_crystal_network(BASE), resolve_device(options.device)
    model.network.to(device)
    sampler, rows = SamplerSettings(bfloat16=uses_bfloat16(device.type)), []
    for kind, requests in requests_of(options.count, options.seed, sampler).items():
        options.log(f"{options.count} crystals, {kind}")
        found: list[tuple[GenerationRequest, list[Structure | None]]] = []
        for request in requests:
            folder = options.cache / "crystal-constraints" / key_of([request.to_json(), model.card["sha256"]])
            samples.generate(folder, request, model, device)
            found.append((request, made(folder)))
        rows.append(row_of(kind, found))
    table = pd.DataFrame(rows)
    bars = table.assign(unit="share")
    figure = figures.bars(bars, "constraint", "valid_structure", "unit", "share with a valid structure")
    about = {"count": options.count, "seed": options.seed, "checkpoints": {BASE: read_card(BASE)["sha256"]}}
    return Outcome(table, sentences(table), figure, about)


def requests_of(count: int, seed: int, sampler: SamplerSettings) -> dict[str, list[GenerationRequest]]:
    """Kind -> what is asked of the generator."""
    each = max(count // len(FORMULAS), 1)
    cells = [cell_of(parse_formula(formula), 1) for formula in FORMULAS]
    return {
        FREE: [GenerationRequest(count, seed, sampler=sampler)],
        OF_ELEMENTS: [GenerationRequest(count, seed, allowed=ELEMENTS, sampler=sampler)],
        OF_FORMULAS: [GenerationRequest(each, seed, composition=cell, sampler=sampler) for cell in cells],
    }


def row_of(kind: str, found: Sequence[tuple[GenerationRequest, Sequence[Structure | None]]]) -> dict:
    """Shares of the crystals of one kind; a sample that is no crystal holds no constraint."""
    every = [structure for _, own in found for structure in own]
    there = [structure for structure in every if structure is not None]
    held = sum(each is not None and holds(each, request) for request, own in found for each in own)
    return {
        "constraint": kind,
        "crystals": len(every),
        "held": held / len(every),
        "valid_structure": sum(structurally_valid(each) for each in every) / len(every),
        "valid_composition": sum(valid_compositions(there)) / len(every) if there else 0.0,
    }


def holds(structure: Structure, request: GenerationRequest) -> bool:
    """Whether a crystal has the elements, or the atoms, that were asked for."""
    if request.composition is not None:
        return sorted(structure.symbols) == sorted(request.composition)
    return request.allowed is None or set(structure.symbols) <= set(request.allowed)


def sentences(table: pd.DataFrame) -> tuple[str, ...]:
    """Whether the constraints hold, and validity with and without them."""
    rows = table.set_index("constraint")
    free = rows.loc[FREE, "valid_structure"]
    return tuple(
        f"{kind}: {rows.loc[kind, 'held']:.1%} are as asked for; {rows.loc[kind, 'valid_structure']:.1%} have a valid "
        f"structure, {free:.1%} without a constraint."
        for kind in (OF_ELEMENTS, OF_FORMULAS)
    )
