"""The control model: a second model of Tc that predicts every candidate and is never optimised.

Optimisation by gradient exploits the errors of the optimised model; the control model has different errors. It
consists of gradient-boosted trees with hard splits (LightGBM, Ke et al. 2017) on fractions and on statistics of element
properties, after Magpie (Ward et al. 2016, doi:10.1038/npjcompumats.2016.28). One set of trees predicts Tc of a
superconductor; another classifies superconductors. It is trained on the same data as the optimised models, so it is
neither independent of them nor held out.
"""

from __future__ import annotations

import zlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch

from core.paths import CHECKPOINTS
from core.predictors import checkpoint
from core.predictors.features.element_features import element_features
from core.predictors.info import Role

if TYPE_CHECKING:
    from lightgbm import Booster

NAME = "judge"  # of the checkpoint; the column of the candidate table is tc_judge_K
ARCHITECTURE = "tc-trees-v1"
BATCH = 4096


class Trees(Protocol):
    """Boosted trees, as LightGBM's Booster."""

    def predict(self, x: np.ndarray, /, *, num_threads: int) -> object:
        """Features (n, f) -> predictions (n,)."""
        ...


class ControlModel:
    """Trees for Tc of a superconductor in K (`tc`) and for the probability of a superconductor (`probability`)."""

    def __init__(self, tc: Trees, probability: Trees):
        self.tc, self.probability = tc, probability

    def tc_K(self, compositions: np.ndarray) -> np.ndarray:
        """Compositions (n, 118) -> Tc in K (n,), never negative.

        Tc predicted by the trees is multiplied by 1 - max(0, 1 - 2p)^2, where p is the probability of a superconductor.
        The factor is below 1 only if p < 0.5.
        """
        if not len(compositions):
            return np.zeros(0)
        return np.concatenate(
            [self._tc_K(tree_features(compositions[i : i + BATCH])) for i in range(0, len(compositions), BATCH)]
        )

    def _tc_K(self, x: np.ndarray) -> np.ndarray:
        probability = np.asarray(self.probability.predict(x, num_threads=1))
        doubt = np.maximum(1 - 2 * probability, 0)
        return np.maximum(np.asarray(self.tc.predict(x, num_threads=1)), 0) * (1 - doubt**2)


def tree_features(compositions: np.ndarray) -> np.ndarray:
    """Compositions (n, 118) -> the features of the trees (n, 118 + 4 properties + 1), float32.

    Fractions; weighted mean and standard deviation, minimum and maximum of each element property; number of elements.
    """
    properties = element_features().double().numpy()
    present = compositions > 0
    mean = compositions @ properties
    deviation = np.sqrt(np.maximum(compositions @ properties**2 - mean**2, 0))
    least = np.stack([np.where(present, each, np.inf).min(1) for each in properties.T], axis=1)
    greatest = np.stack([np.where(present, each, -np.inf).max(1) for each in properties.T], axis=1)
    count = present.sum(1, keepdims=True)
    return np.concatenate([compositions, mean, deviation, least, greatest, count], axis=1).astype(np.float32)


def pack(booster: Booster) -> torch.Tensor:
    """Trees in LightGBM's text format, compressed by zlib: (bytes,) uint8."""
    return torch.frombuffer(bytearray(zlib.compress(booster.model_to_string().encode(), 9)), dtype=torch.uint8)


def unpack(content: torch.Tensor) -> Booster:
    """The inverse of `pack`."""
    from lightgbm import Booster

    return Booster(model_str=zlib.decompress(content.numpy().tobytes()).decode())


@cache
def load_control_model(name: str = NAME, folder: Path = CHECKPOINTS) -> ControlModel:
    """The control model, loaded once per process. Raises CheckpointError."""
    tensors, card = checkpoint.load(name, ARCHITECTURE, folder)
    checkpoint.check_role(name, card, Role.CONTROL)
    with checkpoint.refusing_what_does_not_fit(name):
        return ControlModel(unpack(tensors["height"]), unpack(tensors["chance"]))
