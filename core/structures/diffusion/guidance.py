"""Classifier-free guidance (Ho and Salimans 2021): predictions with and without a Tc, combined.

eps = (1 + w) eps(c) - w eps(), the paper's equation: w = -1 is the network without a condition, w = 0 the one with it,
and w = 2 the paper's choice.
"""

from __future__ import annotations

import torch

from core.structures.diffusion.crystals import Crystals
from core.structures.diffusion.network import Condition, CrystalNet, Noise

UNCONDITIONED = -1.0  # guidance weight


def guided(
    network: CrystalNet, crystals: Crystals, step: torch.Tensor, known: torch.Tensor, tc_K: float | None, weight: float
) -> Noise:
    """The prediction with guidance towards a Tc; what has no weight is not computed. tc_K : None for no guidance"""
    if tc_K is None or weight == UNCONDITIONED:
        return network(crystals, step, known)
    ones = torch.ones(len(crystals), device=step.device)
    conditioned = network(crystals, step, known, Condition(tc_K * ones, ones))
    if weight == 0:
        return conditioned
    return combined(conditioned, network(crystals, step, known), weight)


def combined(conditioned: Noise, free: Noise, weight: float) -> Noise:
    """(1 + w) eps(c) - w eps()."""
    pairs = zip(conditioned, free, strict=True)
    return Noise(*((1 + weight) * with_tc - weight * without for with_tc, without in pairs))
