"""The learned order of the candidate structures of a formula: boosted trees on `ranking_features`.

The score of a candidate is the logarithm of the odds that it is a known structure of the formula.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from core.paths import CHECKPOINTS
from core.predictors import checkpoint
from core.predictors.control_model import Trees, unpack
from core.structures.ranking_features import NAMES

NAME = "structure-ranking"
ARCHITECTURE = "structure-ranking-trees-v1"


class Ranking:
    """Boosted trees that give each candidate a score."""

    def __init__(self, trees: Trees):
        self._trees = trees

    def scores(self, features: np.ndarray) -> np.ndarray:
        """Features (n, len(NAMES)) -> scores (n,), higher for likelier candidates."""
        if not len(features):
            return np.zeros(0)
        probability = np.asarray(self._trees.predict(features, num_threads=1))
        return np.log(np.maximum(probability, 1e-9) / np.maximum(1 - probability, 1e-9))


@cache
def load_ranking(folder: Path = CHECKPOINTS) -> Ranking:
    """The ranking, loaded once per process. Raises CheckpointError; also for one that was fitted on other features."""
    tensors, card = checkpoint.load(NAME, ARCHITECTURE, folder)
    if tuple(card["features"]) != NAMES:
        raise checkpoint.CheckpointError(
            f"The card of {NAME} names other features. Fit it again: python -m core train {NAME}."
        )
    return Ranking(unpack(tensors["trees"]))
