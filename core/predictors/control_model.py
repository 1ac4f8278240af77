"""The judge: a model of its own, asked about every candidate and never climbed.

A gradient finds the flaws of the model that it climbs. The judge has others: sharp gradient-boosted trees (LightGBM,
Ke et al. 2017) on fractions and on statistics of element facts, after Magpie (Ward et al. 2016,
doi:10.1038/npjcompumats.2016.28). One set of trees says how high Tc is, for a superconductor; another, whether it is
one.
"""

from __future__ import annotations

import zlib
from functools import cache
from pathlib import Path

import numpy as np
import torch
from lightgbm import Booster

from core.paths import CHECKPOINTS
from core.predictors import checkpoint
from core.predictors.features.element_features import element_facts

NAME = "judge"
ARCHITECTURE = "tc-trees-v1"
BATCH = 4096


class Judge:
    """Trees for Tc in K (`height`) and for the probability of a superconductor (`chance`)."""

    def __init__(self, height: Booster, chance: Booster):
        self.height, self.chance = height, chance

    def tc_K(self, compositions: np.ndarray) -> np.ndarray:
        """Compositions (n, 118) -> Tc in K (n,), never negative: the height, less where the chance is below a half."""
        if not len(compositions):
            return np.zeros(0)
        return np.concatenate(
            [self._tc_K(described(compositions[i : i + BATCH])) for i in range(0, len(compositions), BATCH)]
        )

    def _tc_K(self, x: np.ndarray) -> np.ndarray:
        chance = np.asarray(self.chance.predict(x, num_threads=1))
        doubt = np.maximum(1 - 2 * chance, 0)
        return np.maximum(np.asarray(self.height.predict(x, num_threads=1)), 0) * (1 - doubt**2)


def described(compositions: np.ndarray) -> np.ndarray:
    """Compositions (n, 118) -> what the trees see (n, 118 + 4 facts + 1), float32.

    Fractions; weighted mean and spread, least and greatest of each element fact; number of elements.
    """
    facts = element_facts().double().numpy()
    present = compositions > 0
    mean = compositions @ facts
    spread = np.sqrt(np.maximum(compositions @ facts**2 - mean**2, 0))
    least = np.stack([np.where(present, fact, np.inf).min(1) for fact in facts.T], axis=1)
    greatest = np.stack([np.where(present, fact, -np.inf).max(1) for fact in facts.T], axis=1)
    count = present.sum(1, keepdims=True)
    return np.concatenate([compositions, mean, spread, least, greatest, count], axis=1).astype(np.float32)


def pack(booster: Booster) -> torch.Tensor:
    """Trees as LightGBM's own text, compressed: uint8."""
    return torch.frombuffer(bytearray(zlib.compress(booster.model_to_string().encode(), 9)), dtype=torch.uint8)


def unpack(content: torch.Tensor) -> Booster:
    """The inverse of `pack`."""
    return Booster(model_str=zlib.decompress(content.numpy().tobytes()).decode())


@cache
def load_judge(folder: Path = CHECKPOINTS) -> Judge:
    """The judge, loaded once per process. Raises CheckpointError."""
    tensors, _ = checkpoint.load(NAME, ARCHITECTURE, folder)
    return Judge(unpack(tensors["height"]), unpack(tensors["chance"]))
