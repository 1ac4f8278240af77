"""Classifier-free guidance (Ho and Salimans 2021): predictions with and without a Tc, combined.

eps = (1 + w) eps(c) - w eps(), the paper's equation: w = -1 is the network without a condition, w = 0 the one with it,
and w = 2 the paper's choice. The same equation holds for whatever is linear in the noise, the velocity of the lattice
and the score of the coordinates, and for the logarithms of the probabilities of the types: eps is the derivative of the
logarithm of a probability.
"""

from __future__ import annotations

import torch

from core.structures.diffusion.crystals import Crystals
from core.structures.diffusion.network import Condition, CrystalNet, Prediction

UNCONDITIONED = -1.0  # guidance weight


def guided(
    network: CrystalNet, crystals: Crystals, step: torch.Tensor, tc_K: float | None, weight: float
) -> Prediction:
    """The prediction with guidance towards a Tc; types are logarithms of probabilities, with guidance up to a constant.

    tc_K : None for no guidance. What has no weight is not computed.
    """
    if tc_K is None or weight == UNCONDITIONED:
        return _normalised(network(crystals, step))
    ones = torch.ones(len(crystals), device=step.device)
    conditioned = _normalised(network(crystals, step, Condition(tc_K * ones, ones)))
    if weight == 0:
        return conditioned
    return combined(conditioned, _normalised(network(crystals, step)), weight)


def _normalised(predicted: Prediction) -> Prediction:
    return predicted._replace(types=predicted.types.float().log_softmax(-1))


def combined(conditioned: Prediction, free: Prediction, weight: float) -> Prediction:
    """(1 + w) eps(c) - w eps()."""
    pairs = zip(conditioned, free, strict=True)
    return Prediction(*((1 + weight) * with_tc - weight * without for with_tc, without in pairs))
