"""An example for teaching: a few crystals on their way from noise, with the guidance towards a Tc weak to strong.

The noise is the same for every weight, so that the crystals of one number differ by the guidance alone. Of those made,
the ones are shown that are metals with every weight and whose Tc rises most from w = -1 to w = 2; how many rise is
counted over all metals.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
import pandas as pd
import torch

from core.benchmarks import figures
from core.benchmarks.crystal_guidance import CrystalGuidanceOptions, said
from core.benchmarks.harness import Outcome
from core.errors import InputError
from core.predictors.checkpoint import read_card
from core.structures.diffusion.request import uses_bfloat16
from core.structures.diffusion.sampler import SamplerSettings, Task, Wanted, init, step
from core.structures.diffusion.validity import structurally_valid
from core.structures.diffusion.ways import Moment, WayRecorder
from core.structures.diffusion.weights import CrystalModel
from core.structures.packed_structure import packed
from core.structures.structure_models import METAL_NAME, TC_NAME, StructureModels
from core.structures.symmetry import space_group_of

TC_K = 10.0
WEIGHTS = (-1.0, 0.0, 1.0, 2.0, 4.0)
CANDIDATES, SAMPLES, MOMENTS = 64, 4, 20  # crystals made, those shown, moments of each way beside the noise


def example(options: CrystalGuidanceOptions) -> Outcome:
    """The structure of each crystal at some steps, for each weight, and its Tc at the end."""
    from core.predictors.device import resolve_device
    from core.structures.diffusion import weights
    from core.structures.diffusion.names import WITH_TC
    from core.structures.structure_models import load_structure_models

    model, device = weights.load_crystal_network(WITH_TC), resolve_device(options.device)
    model.network.to(device)
    ways = {}
    for weight in WEIGHTS:
        options.log(f"{CANDIDATES} crystals with w = {weight:g} towards {TC_K:g} K")
        ways[weight] = recorded(model, weight, options.seed, device)
    table, counts = table_of(ways, load_structure_models())
    medians = table[table["step"] == table["step"].max()].groupby("weight")["tc_K"].median()
    figure = figures.lines({"crystals shown": (list(medians.index), list(medians))}, "weight w", "median Tc (K)")
    checksums = {name: read_card(name)["sha256"] for name in (WITH_TC, TC_NAME, METAL_NAME)}
    about = {"seed": options.seed, "tc_K": TC_K, **counts, "checkpoints": checksums}
    return Outcome(table, sentences(table, counts), figure, about)


def recorded(model: CrystalModel, weight: float, seed: int, device: torch.device) -> dict[int, list[Moment]]:
    """Number of a crystal -> its way."""
    settings = SamplerSettings(guidance=weight, bfloat16=uses_bfloat16(device.type))
    task = Task(model.network, model.sizes, seed, 0, CANDIDATES, Wanted(TC_K), settings, device)
    recorder, state = WayRecorder(task, MOMENTS), init(task)
    recorder(state)
    for _ in range(settings.steps):
        state = step(task, state)
        recorder(state)
    return recorder.ways


def table_of(
    ways: dict[float, dict[int, list[Moment]]], properties: StructureModels
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Some crystals that are valid with every weight, see the module: a row for each weight and moment; and counts.

    structure : lattice, symbols and positions as JSON; tc_K, metal, space_group : of the finished crystal
    The counts are of all crystals made, of those that are metals with every weight, and of these the ones whose Tc is
    higher with w = 2 than with w = -1.

    Raises InputError if there is none.
    """
    numbers = sorted(number for number in set.intersection(*map(set, ways.values())) if _valid(ways, number))
    made = {weight: [own[number][-1].structure for number in numbers] for weight, own in ways.items()}
    of_weight = {weight: said(properties, found) for weight, found in made.items()}
    metals = np.all([metal for _, metal in of_weight.values()], axis=0) if numbers else np.zeros(0, bool)
    rises_K = of_weight[2.0][0] - of_weight[-1.0][0] if numbers else np.zeros(0)
    counts = {"crystals": CANDIDATES, "metals": int(metals.sum()), "rising": int((metals & (rises_K > 0)).sum())}
    rows = []
    for sample, place in enumerate(np.lexsort((-rises_K, ~metals))[:SAMPLES], start=1):
        for weight, own in ways.items():
            tc_K, metal = of_weight[weight]
            group = space_group_of(made[weight][place])
            rows += [
                {"sample": sample, "weight": weight, "step": each.step, "formula": each.structure.formula,
                 "structure": json.dumps(packed(each.structure), separators=(",", ":")), "tc_K": float(tc_K[place]),
                 "metal": bool(metal[place]), "space_group": group}
                for each in own[numbers[place]]
            ]  # fmt: skip
    if not rows:
        raise InputError("crystals", CANDIDATES, "none of them is valid with every weight", "Try another seed")
    return pd.DataFrame(rows), counts


def _valid(ways: dict[float, dict[int, list[Moment]]], number: int) -> bool:
    """Whether a crystal is finished and has a valid structure with every weight."""
    lasts = [own[number][-1] for own in ways.values()]
    return all(last.step == SamplerSettings().steps and structurally_valid(last.structure) for last in lasts)


def sentences(table: pd.DataFrame, counts: Mapping[str, int]) -> tuple[str, ...]:
    """How the crystals were chosen, and what they become with each weight."""
    last = table[table["step"] == table["step"].max()]
    chosen = (
        f"Of {counts['crystals']} crystals {counts['metals']} are metals with every weight; in {counts['rising']} of "
        "them the Tc by structure is higher with w = 2 than with w = −1, and those with the largest rise are shown."
    )
    return (
        chosen,
        *(f"w = {weight:g}: {', '.join(part['formula'])}." for weight, part in last.groupby("weight")),
    )
