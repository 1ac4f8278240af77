"""Classifier-free guidance (Ho and Salimans 2021): predictions with and without a Tc, combined.

eps = (1 + w) eps(c) - w eps(), the paper's equation: w = -1 is the network without a condition, w = 0 the one with it,
and w = 2 the paper's choice. The same equation holds for whatever is linear in the noise: the velocity of the lattice,
the score of the coordinates, and the probabilities of the types.
"""

from __future__ import annotations

import torch

from core.structures.diffusion.crystals import Crystals
from core.structures.diffusion.network import Condition, CrystalNet, Prediction

UNCONDITIONED = -1.0  # guidance weight


def guided(
    network: CrystalNet, crystals: Crystals, step: torch.Tensor, known: torch.Tensor, tc_K: float | None, weight: float
) -> Prediction:
    """The prediction with guidance towards a Tc, with probabilities of the types instead of their logarithms.

    tc_K : None for no guidance. What has no weight is not computed. With guidance, a probability can be below 0.
    """
    if tc_K is None or weight == UNCONDITIONED:
        return _with_probabilities(network(crystals, step, known))
    ones = torch.ones(len(crystals), device=step.device)
    conditioned = _with_probabilities(network(crystals, step, known, Condition(tc_K * ones, ones)))
    if weight == 0:
        return conditioned
    return combined(conditioned, _with_probabilities(network(crystals, step, known)), weight)


def _with_probabilities(predicted: Prediction) -> Prediction:
    return predicted._replace(types=predicted.types.float().softmax(-1))


def combined(conditioned: Prediction, free: Prediction, weight: float) -> Prediction:
    """(1 + w) eps(c) - w eps()."""
    pairs = zip(conditioned, free, strict=True)
    return Prediction(*((1 + weight) * with_tc - weight * without for with_tc, without in pairs))
