"""The funnel of crystals generated towards a Tc, and how many of them end near the hull.

Crystals are generated towards 10 K with the guidance w = 2 and screened as by `python -m core generate --screen`. The
funnel asks for the hull only those that pass every other step; so the first crystals, whatever they are, are also
relaxed and placed on the hull of the potential.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from core.benchmarks import figures
from core.benchmarks.harness import CACHE, Outcome
from core.benchmarks.structure_hull import REFERENCES
from core.errors import InputError
from core.predictors.checkpoint import read_card
from core.reference_data.prototypes import NAME as LIBRARY
from core.runs.keyed_runs import key_of
from core.structures.diffusion import folder as samples
from core.structures.diffusion import funnel
from core.structures.diffusion.funnel import FunnelSettings, FunnelWork, Row
from core.structures.diffusion.names import WITH_TC
from core.structures.diffusion.request import GenerationRequest, uses_bfloat16
from core.structures.diffusion.sampler import SamplerSettings
from core.structures.files import read_cif
from core.structures.interatomic import CHGNET
from core.structures.packed_structure import packed
from core.structures.structure_models import METAL_NAME, TC_NAME

TC_K, GUIDANCE = 10.0, 2.0
SURVIVORS = 10  # in the record, by Tc, with their structures
REASONS = 3  # of each step, the commonest
KEPT = ("number", "formula", "n_atoms", "space_group", "tc_structure_K", "formation_energy_eV_per_atom",
        "energy_above_hull_eV_per_atom", "metal_probability", "competing_phases")  # fmt: skip


@dataclass(frozen=True)
class CrystalFunnelOptions:
    """Options of this benchmark.

    count : crystals; relaxed : how many of them, the first ones, are placed on the hull
    seed : of the noise
    device : auto, cpu, cuda or mps
    cache : folder of the crystals and of the energies of references, so that the benchmark resumes
    log : called with one line for each slow part

    Raises InputError for more crystals on the hull than there are.
    """

    count: int = 1000
    relaxed: int = 100
    seed: int = 0
    device: str = "auto"
    cache: Path = field(default_factory=lambda: CACHE)
    log: Callable[[str], None] = field(default=lambda line: None, compare=False)

    def __post_init__(self):
        if not 0 < self.relaxed <= self.count:
            raise InputError("relaxed", self.relaxed, f"1 to {self.count} crystals are placed on the hull",
                             "Choose another number")  # fmt: skip

    @property
    def file_suffix(self) -> str:
        """Empty: there is one table."""
        return ""


def crystal_funnel(options: CrystalFunnelOptions) -> Outcome:
    """One row for each step of the funnel. Raises CheckpointError without the checkpoints."""
    from core.predictors.device import resolve_device
    from core.structures.diffusion import weights
    from core.structures.prototypes import load_finder
    from core.structures.relaxing_processes import RelaxingProcesses
    from core.structures.search_work import funnel_work

    model, device = weights.load_crystal_network(WITH_TC), resolve_device(options.device)
    model.network.to(device)
    sampler = SamplerSettings(guidance=GUIDANCE, bfloat16=uses_bfloat16(device.type))
    request = GenerationRequest(options.count, options.seed, TC_K, sampler=sampler)
    folder = options.cache / "crystal-funnel" / key_of([request.to_json(), model.card["sha256"]])
    options.log(f"{options.count} crystals with w = {GUIDANCE:g} towards {TC_K:g} K")
    samples.generate(folder, request, model, device)
    with RelaxingProcesses() as processes:
        work = funnel_work(load_finder(), options.cache / REFERENCES, told=options.log, processes=processes)
        return outcome(folder, work, options)


def outcome(folder: Path, work: FunnelWork, options: CrystalFunnelOptions) -> Outcome:
    """The funnel of the crystals in a folder, and the hull of the first ones."""
    rows = funnel.screen(folder, FunnelSettings(), work, told=lambda done, every: options.log(f"{done} of {every}"))
    assert rows is not None  # nothing stops it
    above = funnel.above_hull_eV_per_atom(folder, work, options.relaxed, told=options.log)
    limit = FunnelSettings().most_above_hull_eV_per_atom
    near = sum(each is not None and each <= limit for each in above)
    table = table_of(rows)
    about = {
        "count": options.count, "seed": options.seed, "tc_K": TC_K, "guidance": GUIDANCE, "potential": CHGNET,
        "placed": len(above), "relaxed": sum(each is not None for each in above), "near_hull": near,
        "by_number_of_elements": {str(n): share for n, share in funnel.by_number_of_elements(rows).items()},
        "survivors": survivors(folder, rows),
        "checkpoints": {name: read_card(name)["sha256"] for name in (WITH_TC, TC_NAME, METAL_NAME, LIBRARY)},
    }  # fmt: skip
    said = (*sentences(rows), hull_sentence(len(above), near, limit))
    figure = figures.bars(table.assign(unit="crystals"), "step", "left", "unit", "crystals left")
    return Outcome(table, said, figure, about)


def table_of(rows: Sequence[Row]) -> pd.DataFrame:
    """Step, crystals left, their share of all, and the commonest reasons of those that are lost at it."""
    reasons: dict[str, Counter] = {}
    for row in rows:
        reasons.setdefault(row["lost_at"], Counter())[funnel.kind_of_reason(row)] += 1
    return pd.DataFrame(
        {
            "step": funnel.label_of(step),
            "left": left,
            "share": left / len(rows),
            "reasons": "; ".join(f"{text}: {n}" for text, n in reasons.get(step, Counter()).most_common(REASONS)),
        }
        for step, left in funnel.counts(rows)
    )


def survivors(folder: Path, rows: Sequence[Row]) -> list[Mapping[str, object]]:
    """The crystals that pass, those with the highest Tc, each with its relaxed structure."""
    passing = sorted((row for row in rows if not row["lost_at"]), key=lambda row: -float(row["tc_structure_K"]))
    return [
        {name: row[name] for name in KEPT}
        | {"structure": packed(read_cif((folder / row["cif"]).read_text(encoding="utf-8"), row["cif"]))}
        for row in passing[:SURVIVORS]
    ]


def sentences(rows: Sequence[Row]) -> tuple[str, ...]:
    """How many pass, and of how many elements they are."""
    passing = sum(not row["lost_at"] for row in rows)
    first = (
        f"{passing} of {len(rows):,} crystals pass every step; none is confirmed by density functional theory, and "
        "phonons are not calculated."
    )
    return tuple(text for text in (first, funnel.elements_text(rows)) if text)


def hull_sentence(tried: int, near: int, limit_eV_per_atom: float) -> str:
    """The share near the hull."""
    return (
        f"Of the first {tried}, whatever they are, {near} ({near / tried:.0%}) relax and end within "
        f"{limit_eV_per_atom:g} eV/atom of the hull."
    )
