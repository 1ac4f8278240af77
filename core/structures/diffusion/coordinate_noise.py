"""Noise in fractional coordinates: the wrapped normal distribution, variance exploding.

A coordinate after step t is x_0 + sigma_t z modulo 1 with normal z, and sigma_t rises geometrically from 0.005 to 0.5
over 1,000 steps. Its density is p(x) = sum_k N(x + k; sigma), and the score d ln p / dx is what a network learns. After
Jiao et al. 2023 (DiffCSP, arXiv:2309.04475), with their 21 images k = -10 .. 10. Steps are counted from 0, the least
noisy one.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch

from core.generation.diffusion.noise_schedule import STEPS

LEAST_SIGMA, MOST_SIGMA = 0.005, 0.5  # in units of the cell
IMAGES = 10  # on each side
_POINTS, _REACH = 200, 10.0  # of the quadrature: its points, and its range in units of sigma


def sigmas(steps: int = STEPS) -> np.ndarray:
    """sigma of each step (steps,)."""
    return np.geomspace(LEAST_SIGMA, MOST_SIGMA, steps)


def score(displacement: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
    """d ln p / dx at a displacement x of any size, in inverse cells; `sigma` is broadcast to it.

    The images are counted from the nearest one.
    """
    nearest = displacement - displacement.round()
    images = torch.arange(-IMAGES, IMAGES + 1, device=nearest.device, dtype=nearest.dtype)
    places, variance = nearest[..., None] + images, sigma.square()[..., None]
    weights = (places.square() / (-2 * variance)).softmax(-1)
    return -(weights * places).sum(-1) / sigma.square()


@cache
def score_rms() -> np.ndarray:
    """Root mean square of the score (steps,) at each step, under its own density, by quadrature over one period."""
    sigma = torch.from_numpy(sigmas())[:, None]
    reach = torch.clamp(_REACH * sigma, max=0.5)
    x = reach * torch.linspace(-1, 1, _POINTS + 1, dtype=torch.float64)[:-1]
    density = torch.exp(-(x[..., None] + torch.arange(-IMAGES, IMAGES + 1)).square() / (2 * sigma[..., None] ** 2))
    weight = density.sum(-1)
    return ((weight * score(x, sigma).square()).sum(1) / weight.sum(1)).sqrt().numpy()
