"""What a structure lets one say by models: metal or not, and Tc by electron-phonon coupling.

`metal-classifier` gives the probability that PBE calculations find no band gap. `tc-structure` predicts the Tc that
calculations of the electron-phonon coupling give (McMillan-Allen-Dynes, mu* = 0.09): it holds for conventional
superconductors only, and is never a measured Tc. Both are boosted trees (LightGBM, Ke et al. 2017) on
`core.structures.property_features`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from core.chemistry.structure import Structure
from core.paths import CHECKPOINTS
from core.predictors import checkpoint
from core.predictors.control_model import Trees, unpack
from core.structures.property_features import NAMES, features

METAL_NAME, METAL_ARCHITECTURE = "metal-classifier", "metal-trees-v1"
TC_NAME, TC_ARCHITECTURE = "tc-structure", "tc-structure-trees-v1"
METAL, NON_METAL = "metal", "non-metal"


@dataclass(frozen=True)
class StructureProperties:
    """What the models say of a structure.

    metal_probability : that PBE finds no band gap
    tc_K : by the model of electron-phonon calculations; NaN for a non-metal, of which the model has learnt none
    """

    metal_probability: float
    tc_K: float

    @property
    def band_gap_class(self) -> str:
        """METAL or NON_METAL."""
        return METAL if self.metal_probability >= 0.5 else NON_METAL


class MetalClassifier:
    """Boosted trees for the probability of a metal, of which `threshold` separates metals and non-metals.

    The probability of the trees is moved so that the threshold, at which both classes are right equally often, is 0.5.
    """

    def __init__(self, trees: Trees, threshold: float = 0.5):
        self._trees = trees
        self._shift = math.log(threshold / (1 - threshold))

    def probabilities(self, x: np.ndarray) -> np.ndarray:
        """Features (n, f) -> probabilities (n,)."""
        if not len(x):
            return np.zeros(0)
        p = np.clip(np.asarray(self._trees.predict(x, num_threads=1)), 1e-9, 1 - 1e-9)
        return 1 / (1 + (1 - p) / p * math.exp(self._shift))


class TcByStructure:
    """The mean of several sets of boosted trees for the square root of Tc."""

    def __init__(self, members: Sequence[Trees]):
        self._members = list(members)

    def tc_K(self, x: np.ndarray) -> np.ndarray:
        """Features (n, f) -> Tc in K (n,), never negative."""
        if not len(x):
            return np.zeros(0)
        roots = [np.maximum(np.asarray(each.predict(x, num_threads=1)), 0) for each in self._members]
        return np.mean([each**2 for each in roots], axis=0)


class StructureModels:
    """Both models, applied to structures."""

    def __init__(self, metal: MetalClassifier, tc: TcByStructure):
        self._metal, self._tc = metal, tc

    def properties(self, structures: Sequence[Structure], space_groups: Sequence[int]) -> list[StructureProperties]:
        """The properties of structures with these space groups, international numbers at `symmetry.SYMPREC_A`."""
        if not structures:
            return []
        x = features(structures, space_groups)
        metal, tc_K = self._metal.probabilities(x), self._tc.tc_K(x)
        return [
            StructureProperties(float(p), float(t) if p >= 0.5 else math.nan) for p, t in zip(metal, tc_K, strict=True)
        ]


@cache
def load_metal_classifier(folder: Path = CHECKPOINTS) -> MetalClassifier:
    """The classifier, loaded once per process. Raises CheckpointError; also for one fitted on other features."""
    tensors, card = _load(METAL_NAME, METAL_ARCHITECTURE, folder)
    with checkpoint.refusing_what_does_not_fit(METAL_NAME):
        return MetalClassifier(unpack(tensors["trees"]), float(card["threshold"]))


@cache
def load_tc_by_structure(folder: Path = CHECKPOINTS) -> TcByStructure:
    """The model of Tc, loaded once per process. Raises CheckpointError; also for one fitted on other features."""
    tensors, _ = _load(TC_NAME, TC_ARCHITECTURE, folder)
    with checkpoint.refusing_what_does_not_fit(TC_NAME):
        return TcByStructure([unpack(tensors[name]) for name in sorted(tensors) if name.startswith("trees")])


def load_structure_models(folder: Path = CHECKPOINTS) -> StructureModels:
    """Both models. Raises CheckpointError."""
    return StructureModels(load_metal_classifier(folder), load_tc_by_structure(folder))


def _load(name: str, architecture: str, folder: Path) -> tuple[dict, dict]:
    tensors, card = checkpoint.load(name, architecture, folder)
    if tuple(card.get("features", ())) != NAMES:
        raise checkpoint.CheckpointError(
            f"The card of {name} names other features. Fit it again: python -m core train {name}."
        )
    return tensors, card
