"""Figure 2 of the guided diffusion: the Tc of crystals generated without a Tc, towards 10 K and towards 110 K.

The Tc is that of the model by structure, which has learned from the same calculated Tc as the generator. The first
crystals of each kind are relaxed by CHGNet too, because the paper estimates Tc after the relaxation; the others are
taken as made. Non-metals have no Tc, and count with 0 K where medians of all are compared; medians of the metals alone
stand beside them. The Tc of the tuning data is the calculated one, which the model's predictions are not: they are
nearer to the mean. Each kind has noise of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from core.benchmarks import figures
from core.benchmarks.harness import CACHE, Outcome
from core.chemistry.structure import Structure
from core.files import read_json, write_json
from core.predictors.checkpoint import read_card
from core.runs.keyed_runs import key_of
from core.structures.diffusion import folder as samples
from core.structures.diffusion.request import GenerationRequest, uses_bfloat16
from core.structures.diffusion.sampler import SamplerSettings
from core.structures.diffusion.validity import structurally_valid
from core.structures.diffusion.weights import CrystalModel
from core.structures.folder import Relaxer
from core.structures.interatomic import CHGNET
from core.structures.packed_structure import packed, unpacked
from core.structures.structure_models import METAL_NAME, TC_NAME, StructureModels
from core.structures.symmetry import space_group_of

ARMS = ((-1.0, 10.0), (2.0, 10.0), (2.0, 110.0))  # (w, Tc in K), as in the paper's parts a, b and c
UNCONDITIONAL = ARMS[0]
TUNING_DATA = "tuning data, calculated"
DRAWS = 10_000  # of the bootstrap
BINS_K = np.arange(0.0, 31.0, 2.0)  # of the histogram; higher ones count in the last


@dataclass(frozen=True)
class CrystalGuidanceOptions:
    """Options of this benchmark.

    count : crystals of each kind; 1,000 in the paper
    relaxed : how many valid crystals of each kind are relaxed too
    seed : of the noise
    data : folder of the raw data; None: as for trainings
    device : auto, cpu, cuda or mps
    cache : folder of the crystals, so that the benchmark resumes
    log : called with one line before each slow part
    """

    count: int = 1000
    relaxed: int = 200
    seed: int = 0
    data: Path | None = None
    device: str = "auto"
    cache: Path = field(default_factory=lambda: CACHE)
    log: Callable[[str], None] = field(default=lambda line: None, compare=False)

    @property
    def file_suffix(self) -> str:
        """Empty: there is one table."""
        return ""


def crystal_guidance(options: CrystalGuidanceOptions) -> Outcome:
    """Validity and Tc of each kind, and the shift of the median against w = −1 with its interval of 95%."""
    from core.predictors.device import resolve_device
    from core.structures.diffusion import weights
    from core.structures.diffusion.names import WITH_TC
    from core.structures.relaxation import RelaxationSettings
    from core.structures.search_work import relaxed_by_chgnet
    from core.structures.structure_models import load_structure_models
    from core.training.crystal_data import read_tuning
    from core.training.data import data_folder

    learnt, _, _ = read_tuning(data_folder(options.data))
    model, device = weights.load_crystal_network(WITH_TC), resolve_device(options.device)
    model.network.to(device)
    relaxer, properties = relaxed_by_chgnet(RelaxationSettings()), load_structure_models()
    found = {}
    for number, (weight, tc_K) in enumerate(ARMS):
        options.log(f"{options.count} crystals with w = {weight:g} towards {tc_K:g} K")
        sampler = SamplerSettings(guidance=weight, bfloat16=uses_bfloat16(device.type))
        request = GenerationRequest(options.count, len(ARMS) * options.seed + number, tc_K, sampler=sampler)
        folder = options.cache / "crystal-guidance" / key_of([request.to_json(), model.card["sha256"]])
        found[weight, tc_K] = measured(folder, request, model, device, properties, relaxer, options)
    table = table_of(found, learnt.tc_K)
    about = {"count": options.count, "relaxed": options.relaxed, "seed": options.seed, "potential": CHGNET,
             "checkpoints": {name: read_card(name)["sha256"] for name in (WITH_TC, METAL_NAME, TC_NAME)}}  # fmt: skip
    return Outcome(table, sentences(table), histogram(found, learnt.tc_K), about)


@dataclass(frozen=True)
class Arm:
    """The crystals of one kind.

    count : all samples; valid : those with a valid structure
    tc_K : (valid,) as made, 0 for non-metals; metals : (valid,) bool
    relaxed_tc_K : of the relaxed ones, 0 for non-metals; unrelaxed : how many of those tried did not relax
    """

    count: int
    tc_K: np.ndarray
    metals: np.ndarray
    relaxed_tc_K: np.ndarray
    unrelaxed: int

    @property
    def valid(self) -> int:
        """The number of valid crystals."""
        return len(self.tc_K)

    @property
    def metal_tc_K(self) -> np.ndarray:
        """Tc of the metals in K, as made."""
        return self.tc_K[self.metals]


def measured(
    folder: Path, request: GenerationRequest, model: CrystalModel, device: torch.device, properties: StructureModels,
    relaxer: Relaxer, options: CrystalGuidanceOptions,
) -> Arm:  # fmt: skip
    """One kind of crystals: generated, or taken from the folder as far as they are there."""
    samples.generate(folder, request, model, device)
    valid = [each for each in made(folder) if each is not None and structurally_valid(each)]
    tc_K, metals = said(properties, valid)
    relaxed: list[Structure | None] = []
    for number, structure in enumerate(valid[: options.relaxed]):
        path = folder / "relaxed" / f"{number}.json"
        stored = read_json(path)
        if stored is None:
            options.log(f"relaxing {number + 1} of {min(options.relaxed, len(valid))}: {structure.formula}")
            stored = _relaxed(structure, relaxer)
            path.parent.mkdir(exist_ok=True)
            write_json(path, stored)
        relaxed.append(unpacked(stored["structure"]) if stored["structure"] else None)
    kept = [each for each in relaxed if each is not None]
    return Arm(request.count, tc_K, metals, said(properties, kept)[0], len(relaxed) - len(kept))


def made(folder: Path) -> list[Structure | None]:
    """The samples of a folder in their order."""
    found: list[Structure | None] = []
    for path in sorted((folder / samples.BLOCKS).glob("*.json")):
        stored = read_json(path) or {"structures": []}
        found += [None if each is None else unpacked(each) for each in stored["structures"]]
    return found


def said(properties: StructureModels, structures: Sequence[Structure]) -> tuple[np.ndarray, np.ndarray]:
    """Tc (n,) in K, 0 for non-metals, and whether each is a metal (n,)."""
    found = properties.properties(structures, [space_group_of(each) for each in structures])
    tc_K = np.array([each.tc_K for each in found])
    return np.nan_to_num(tc_K, nan=0.0), np.isfinite(tc_K)


def _relaxed(structure: Structure, relaxer: Relaxer) -> dict[str, dict | None]:
    """A relaxed crystal as JSON; None if it does not relax."""
    relaxation = relaxer(structure, lambda: False)
    return {"structure": packed(relaxation.structure) if relaxation.converged else None}


def table_of(found: dict[tuple[float, float], Arm], tuning_tc_K: np.ndarray) -> pd.DataFrame:
    """One row for the tuning data and one for each kind."""
    base = found[UNCONDITIONAL]
    rows: list[dict] = [
        {"guidance": TUNING_DATA, "crystals": len(tuning_tc_K), "tc_median_K": float(np.median(tuning_tc_K)),
         "above_5_K": float(np.mean(tuning_tc_K > 5))}
    ]  # fmt: skip
    for key, arm in found.items():
        pairs = (base.tc_K, arm.tc_K), (base.metal_tc_K, arm.metal_tc_K), (base.relaxed_tc_K, arm.relaxed_tc_K)
        unshifted = (np.nan, np.nan)
        (low, high), (metal_low, metal_high), (relaxed_low, relaxed_high) = (
            shift_K(*pair) if key != UNCONDITIONAL else unshifted for pair in pairs
        )
        rows.append({
            "guidance": name_of(*key), "crystals": arm.count, "valid_structure": arm.valid / arm.count,
            "metals": _mean(arm.metals), "tc_median_K": _median(arm.tc_K), "above_5_K": _mean(arm.tc_K > 5),
            "shift_low_K": low, "shift_high_K": high, "metal_tc_median_K": _median(arm.metal_tc_K),
            "metal_shift_low_K": metal_low, "metal_shift_high_K": metal_high, "relaxed": len(arm.relaxed_tc_K),
            "not_relaxed": arm.unrelaxed, "relaxed_tc_median_K": _median(arm.relaxed_tc_K),
            "relaxed_shift_low_K": relaxed_low, "relaxed_shift_high_K": relaxed_high,
        })  # fmt: skip
    return pd.DataFrame(rows)


def name_of(weight: float, tc_K: float) -> str:
    """A kind in words."""
    return "w = −1, no Tc" if weight == -1 else f"w = {weight:g}, {tc_K:g} K"


def shift_K(before: np.ndarray, after: np.ndarray) -> tuple[float, float]:
    """The interval of 95% of the difference of medians, by the bootstrap; NaN for fewer than two values."""
    if min(len(before), len(after)) < 2:
        return float("nan"), float("nan")
    random = np.random.default_rng(0)
    medians = [np.median(random.choice(values, (DRAWS, len(values))), axis=1) for values in (before, after)]
    low, high = np.percentile(medians[1] - medians[0], [2.5, 97.5])
    return float(low), float(high)


def _median(values: np.ndarray) -> float:
    return float(np.median(values)) if len(values) else float("nan")


def _mean(values: np.ndarray) -> float:
    return float(np.mean(values)) if len(values) else float("nan")


def sentences(table: pd.DataFrame) -> tuple[str, ...]:
    """What the guidance does."""
    rows = table.set_index("guidance")
    base = rows.loc[name_of(*UNCONDITIONAL)]
    found = []
    for key in ARMS[1:]:
        row = rows.loc[name_of(*key)]
        median, shift = row["tc_median_K"], _interval(row["shift_low_K"], row["shift_high_K"])
        relaxed = _interval(row["relaxed_shift_low_K"], row["relaxed_shift_high_K"])
        metals = _interval(row["metal_shift_low_K"], row["metal_shift_high_K"])
        found.append(
            f"Towards {key[1]:g} K with w = {key[0]:g} the median Tc by structure is {median:.1f} K, without a Tc "
            f"{base['tc_median_K']:.1f} K, a shift of {shift}; of the metals alone {row['metal_tc_median_K']:.1f} and "
            f"{base['metal_tc_median_K']:.1f} K, {metals}; of {row['relaxed']:.0f} relaxed crystals it is "
            f"{row['relaxed_tc_median_K']:.1f} K, a shift of {relaxed}."
        )
    tuning = rows.loc[TUNING_DATA]
    found.append(
        f"The tuning data have a median of {tuning['tc_median_K']:.1f} K, calculated. No crystal of the paper is "
        "reproduced here: data, network and the model of Tc are others."
    )
    return tuple(found)


def _interval(low_K: float, high_K: float) -> str:
    return f"{low_K:+.1f} to {high_K:+.1f} K (95%)"


def histogram(found: dict[tuple[float, float], Arm], tuning_tc_K: np.ndarray) -> dict:
    """The share of crystals in each interval of Tc."""
    middles = ((BINS_K[:-1] + BINS_K[1:]) / 2).tolist()
    series: dict[str, tuple[list[float], list[float]]] = {"tuning data": (middles, shares(tuning_tc_K).tolist())}
    for key, arm in found.items():
        series[name_of(*key).replace(",", ":")] = (middles, shares(arm.tc_K).tolist())
    return figures.lines(series, "Tc (K)", "share of the crystals")


def shares(tc_K: np.ndarray) -> np.ndarray:
    """The share of values in each of the BINS_K, those beyond in the last one."""
    counts, _ = np.histogram(np.clip(tc_K, BINS_K[0], BINS_K[-1] - 1e-9), BINS_K)
    return counts / max(len(tc_K), 1)
