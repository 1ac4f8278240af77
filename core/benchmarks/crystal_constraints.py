"""Constraints on generated crystals: whether they hold, and what they cost in validity.

Crystals of any formula, of allowed elements, and of given formulas in their known cells, with any symmetry and with
that of prototypes, by `crystal-base`; of any formula and of allowed elements towards a Tc by `crystal-tc`. Validity by
the definitions of DiffCSP, with Wilson's intervals of 95%.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd
from scipy.stats import binomtest

from core.benchmarks import figures
from core.benchmarks.crystal_guidance import made
from core.benchmarks.harness import CACHE, Outcome
from core.chemistry.formula_reader import parse_formula
from core.chemistry.structure import Structure
from core.predictors.checkpoint import read_card
from core.reference_data.prototypes import NAME as LIBRARY
from core.runs.keyed_runs import key_of
from core.structures.diffusion import folder as samples
from core.structures.diffusion.names import BASE, WITH_TC
from core.structures.diffusion.request import GenerationRequest, cell_of, uses_bfloat16
from core.structures.diffusion.sampler import SamplerSettings
from core.structures.diffusion.template_draw import VERSION
from core.structures.diffusion.validity import structurally_valid, valid_compositions

ELEMENTS = ("B", "C", "N", "Mg", "Al", "Si", "Ti", "V", "Y", "Zr", "Nb", "Mo", "La", "Ta")
FORMULAS = {  # -> formula units in the primitive cell of the superconductor
    "MgB2": 1, "NbN": 1, "Nb3Sn": 2, "LaFeAsO": 2, "CaCuO2": 1, "YNi2B2C": 1, "FeSe": 2, "V3Si": 2, "LaH10": 1,
    "La2CuO4": 1,
}  # fmt: skip
TC_K, GUIDANCE = 10.0, 2.0
FREE, OF_ELEMENTS, OF_FORMULAS = "any formula", f"{len(ELEMENTS)} elements allowed", f"{len(FORMULAS)} formulas"
OF_PROTOTYPES = f"{OF_FORMULAS}, symmetry of prototypes"
GUIDED, GUIDED_ELEMENTS = (f"{kind}, towards {TC_K:g} K" for kind in (FREE, OF_ELEMENTS))
PAIRS = ((OF_ELEMENTS, FREE), (OF_FORMULAS, FREE), (OF_PROTOTYPES, FREE), (GUIDED_ELEMENTS, GUIDED))


@dataclass(frozen=True)
class CrystalConstraintsOptions:
    """Options of this benchmark.

    count : crystals of each kind; those of given formulas are as many together
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

    device, models = resolve_device(options.device), {}
    for name in (BASE, WITH_TC):
        models[name] = weights.load_crystal_network(name)
        models[name].network.to(device)
    sampler, rows = SamplerSettings(guidance=GUIDANCE, bfloat16=uses_bfloat16(device.type)), []
    for kind, requests in requests_of(options.count, options.seed, sampler).items():
        options.log(f"{options.count} crystals, {kind}")
        found: list[tuple[GenerationRequest, list[Structure | None]]] = []
        for request in requests:
            model = models[request.checkpoint]
            folder = options.cache / "crystal-constraints" / key_of([request.to_json(), model.card["sha256"], VERSION])
            samples.generate(folder, request, model, device)
            found.append((request, made(folder)))
        rows.append(row_of(kind, found))
    table = pd.DataFrame(rows)
    bars = table.assign(unit="share")
    figure = figures.bars(bars, "constraint", "valid_structure", "unit", "share with a valid structure")
    checksums = {name: read_card(name)["sha256"] for name in (BASE, WITH_TC, LIBRARY)}
    about = {"count": options.count, "seed": options.seed, "checkpoints": checksums}
    return Outcome(table, sentences(table), figure, about)


def requests_of(count: int, seed: int, sampler: SamplerSettings) -> dict[str, list[GenerationRequest]]:
    """Kind -> what is asked of the generator."""
    each = max(count // len(FORMULAS), 1)
    cells = [cell_of(parse_formula(formula), units) for formula, units in FORMULAS.items()]
    given = [GenerationRequest(each, seed, composition=cell, sampler=sampler) for cell in cells]
    return {
        FREE: [GenerationRequest(count, seed, sampler=sampler)],
        OF_ELEMENTS: [GenerationRequest(count, seed, allowed=ELEMENTS, sampler=sampler)],
        OF_FORMULAS: given,
        OF_PROTOTYPES: [replace(request, symmetric=True) for request in given],
        GUIDED: [GenerationRequest(count, seed, TC_K, sampler=sampler)],
        GUIDED_ELEMENTS: [GenerationRequest(count, seed, TC_K, allowed=ELEMENTS, sampler=sampler)],
    }


def row_of(kind: str, found: Sequence[tuple[GenerationRequest, Sequence[Structure | None]]]) -> dict:
    """Shares of the crystals of one kind; a sample that is no crystal holds no constraint."""
    every = [structure for _, own in found for structure in own]
    there = [structure for structure in every if structure is not None]
    held = sum(each is not None and holds(each, request) for request, own in found for each in own)
    valid = binomtest(sum(structurally_valid(each) for each in every), len(every))
    interval = valid.proportion_ci(method="wilson")
    return {
        "constraint": kind,
        "crystals": len(every),
        "held": held / len(every),
        "valid_structure": valid.statistic,
        "valid_structure_low": float(interval.low),
        "valid_structure_high": float(interval.high),
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
    return tuple(
        f"{kind}: {rows.loc[kind, 'held']:.1%} are as asked for; {_validity(rows.loc[kind])} have a valid structure, "
        f"{_validity(rows.loc[free])} without a constraint."
        for kind, free in PAIRS
    )


def _validity(row: pd.Series) -> str:
    low, high = row["valid_structure_low"], row["valid_structure_high"]
    return f"{row['valid_structure']:.1%} ({low:.1%} to {high:.1%})"
